"""minGRU: a gated recurrent network whose gates see the input alone, so that all steps are computed at once.

    z_t = sigmoid(W_z x_t + b_z)                             how much of the candidate is taken
    n_t = W_n x_t + b_n                                      the candidate
    h_t = (1 - z_t) * h_{t-1} + z_t * n_t                    a linear recurrence: a parallel scan, log2 T passes

Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, arXiv:2410.01201. Departs from it: the plain form, not that in
logarithms. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class MinGRU(NetworkForecaster):
    strategy = SequenceToSequence()
    search_space: ClassVar[Mapping[str, Any]] = {"units": (32, 64, 128), "targets": ("every", "last")}
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 0.005
    units: int = 64
    layers: int = 2
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def state_size(self) -> int:
        return self.units * self.layers

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import MinGRU

        return keras.Sequential([*(MinGRU(self.units) for _ in range(self.layers)), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, MinGRU

        widths = [channels, *[self.units] * self.layers]
        layers = [MinGRU(*pair) for pair in zip(widths, widths[1:], strict=False)]
        return nn.Sequential(*layers, Dense(self.units, outputs))

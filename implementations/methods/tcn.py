"""Temporal convolutional network: residual blocks of causal dilated convolutions.

    F(x) = max(0, K' *_d max(0, K *_d x))                    two convolutions, zeros before the start
    x <- max(0, x + F(x))                                    d = 1, 2, 4, 8; the first x by a convolution of width 1
    x_{t+1}, ..., x_{t+H} = V x_t + c

The forecasts at the last step are trained; with targets=every, those at every step. Bai, Kolter and Koltun 2018,
arXiv:1803.01271. Departs from it: no weight normalisation, no dropout. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class TCN(NetworkForecaster):
    strategy = SequenceToSequence()
    search_space: ClassVar[Mapping[str, Any]] = {"filters": (32, 64), "targets": ("every", "last")}
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 0.003
    filters: int = 64
    width: int = 3
    layers: int = 4  # dilations 1, 2, 4, ...
    schedule: str = "cosine"
    targets: str = "last"
    flip: bool = True
    reverse: bool = True

    def dilations(self) -> list[int]:
        """Return how far apart the inputs of each block's convolutions are."""
        return [2**layer for layer in range(self.layers)]

    def receptive_field(self) -> int:
        return 1 + 2 * (self.width - 1) * sum(self.dilations())

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import TemporalBlock

        widths = [channels, *[self.filters] * self.layers]
        blocks = [
            TemporalBlock(self.filters, self.width, dilation, narrow=width != self.filters)
            for width, dilation in zip(widths, self.dilations(), strict=False)
        ]
        return keras.Sequential([*blocks, keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, TemporalBlock

        widths = [channels, *[self.filters] * self.layers]
        blocks = [
            TemporalBlock(width, self.filters, self.width, dilation)
            for width, dilation in zip(widths, self.dilations(), strict=False)
        ]
        return nn.Sequential(*blocks, Dense(self.filters, outputs))

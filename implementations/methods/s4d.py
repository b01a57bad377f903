"""S4D: diagonal state spaces, computed as convolutions over the whole window.

    s' = A s + B x,  y = Re(C s) + D x                       for each of `units` channels; A diagonal, complex, B = 1
    y_t = sum over l of k_l x_{t-l} + D x_t                  k_l = 2 Re sum_m C_m (exp(dt A_m) - 1) / A_m exp(dt A_m l)
    x <- LN(x + a * sigmoid(g)),  [a, g] = W gelu(y)         in each layer
    x_{t+1}, ..., x_{t+H} = V x_t + c

Gu, Gupta, Goel and Re 2022, arXiv:2206.11893: zero-order hold, S4D-Lin, A_m = -1/2 + i pi m at the start, dt spread
over dt_min .. dt_max. Departs from it: one learning rate for all weights, no dropout; dt from 0.05 to 0.5, as the
paper's 0.001 to 0.1 is for thousands of steps; trained at the last step alone; the convolution is a product with the
kernel's Toeplitz matrix, as windows are short. Settings are chosen on series split off from the training part. Not in
the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class S4D(NetworkForecaster):
    strategy = SequenceToSequence()
    search_space: ClassVar[Mapping[str, Any]] = {"dt_max": (0.1, 0.5), "targets": ("every", "last")}
    off: ClassVar[Mapping[str, Any]] = {**NetworkForecaster.off, "dt_min": 0.001, "dt_max": 0.1}
    epochs: int = 120
    batch_size: int = 64
    learning_rate: float = 0.01
    units: int = 48
    modes: int = 8  # complex numbers in the state of a channel
    dt_min: float = 0.05  # the steps of time are spread between these at the start
    dt_max: float = 0.5
    layers: int = 2
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True
    targets: str = "last"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.dt_min <= self.dt_max:
            got = f"dt_min {self.dt_min}, dt_max {self.dt_max}"
            raise ValueError(f"{self.name}.dt_min: got {got}, needed more than 0, and dt_max at least as large")

    def state_size(self) -> int:
        return 2 * self.modes * self.units * self.layers

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import DiagonalStateSpace

        layers = [DiagonalStateSpace(self.units, self.modes, self.dt_min, self.dt_max) for _ in range(self.layers)]
        return keras.Sequential([Dense(self.units), *layers, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, DiagonalStateSpace

        return nn.Sequential(  # in the order in which Keras draws their weights
            Dense(channels, self.units),
            *(DiagonalStateSpace(self.units, self.modes, self.dt_min, self.dt_max) for _ in range(self.layers)),
            Dense(self.units, outputs),
        )

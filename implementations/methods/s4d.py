"""S4D: diagonal state spaces, computed as convolutions over the whole window, forecasting at every step.

    s' = A s + B x,  y = Re(C s) + D x                       for each of `units` channels; A diagonal, complex, B = 1
    y_t = sum over l of k_l x_{t-l} + D x_t                  k_l = 2 Re sum_m C_m (exp(dt A_m) - 1) / A_m exp(dt A_m l)
    x <- LN(x + a * sigmoid(g)),  [a, g] = W gelu(y)         in each layer
    x_{t+1}, ..., x_{t+H} = V x_t + c

Gu, Gupta, Goel and Re 2022, arXiv:2206.11893: zero-order hold, S4D-Lin, A_m = -1/2 + i pi m at the start, dt spread
over 0.001 .. 0.1. Departs from it: one learning rate for all weights, no dropout; the convolution is a product with the
kernel's Toeplitz matrix, as windows are short. Not in the reference.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class S4D(NetworkForecaster):
    strategy = SequenceToSequence()
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 0.01
    units: int = 32
    modes: int = 8  # complex numbers in the state of a channel
    layers: int = 2
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def state_size(self) -> int:
        return 2 * self.modes * self.units * self.layers

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import DiagonalStateSpace

        layers = [DiagonalStateSpace(self.units, self.modes) for _ in range(self.layers)]
        return keras.Sequential([Dense(self.units), *layers, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, DiagonalStateSpace

        return nn.Sequential(  # in the order in which Keras draws their weights
            Dense(channels, self.units),
            *(DiagonalStateSpace(self.units, self.modes) for _ in range(self.layers)),
            Dense(self.units, outputs),
        )

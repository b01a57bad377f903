"""Linear: every future value is a weighted sum of the whole window.

    y = W flatten(x) + b        x [T, D], y [H, D]

Section "linear" of the reference, without departures.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class Linear(NetworkForecaster):
    strategy = MultiOutput()

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense

        return nn.Sequential(nn.Flatten(), Dense(self.steps * channels, outputs))

"""TiDE: a perceptron encodes the window and decodes the steps ahead; a linear map of the window is added.

    R(x) = LN(W' max(0, W x + b) + b' + V x + c)             a residual block
    [g_1, ..., g_H] = R_2l(... R_1(x))                       `layers` blocks to the code, as many from it
    y_h = R'(g_h) + (U x + d)_h                              R' is the same for every step ahead, without LN

Das, Kong, Leach, Mathur, Sen and Yu 2023, arXiv:2304.08424. Departs from it: no covariates, no dropout; each channel
apart, weights shared, as there. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class TiDE(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"layers": (1, 2, 3), "units": (64, 128, 256)}
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.002
    units: int = 128
    layers: int = 2  # residual blocks to the code; as many from it
    width: int = 8  # numbers that the code has for each step ahead
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, DenseEncoder

        blocks = DenseEncoder(outputs // channels, self.units, self.layers, self.width)
        return keras.Sequential([ChannelsApart(), blocks, ChannelsTogether(channels)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, DenseEncoder

        blocks = DenseEncoder(self.steps, outputs // channels, self.units, self.layers, self.width)
        return nn.Sequential(ChannelsApart(), blocks, ChannelsTogether(channels))

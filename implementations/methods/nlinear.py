"""NLinear: one linear map of the window less its last value, which is then given back.

    y = W (x - x_T) + b + x_T                                x [T], y [H], for each channel, weights shared

Zeng, Chen, Zhang and Xu 2023, arXiv:2205.13504. So a series that has moved to another level is forecast alike. Departs
from it: Glorot uniform weights. Not in the reference.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class NLinear(NetworkForecaster):
    strategy = MultiOutput()
    batch_size: int = 128
    learning_rate: float = 0.005
    schedule: str = "cosine"
    normalise: str = "last"

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether

        return keras.Sequential(
            [ChannelsApart(), keras.layers.Dense(outputs // channels), ChannelsTogether(channels)],
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, Dense

        return nn.Sequential(ChannelsApart(), Dense(self.steps, outputs // channels), ChannelsTogether(channels))

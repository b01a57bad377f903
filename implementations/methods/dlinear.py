"""DLinear: one linear map of the moving average, another of what is left.

    m_t = mean of x_{t - width/2} .. x_{t + width/2}         ends repeated beyond the window
    y = W m + b + W' (x - m) + b'                            x [T], y [H], for each channel, weights shared

Zeng, Chen, Zhang and Xu 2023, arXiv:2205.13504. Departs from it: Glorot uniform weights. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class DLinear(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"width": (5, 15, 25)}
    batch_size: int = 128
    learning_rate: float = 0.005
    width: int = 25
    schedule: str = "cosine"

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, TrendAndRest

        return keras.Sequential(
            [ChannelsApart(), TrendAndRest(outputs // channels, self.width), ChannelsTogether(channels)]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, TrendAndRest

        return nn.Sequential(
            ChannelsApart(),
            TrendAndRest(self.steps, outputs // channels, self.width),
            ChannelsTogether(channels),
        )

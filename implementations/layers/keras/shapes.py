"""Layers that only change shapes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations.layers.keras.base import Configured, Shape, Tensor, register


@register
class ChannelsApart(keras.layers.Layer):
    """[N, T, D] -> [N D, T]: every channel of every series is one row."""

    def call(self, x: Tensor) -> Tensor:
        return ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, x.shape[1]))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (None, shape[1])


@register
class ChannelsTogether(Configured):
    """[N D, H] -> [N, H D], the channels of a step side by side."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__({"channels": channels}, **kwargs)
        self.channels = channels

    def call(self, x: Tensor) -> Tensor:
        apart = ops.reshape(x, (-1, self.channels, x.shape[1]))
        return ops.reshape(ops.transpose(apart, (0, 2, 1)), (-1, self.channels * x.shape[1]))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (None, self.channels * shape[1])

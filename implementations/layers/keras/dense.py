"""Linear maps over time."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations.layers.keras.base import Configured, Shape, Tensor, build, register


@register
class TrendAndRest(Configured):
    """A linear map of the moving average, and one of what is left: [M, T] -> [M, H]."""

    def __init__(self, horizon: int, width: int, **kwargs: Any) -> None:
        super().__init__({"horizon": horizon, "width": width}, **kwargs)
        self.horizon, self.width = horizon, width
        self.trend, self.rest = keras.layers.Dense(horizon), keras.layers.Dense(horizon)

    def build(self, shape: Shape) -> None:
        for layer in (self.trend, self.rest):
            build(layer, shape)

    def call(self, x: Tensor) -> Tensor:
        before, after = self.width // 2, (self.width - 1) // 2
        padded = ops.concatenate([ops.repeat(x[:, :1], before, 1), x, ops.repeat(x[:, -1:], after, 1)], axis=1)
        average = sum(padded[:, lag : lag + x.shape[1]] for lag in range(self.width)) / self.width
        return self.trend(average) + self.rest(x - average)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.horizon)

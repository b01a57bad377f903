"""The parts of a transformer over patches: [M, T] is one channel of one series a row."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations import initializers
from implementations.layers.keras.activations import gelu
from implementations.layers.keras.base import Configured, Shape, Tensor, build, register
from implementations.layers.keras.initializers import starting_at


@register
class Patches(Configured):
    """Stretches of `length` steps, one every `stride`, the last value repeated: [M, T] -> [M, patches, length]."""

    def __init__(self, length: int, stride: int, **kwargs: Any) -> None:
        super().__init__({"length": length, "stride": stride}, **kwargs)
        self.length, self.stride = length, stride

    def call(self, x: Tensor) -> Tensor:
        x = ops.concatenate([x, ops.repeat(x[:, -1:], self.stride, 1)], axis=1)
        starts = range(0, x.shape[1] - self.length + 1, self.stride)
        return ops.stack([x[:, start : start + self.length] for start in starts], axis=1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], (shape[1] + self.stride - self.length) // self.stride + 1, self.length)


@register
class Positions(keras.layers.Layer):
    """Adds to each place a vector that is learnt: [M, patches, width]."""

    def build(self, shape: Shape) -> None:
        start = initializers.uniform(initializers.current(), shape[1:], -0.02, 0.02)
        self.places = self.add_weight(shape=shape[1:], initializer=starting_at(start), name="places")

    def call(self, x: Tensor) -> Tensor:
        return x + self.places

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape


@register
class Encoder(Configured):
    """Attention of all places to all, then a layer at each place; both added and normalised: [M, K, width]."""

    def __init__(self, width: int, heads: int, hidden: int, **kwargs: Any) -> None:
        super().__init__({"width": width, "heads": heads, "hidden": hidden}, **kwargs)
        self.width, self.heads, self.hidden = width, heads, hidden
        self.project, self.mix = keras.layers.Dense(3 * width), keras.layers.Dense(width)
        self.widen, self.narrow = keras.layers.Dense(hidden), keras.layers.Dense(width)
        self.norms = [keras.layers.LayerNormalization() for _ in range(2)]

    def build(self, shape: Shape) -> None:
        for layer in (self.project, self.mix, self.widen, *self.norms):
            build(layer, shape)
        build(self.narrow, (*shape[:2], self.hidden))

    def call(self, x: Tensor) -> Tensor:
        x = self.norms[0](x + self._attention(x))
        return self.norms[1](x + self.narrow(gelu(self.widen(x))))

    def _attention(self, x: Tensor) -> Tensor:
        size = self.width // self.heads
        apart = ops.reshape(self.project(x), (-1, x.shape[1], 3, self.heads, size))
        q, k, v = ops.unstack(ops.transpose(apart, (2, 0, 3, 1, 4)), 3)  # [M, heads, K, size] each
        weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / size**0.5, axis=-1)
        together = ops.reshape(ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3)), (-1, x.shape[1], self.width))
        return self.mix(together)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape

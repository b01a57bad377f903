"""Layers of perceptrons over a whole window: of TiDE and of TSMixer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations.layers.keras.base import Configured, Shape, Tensor, build, register


@register
class ResidualBlock(Configured):
    """W' max(0, W x + b) + b' + V x + c over the last axis, then layer norm if `normalised`: [..., outputs]."""

    def __init__(self, hidden: int, outputs: int, normalised: bool = True, **kwargs: Any) -> None:
        super().__init__({"hidden": hidden, "outputs": outputs, "normalised": normalised}, **kwargs)
        self.hidden, self.outputs = hidden, outputs
        self.widen = keras.layers.Dense(hidden, activation="relu")
        self.narrow, self.shortcut = keras.layers.Dense(outputs), keras.layers.Dense(outputs)
        self.norms = [keras.layers.LayerNormalization()] if normalised else []

    def build(self, shape: Shape) -> None:
        build(self.widen, shape)
        build(self.narrow, (*shape[:-1], self.hidden))
        build(self.shortcut, shape)
        for norm in self.norms:
            build(norm, (*shape[:-1], self.outputs))

    def call(self, x: Tensor) -> Tensor:
        x = self.narrow(self.widen(x)) + self.shortcut(x)
        for norm in self.norms:
            x = norm(x)
        return x

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.outputs)


@register
class DenseEncoder(Configured):
    """TiDE: residual blocks to a code, from it to `width` numbers for each step ahead, from these to the step.

    A linear map of the history is added: [M, T] -> [M, H].
    """

    def __init__(self, horizon: int, units: int, layers: int, width: int, **kwargs: Any) -> None:
        super().__init__({"horizon": horizon, "units": units, "layers": layers, "width": width}, **kwargs)
        self.horizon, self.width = horizon, width
        outputs = [units] * (2 * layers - 1) + [horizon * width]
        self.blocks = [ResidualBlock(units, size) for size in outputs]
        self.at_a_step, self.linear = ResidualBlock(units, 1, normalised=False), keras.layers.Dense(horizon)

    def build(self, shape: Shape) -> None:
        inner = shape
        for block in self.blocks:
            build(block, inner)
            inner = (*shape[:-1], block.outputs)
        build(self.at_a_step, (None, self.horizon, self.width))
        build(self.linear, shape)

    def call(self, x: Tensor) -> Tensor:
        inner = x
        for block in self.blocks:
            inner = block(inner)
        ahead = self.at_a_step(ops.reshape(inner, (-1, self.horizon, self.width)))
        return ahead[:, :, 0] + self.linear(x)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.horizon)


@register
class Mixer(Configured):
    """TSMixer's block: a layer over the steps of each channel, then one over the channels of each step: [N, T, D]."""

    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__({"hidden": hidden}, **kwargs)
        self.hidden = hidden
        self.norms = [keras.layers.LayerNormalization() for _ in range(2)]  # over the steps of a channel

    def build(self, shape: Shape) -> None:
        _, steps, channels = shape
        self.over_steps = keras.layers.Dense(steps, activation="relu")
        self.widen, self.narrow = keras.layers.Dense(self.hidden, activation="relu"), keras.layers.Dense(channels)
        for layer in (*self.norms, self.over_steps):
            build(layer, (None, channels, steps))
        build(self.widen, (None, steps, channels))
        build(self.narrow, (None, steps, self.hidden))

    def call(self, x: Tensor) -> Tensor:
        by_channel = ops.transpose(x, (0, 2, 1))
        by_channel = by_channel + self.over_steps(self.norms[0](by_channel))
        seen = ops.transpose(self.norms[1](by_channel), (0, 2, 1))
        return ops.transpose(by_channel, (0, 2, 1)) + self.narrow(self.widen(seen))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape

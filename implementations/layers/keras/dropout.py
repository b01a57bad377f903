"""Dropout on the state of a recurrent layer, by masks that are a hash of a counter.

A mask takes some twenty integer operations a number, on as many numbers as fit a register.

TensorFlow's own stateless generator, compiled by XLA for a CPU, took most of a training step. Here every engine draws
the same masks.

    mix(x): x ^= x >> 16; x *= 0x7FEB352D; x ^= x >> 15; x *= 0x846CA68B; x ^= x >> 16

Wellons 2018, "Prospecting for hash functions" (lowbias32): each bit of x changes each bit of mix(x) half of the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from implementations.incremental import State
from implementations.layers.keras.base import Shape, Tensor, register
from implementations.layers.keras.scan import scan

FACTORS = np.array([0x7FEB352D, 0x846CA68B], dtype=np.uint32)


@register
class DropoutRNN(keras.layers.Layer):
    """A simple recurrent layer that drops inputs and state values in training, by a new mask at every step.

    h_t = tanh(W (m_t * x_t) + U (n_t * h_{t-1}) + b). Keras' SimpleRNN keeps one mask for all steps; with one
    channel it would blind the layer to a whole series at a time.
    """

    def __init__(self, units: int, rate: float, recurrent_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.rate, self.recurrent_rate = units, rate, recurrent_rate
        self.seeds = keras.random.SeedGenerator()

    def build(self, shape: Shape) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if training:
            inputs = inputs * kept(self.seeds, inputs.shape, self.rate)
        net = ops.transpose(ops.matmul(inputs, self.kernel) + self.bias, (1, 0, 2))
        masks = kept(self.seeds, net.shape, self.recurrent_rate) if training else ops.ones_like(net)

        def step(state: State, at_step: Tensor) -> Tensor:
            net, mask = at_step
            state = ops.tanh(net + ops.matmul(mask * state, self.recurrent_kernel))
            return state, state

        _, outputs = scan(step, ops.zeros_like(net[0]), (net, masks))
        return ops.transpose(outputs, (1, 0, 2))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "units": self.units, "rate": self.rate, "recurrent_rate": self.recurrent_rate,
        }  # fmt: skip


def kept(seeds: keras.random.SeedGenerator, shape: Sequence[int], rate: float) -> Tensor:
    """Draw a mask of this shape, float32, another one at each call: 0 with probability `rate`, else 1 / (1 - rate)."""
    seed, turn = (ops.cast(word, "uint32") for word in ops.unstack(seeds.next(), 2))
    first = mix(ops.bitwise_xor(mix(turn), seed))
    second = mix(ops.add(first, seed))
    counter = ops.reshape(ops.cast(ops.arange(math.prod(shape)), "uint32"), shape)
    bits = mix(ops.bitwise_xor(mix(ops.add(counter, first)), second))  # two rounds: else masks could be shifted copies
    return ops.where(ops.greater_equal(bits, np.uint32(rate * 2**32)), 1 / (1 - rate), 0.0)


def mix(x: Tensor) -> Tensor:
    """Hash numbers of 32 bits."""
    for shift, factor in zip((16, 15), FACTORS, strict=True):
        x = ops.multiply(_folded(x, shift), factor)
    return _folded(x, 16)


def _folded(x: Tensor, shift: int) -> Tensor:
    return ops.bitwise_xor(x, ops.bitwise_right_shift(x, np.uint32(shift)))

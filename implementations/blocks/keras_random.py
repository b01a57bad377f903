"""Masks for dropout by a hash of a counter: some twenty integer operations each, on as many numbers as fit a register.

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

FACTORS = np.array([0x7FEB352D, 0x846CA68B], dtype=np.uint32)


def kept(seeds: keras.random.SeedGenerator, shape: Sequence[int], rate: float) -> Any:
    """A mask of this shape, float32, another one at each call: 0 with probability `rate`, else 1 / (1 - rate)."""
    seed, turn = (ops.cast(word, "uint32") for word in ops.unstack(seeds.next(), 2))
    first = mix(ops.bitwise_xor(mix(turn), seed))
    second = mix(ops.add(first, seed))
    counter = ops.reshape(ops.cast(ops.arange(math.prod(shape)), "uint32"), shape)
    bits = mix(ops.bitwise_xor(mix(ops.add(counter, first)), second))  # two rounds: else masks could be shifted copies
    return ops.where(ops.greater_equal(bits, np.uint32(rate * 2**32)), 1 / (1 - rate), 0.0)


def mix(x: Any) -> Any:
    """The hash of numbers of 32 bits."""
    for shift, factor in zip((16, 15), FACTORS, strict=True):
        x = ops.multiply(_folded(x, shift), factor)
    return _folded(x, 16)


def _folded(x: Any, shift: int) -> Any:
    return ops.bitwise_xor(x, ops.bitwise_right_shift(x, np.uint32(shift)))

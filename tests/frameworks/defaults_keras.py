"""Keras' defaults are those of `framework_defaults`; a native network draws its own starting values."""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np
from keras import layers

import implementations
from implementations import backends
from implementations import framework_defaults as defaults

STEPS, CHANNELS, HORIZON = 16, 2, 3


def _weights(method: str, native: bool, seed: int = 1) -> list[np.ndarray]:
    forecaster: Any = implementations.make(method, sys.argv[1], seed, native=native)
    forecaster.build(backends.load(sys.argv[1]), STEPS, CHANNELS, HORIZON)
    return list(forecaster.weights())


def constants() -> None:
    norm = layers.BatchNormalization()
    assert (norm.momentum, norm.epsilon) == (defaults.BATCH_NORM_MOMENTUM, defaults.BATCH_NORM_EPSILON)
    assert layers.LayerNormalization().epsilon == defaults.LAYER_NORM_EPSILON
    assert keras.optimizers.Adam().epsilon == defaults.ADAM_EPSILON
    assert layers.LSTM(1).unit_forget_bias and defaults.FORGET_BIAS == 1
    assert layers.GRU(1).reset_after


def initializers() -> None:
    for layer in (layers.Dense(1), layers.Conv1D(1, 1), layers.SimpleRNN(1), layers.GRU(1), layers.LSTM(1)):
        assert isinstance(layer.kernel_initializer, keras.initializers.GlorotUniform)
        assert isinstance(layer.bias_initializer, keras.initializers.Zeros)
    for layer in (layers.SimpleRNN(1), layers.GRU(1), layers.LSTM(1)):
        assert isinstance(layer.recurrent_initializer, keras.initializers.Orthogonal)


def equal_starts_are_drawn_by_numpy_native_ones_by_keras() -> None:
    for method in ("linear", "gru", "lstm"):
        equal, native, again, other = (_weights(method, *how) for how in ((False,), (True,), (True,), (True, 2)))
        pairs = [pair for pair in zip(equal, native, again, other, strict=True) if pair[0].ndim > 1 and pair[0].std()]
        assert pairs
        for one, two, three, four in pairs:
            assert np.array_equal(two, three), "one seed, one start"
            assert not np.array_equal(one, two) and not np.array_equal(two, four)
            assert 0.7 < one.std() / two.std() < 1.4

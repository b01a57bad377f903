"""Keras' layers and ours, on the engine that KERAS_BACKEND names, against plain NumPy loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import loops
import numpy as np
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

from implementations import initializers
from implementations.layers import keras as our_layers
from implementations.layers.keras.dropout import kept

SERIES, STEPS, CHANNELS, UNITS = 5, 9, 3, 4


def _series(steps: int = STEPS, channels: int = CHANNELS) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((SERIES, steps, channels)).astype("float32")


def _output(layer: Any, x: np.ndarray, **how: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(layer(ops.convert_to_tensor(x), **how)))


def _with_random_weights(layer: Any, x: np.ndarray) -> list[np.ndarray]:
    """Build the layer for x and give it random weights, which are returned in float64."""
    layer.build(x.shape)
    random = np.random.default_rng(2)
    values = [random.uniform(-0.8, 0.8, weight.shape).astype("float32") for weight in layer.weights]
    layer.set_weights(values)
    return [value.astype("float64") for value in values]


def _compare(layer: Any, loop: Callable[..., np.ndarray], x: np.ndarray | None = None, **how: Any) -> None:
    """Expect of the layer with random weights what the loop makes of the same weights."""
    x = _series() if x is None else x
    weights = _with_random_weights(layer, x)
    assert_allclose(_output(layer, x), loop(x.astype("float64"), *weights, **how), atol=1e-5)


def dense() -> None:
    _compare(layers.Dense(UNITS), lambda x, W, b: x @ W + b)


def simple_rnn() -> None:
    _compare(our_layers.SimpleRNN(UNITS, return_sequences=True), loops.simple_rnn)
    _compare(our_layers.SimpleRNN(UNITS), lambda *given: loops.simple_rnn(*given)[:, -1])
    wide = our_layers.SimpleRNN(UNITS, return_sequences=True)
    wide.large = UNITS  # Keras' own loop, on JAX
    _compare(wide, loops.simple_rnn)


def relu_rnn() -> None:
    _compare(our_layers.SimpleRNN(UNITS, activation="relu", return_sequences=True), loops.simple_rnn, f=loops.relu)


def lstm() -> None:
    _compare(our_layers.LSTM(UNITS, return_sequences=True), loops.lstm)


def a_large_lstm_takes_keras_loop_in_training_on_jax() -> None:
    """And no other: a forecast is the same however many are asked for at once."""
    x, layer, ours = _series(), our_layers.LSTM(UNITS, return_sequences=True), []
    _with_random_weights(layer, x)
    series_last = layer.series_last
    layer.series_last = lambda *given: ours.append(given) or series_last(*given)
    layer.much = UNITS * SERIES * STEPS
    large = _output(layer, x, training=True)
    assert len(ours) == (0 if keras.backend.backend() == "jax" else 1)
    ours.clear()
    assert_allclose(_output(layer, x), large, atol=1e-6)
    layer.much += 1
    _output(layer, x, training=True)
    assert len(ours) == 2
    layer(keras.Input((STEPS, CHANNELS)), training=True)  # of unknown size


def gru() -> None:
    _compare(our_layers.GRU(UNITS, return_sequences=True), loops.gru)


def recurrent_layers_equal_keras_own() -> None:
    """Outputs and gradients, of the inputs and of every weight, for equal weights."""
    x, d_outputs = _series(), np.random.default_rng(3).standard_normal((SERIES, STEPS, UNITS)).astype("float32")
    how = {"return_sequences": True}
    for ours, theirs in (
        (our_layers.SimpleRNN(UNITS, **how), layers.SimpleRNN(UNITS, **how)),
        (our_layers.SimpleRNN(UNITS, activation="relu", **how), layers.SimpleRNN(UNITS, activation="relu", **how)),
        (our_layers.GRU(UNITS, **how), layers.GRU(UNITS, **how)),
        (our_layers.LSTM(UNITS, **how), layers.LSTM(UNITS, **how)),
    ):
        _with_random_weights(ours, x)
        theirs.build(x.shape)
        theirs.set_weights(ours.get_weights())
        assert_allclose(_output(ours, x), _output(theirs, x), atol=1e-6)
        for got, expected in zip(_gradients(ours, x, d_outputs), _gradients(theirs, x, d_outputs), strict=True):
            assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def advance_in_parts_equals_the_whole() -> None:
    x = _series(channels=UNITS)
    for layer in (
        our_layers.SimpleRNN(UNITS, return_sequences=True), our_layers.GRU(UNITS, return_sequences=True),
        our_layers.LSTM(UNITS, return_sequences=True), our_layers.Loop(our_layers.LayerNormCell(UNITS)),
        our_layers.Conv1D(UNITS, 3, padding="causal", dilation_rate=2), our_layers.GatedStack(UNITS, [1, 2, 4]),
    ):  # fmt: skip
        _with_random_weights(layer, x)
        state, parts = None, []
        for part in np.split(x, [4, 5, 7], axis=1):
            outputs, state = layer.advance(ops.convert_to_tensor(part), state)
            parts.append(ops.convert_to_numpy(outputs))
        assert_allclose(np.concatenate(parts, axis=1), _output(layer, x), atol=1e-6)


def _gradients(layer: Any, x: np.ndarray, d_outputs: np.ndarray) -> list[np.ndarray]:
    """The gradients of x and of the layer's weights, by the engine."""
    if keras.backend.backend() == "jax":
        import jax

        def product(values: list[Any], x: Any) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(layer.weights, values, strict=True))):
                return (layer(x) * d_outputs).sum()

        d_values, d_x = jax.grad(product, argnums=(0, 1))([weight.value for weight in layer.weights], x)
        return [np.asarray(one) for one in (d_x, *d_values)]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        seen = tf.constant(x)
        tape.watch(seen)
        product = tf.reduce_sum(layer(seen) * d_outputs)
    return [one.numpy() for one in tape.gradient(product, [seen, *[weight.value for weight in layer.weights]])]


def lstm_cell_in_a_loop_equals_lstm() -> None:
    x = _series()
    whole = our_layers.LSTM(UNITS, return_sequences=True)
    weights = _with_random_weights(whole, x)
    for looped in (
        layers.RNN(layers.LSTMCell(UNITS), return_sequences=True),
        our_layers.Loop(layers.LSTMCell(UNITS)),
    ):
        looped.build(x.shape)
        looped.set_weights(weights)
        assert_allclose(_output(looped, x), _output(whole, x), atol=1e-6)


def layer_norm_cell() -> None:
    _compare(layers.RNN(our_layers.LayerNormCell(UNITS), return_sequences=True), loops.layer_norm_rnn)
    _compare(our_layers.Loop(our_layers.LayerNormCell(UNITS)), loops.layer_norm_rnn)


def layer_norm_cell_as_printed() -> None:
    cell = our_layers.LayerNormCell(UNITS, normalise="output")
    _compare(layers.RNN(cell, return_sequences=True), loops.layer_norm_rnn_as_printed)
    cell = our_layers.LayerNormCell(UNITS, normalise="output")
    _compare(our_layers.Loop(cell), loops.layer_norm_rnn_as_printed)


def peephole_lstm() -> None:
    _compare(layers.RNN(our_layers.PeepholeLSTMCell(UNITS), return_sequences=True), loops.lstm)


def peephole_lstm_starts_as_lstm() -> None:
    layer = layers.RNN(our_layers.PeepholeLSTMCell(UNITS), return_sequences=True)
    x = _series()
    layer.build(x.shape)
    W, U, b, peephole = layer.get_weights()
    assert_array_equal(peephole, np.zeros((3, UNITS)))
    assert_allclose(_output(layer, x), loops.lstm(x.astype("float64"), W, U, b), atol=1e-5)


def dropout_rnn_in_inference() -> None:
    _compare(our_layers.DropoutRNN(UNITS, 0.5, 0.5), loops.simple_rnn)


def masks_are_drawn_evenly_and_independently() -> None:
    """Of 40 masks [32, 50, 20]: the share kept, and the correlations with neighbours of all kinds, as by chance."""
    seeds, rate = keras.random.SeedGenerator(7), 0.1
    masks = np.stack([ops.convert_to_numpy(kept(seeds, (32, 50, 20), rate)) for _ in range(40)])
    values, counts = np.unique(masks, return_counts=True)
    assert_allclose(values, [0, 1 / 0.9], rtol=1e-6)
    chance = 1 / np.sqrt(masks.size)
    assert abs(counts[0] / masks.size - rate) < 4 * chance * np.sqrt(rate * (1 - rate))
    normal = (masks - 1) / np.sqrt(rate / (1 - rate))
    for axis in range(4):
        for lag in (1, 2, 3, 16):
            ahead, behind = np.split(normal, [-lag], axis)[0], np.split(normal, [lag], axis)[1]
            assert abs(np.mean(ahead * behind)) < 5 * chance
        others = tuple(other for other in range(4) if other != axis)
        shares = (masks == 0).mean(axis=others)
        assert shares.std() < 2 * np.sqrt(rate * (1 - rate) * masks.shape[axis] / masks.size)


def masks_are_those_of_plain_arithmetic() -> None:
    seeds = keras.random.SeedGenerator(7)
    got = [ops.convert_to_numpy(kept(seeds, (2, 3), 0.25)) for _ in range(2)]
    for turn, mask in enumerate(got):
        first = _mixed(_mixed(turn) ^ 7)
        second = _mixed((first + 7) % 2**32)
        bits = [_mixed(_mixed((count + first) % 2**32) ^ second) for count in range(6)]
        assert_allclose(mask.ravel(), [0 if one < 2**30 else 4 / 3 for one in bits], rtol=1e-6)


def _mixed(x: int) -> int:
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32
    x = (x ^ x >> 15) * 0x846CA68B % 2**32
    return x ^ x >> 16


def dropout_rnn_drops_inputs_at_each_step_anew() -> None:
    """W = 1, U = 0: the output of ones is tanh of the mask, 0 or 1 / (1 - 0.2)."""
    layer, x = our_layers.DropoutRNN(1, 0.2, 0.0), np.ones((20, 50, 1), "float32")
    layer.build(x.shape)
    layer.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)])
    kept = _output(layer, x, training=True) > 0
    assert_allclose(_output(layer, x, training=True)[..., 0].max(), np.tanh(1 / 0.8), atol=1e-6)
    assert 0.75 < kept.mean() < 0.85 and (kept.sum(axis=1) < 50).all() and (kept.sum(axis=0) < 20).any()


def dropout_rnn_drops_the_state_at_each_step_anew() -> None:
    """W = 0, U = 1, b = 1: the output is tanh(1) where the state was dropped, else tanh(1 + h / (1 - 0.2))."""
    layer, x = our_layers.DropoutRNN(1, 0.0, 0.2), np.ones((20, 50, 1), "float32")
    layer.build(x.shape)
    layer.set_weights([np.zeros((1, 1)), np.ones((1, 1)), np.ones(1)])
    h = _output(layer, x, training=True)
    dropped = np.isclose(h[:, 1:], np.tanh(1.0), atol=1e-5)
    assert_allclose(h[:, 1:][~dropped], np.tanh(1 + h[:, :-1] / 0.8)[~dropped], atol=1e-5)
    assert 0.15 < dropped.mean() < 0.25 and (dropped.sum(axis=1) > 0).all()


def batch_normalization_in_training() -> None:
    layer, x = layers.BatchNormalization(), _series()
    layer.build(x.shape)
    gamma, beta, mean, variance = (0.5 + np.random.default_rng(3).uniform(0, 1, (4, CHANNELS))).astype("float32")
    layer.set_weights([gamma, beta, mean, variance])
    got = _output(layer, x, training=True)
    batch_mean, batch_variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
    assert_allclose(got, loops.batch_norm(x, gamma, beta, batch_mean, batch_variance), atol=1e-5)
    moved = [0.99 * mean + 0.01 * batch_mean, 0.99 * variance + 0.01 * batch_variance]
    assert_allclose(layer.get_weights()[2:], moved, atol=1e-6)


def batch_normalization_in_inference() -> None:
    layer, x = layers.BatchNormalization(), _series()
    layer.build(x.shape)
    weights = (0.5 + np.random.default_rng(3).uniform(0, 1, (4, CHANNELS))).astype("float32")
    layer.set_weights(list(weights))
    assert_allclose(_output(layer, x, training=False), loops.batch_norm(x.astype("float64"), *weights), atol=1e-5)
    assert_array_equal(layer.get_weights(), weights)


def conv1d() -> None:
    for steps in (4, STEPS, STEPS + 1):
        x = _series(steps)
        _compare(our_layers.Conv1D(UNITS, 4), loops.conv1d, x)
        _compare(our_layers.Conv1D(UNITS, 1, activation="softmax"), loops.conv1d, x, f=loops.softmax)


def conv1d_causal_and_dilated() -> None:
    for dilation in (1, 2, 8):
        layer = our_layers.Conv1D(UNITS, 2, padding="causal", dilation_rate=dilation, activation="relu")
        _compare(layer, loops.conv1d, dilation=dilation, causal=True, f=loops.relu)
    _compare(our_layers.Conv1D(UNITS, 3, dilation_rate=2), loops.conv1d, dilation=2)


def conv1d_strided() -> None:
    for steps in (4, 5, STEPS, STEPS + 1):
        _compare(our_layers.Conv1D(UNITS, 4, strides=2), loops.conv1d, _series(steps), stride=2)
        causal = our_layers.Conv1D(UNITS, 2, strides=3, padding="causal")
        _compare(causal, loops.conv1d, _series(steps), stride=3, causal=True)


def conv1d_equals_keras_own() -> None:
    x = _series()
    for settings in ({"padding": "causal", "dilation_rate": 4}, {"dilation_rate": 2}, {"activation": "relu"}):
        ours, theirs = our_layers.Conv1D(UNITS, 3, **settings), layers.Conv1D(UNITS, 3, **settings)
        theirs.build(x.shape)
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        assert_allclose(_output(ours, x), _output(theirs, x), atol=1e-5)


def gated_stack() -> None:
    _gated_stack(tanh_twice=False)


def gated_stack_as_printed() -> None:
    _gated_stack(tanh_twice=True)


def _gated_stack(tanh_twice: bool) -> None:
    dilations = [1, 2, 4, 1, 2]
    layer, x = our_layers.GatedStack(UNITS, dilations, tanh_twice), _series(channels=UNITS)
    layer.build(x.shape)
    random, weights = np.random.default_rng(4), []
    for one in layer.gates + layer.mixes:
        values = [random.uniform(-0.8, 0.8, weight.shape) for weight in one.weights]
        one.set_weights(values)
        weights += values
    expected = loops.gated_stack(x.astype("float64"), weights, dilations, tanh_twice)
    assert_allclose(_output(layer, x), expected, atol=1e-5)


def initial_biases_of_lstm() -> None:
    zero, one = np.zeros(UNITS), np.ones(UNITS)
    assert_array_equal(ops.convert_to_numpy(our_layers.ForgetBias(2.0)((4 * UNITS,))), np.r_[zero, 2 * one, zero, zero])
    for layer in (
        our_layers.LSTM(UNITS),
        layers.RNN(layers.LSTMCell(UNITS)),
        layers.RNN(our_layers.PeepholeLSTMCell(UNITS)),
    ):
        layer.build((None, None, CHANNELS))
        assert_array_equal(layer.get_weights()[2], np.r_[zero, one, zero, zero])


@initializers.drawn_from(5)
def initial_weights() -> None:
    """Keras' documented ones, for its layers and for ours: PyTorch's are held to the same."""
    keras.utils.set_random_seed(5)
    channels, units = 30, 40
    for layer, gates in _recurrent_layers(units):
        layer.build((None, None, channels))
        W, U = layer.get_weights()[:2]
        _expect_uniform(W, np.sqrt(6 / (channels + gates * units)))
        assert W.shape == (channels, gates * units)
        assert_allclose(U @ U.T, np.eye(units), atol=1e-5)
    convolution = our_layers.Conv1D(units, 2)
    convolution.build((None, None, channels))
    _expect_uniform(convolution.get_weights()[0], np.sqrt(6 / (2 * channels + 2 * units)))
    assert_array_equal(convolution.get_weights()[1], np.zeros(units))


def constants() -> None:
    normalization = layers.BatchNormalization()
    assert (normalization.momentum, normalization.epsilon) == (0.99, loops.EPSILON)
    assert our_layers.LayerNormCell(UNITS).norm.epsilon == loops.EPSILON
    adam = keras.optimizers.Adam()
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.9, 0.999, 1e-7)


def _recurrent_layers(units: int) -> list[tuple[Any, int]]:
    """A recurrent layer of each kind, with its number of gates."""
    return [
        (our_layers.SimpleRNN(units), 1),
        (our_layers.GRU(units), 3),
        (our_layers.LSTM(units), 4),
        (layers.RNN(our_layers.LayerNormCell(units)), 1),
        (layers.RNN(our_layers.PeepholeLSTMCell(units)), 4),
        (our_layers.DropoutRNN(units, 0.1, 0.1), 1),
    ]


def _expect_uniform(values: np.ndarray, bound: float) -> None:
    """Expect values that fill the interval from -bound to bound evenly."""
    assert -bound <= values.min() < -0.99 * bound and 0.99 * bound < values.max() <= bound
    assert_allclose(values.std(), bound / np.sqrt(3), rtol=0.05)

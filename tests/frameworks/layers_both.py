"""Layers that have one check for all, against plain NumPy in float64, on the backend named on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np
from loops import layer_norm, relu, sigmoid, softmax
from numpy.testing import assert_allclose

from implementations.layers.bases import interpolated, seasonality, trend

SERIES, STEPS, HORIZON, CHANNELS, UNITS = 3, 9, 4, 2, 4
Array = np.ndarray


def channels_apart_and_together() -> None:
    x = _random((SERIES, STEPS, CHANNELS))
    apart = _compare(["ChannelsApart"], x, lambda x: np.concatenate([[one[:, 0], one[:, 1]] for one in x]))
    assert apart.shape == (SERIES * CHANNELS, STEPS)
    _compare(["ChannelsTogether", CHANNELS], apart, lambda rows: _together(rows))


def _together(rows: Array) -> Array:
    return np.stack([np.stack([rows[2 * n], rows[2 * n + 1]], axis=1).ravel() for n in range(SERIES)])


def trend_and_rest() -> None:
    def by_hand(x: Array, W: Array, b: Array, V: Array, c: Array) -> Array:
        average = np.zeros_like(x)
        for t in range(STEPS):
            average[:, t] = np.mean([x[:, min(max(t + lag, 0), STEPS - 1)] for lag in range(-2, 3)], axis=0)
        return average @ W + b + (x - average) @ V + c

    _compare(["TrendAndRest", HORIZON, 5], _rows(), by_hand)


def doubly_residual() -> None:
    """Two blocks of two layers: one generic, one that pools four steps and has a knot in every two."""

    def by_hand(x: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array, W4: Array, b4: Array,
                T1: Array, c1: Array, T2: Array, c2: Array) -> Array:  # fmt: skip
        theta = relu(relu(x @ W1 + b1) @ W2 + b2) @ T1 + c1
        left, forecast = x - theta[:, :STEPS], theta[:, STEPS:]
        pooled = np.stack([left[:, :4].max(1), left[:, 4:8].max(1), left[:, 8]], axis=1)
        theta = relu(relu(pooled @ W3 + b3) @ W4 + b4) @ T2 + c2
        first, second = theta[:, STEPS], theta[:, STEPS + 1]
        lines = [first, 0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second, second]
        return forecast + np.stack(lines, axis=1)

    _compare(["DoublyResidual", HORIZON, [["generic", 1, 1], ["interpolated", 2, 4]], 2, UNITS], _rows(), by_hand)


def bases_are_polynomials_and_waves() -> None:
    past, future = np.arange(STEPS) / STEPS, np.arange(HORIZON) / HORIZON  # time within 0 .. 1, in each of the two
    back, ahead = trend(STEPS, HORIZON)
    theta = np.arange(1.0, 9.0)
    assert_allclose(theta @ back, theta[0] + theta[1] * past + theta[2] * past**2 + theta[3] * past**3, rtol=1e-5)
    assert_allclose(theta @ ahead, theta[4:] @ np.stack([future**power for power in range(4)]), rtol=1e-5)
    back, ahead = seasonality(STEPS, HORIZON)
    assert back.shape == (6, STEPS)
    for found, t in ((back[:3], past), (ahead[3:], future)):
        assert_allclose(found, [t * 0 + 1, np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], atol=1e-6)
    assert not back[3:].any() and not ahead[:3].any()
    assert_allclose(interpolated(STEPS, 1, 4)[1][-1], [1])


def temporal_block() -> None:
    def by_hand(x: Array, K: Array, b: Array, L: Array, c: Array, S: Array, d: Array) -> Array:
        return relu(x @ S[0] + d + _convolved(_convolved(x, K, b), L, c))

    _compare(["TemporalBlock", UNITS, 3, 2, True], _random((SERIES, STEPS, CHANNELS)), by_hand)


def _convolved(x: Array, K: Array, b: Array) -> Array:
    outputs = np.zeros((*x.shape[:2], len(b)))
    for t in range(x.shape[1]):
        for place, lag in enumerate((4, 2, 0)):
            if t >= lag:
                outputs[:, t] += x[:, t - lag] @ K[place]
    return relu(outputs + b)


def patches() -> None:
    def by_hand(x: Array) -> Array:
        longer = np.concatenate([x, x[:, -1:], x[:, -1:]], axis=1)
        return np.stack([longer[:, start : start + 4] for start in (0, 2, 4, 6)], axis=1)

    _compare(["Patches", 4, 2], _rows(), by_hand)


def positions() -> None:
    _compare(["Positions"], _random((SERIES, 5, UNITS)), lambda x, places: x + places)


def encoder() -> None:
    """Two heads of two units each, head by head."""

    def by_hand(x: Array, P: Array, p: Array, M: Array, m: Array, W: Array, w: Array, V: Array, v: Array,
                g1: Array, h1: Array, g2: Array, h2: Array) -> Array:  # fmt: skip
        q, k, values = np.split(x @ P + p, 3, axis=-1)
        heads = []
        for head in (slice(0, 2), slice(2, 4)):
            weights = softmax(q[..., head] @ k[..., head].swapaxes(1, 2) / np.sqrt(2))
            heads.append(weights @ values[..., head])
        x = layer_norm(x + np.concatenate(heads, axis=-1) @ M + m, g1, h1)
        return layer_norm(x + _gelu(x @ W + w) @ V + v, g2, h2)

    _compare(["Encoder", UNITS, 2, 6], _random((SERIES, 5, UNITS)), by_hand)


def diagonal_state_space() -> None:
    """The recurrence, step by step in complex numbers."""

    def by_hand(x: Array, dt: Array, a: Array, A_im: Array, C_re: Array, C_im: Array, D: Array, W: Array, b: Array,
                gamma: Array, beta: Array) -> Array:  # fmt: skip
        A, C, dt = -np.exp(a) + 1j * A_im, C_re + 1j * C_im, np.exp(dt)[:, None]
        kept = np.exp(dt * A)
        taken = (kept - 1) / A
        state, y = np.zeros((len(x), *A.shape), complex), np.zeros_like(x)
        for t in range(x.shape[1]):
            state = kept * state + taken * x[:, t, :, None]
            y[:, t] = 2 * np.real(np.sum(C * state, axis=-1)) + D * x[:, t]
        value, gate = np.split(_gelu(y) @ W + b, 2, axis=-1)
        return layer_norm(x + value * sigmoid(gate), gamma, beta)

    _compare(["DiagonalStateSpace", UNITS, 3], _random((SERIES, STEPS, UNITS)), by_hand)


def gated_by_the_input_alone() -> None:
    """The recurrence, step by step."""

    def by_hand(x: Array, W: Array, b: Array) -> Array:
        gate, candidate = np.split(x @ W + b, 2, axis=-1)
        z, state, states = sigmoid(gate), np.zeros((len(x), UNITS)), []
        for t in range(x.shape[1]):
            state = (1 - z[:, t]) * state + z[:, t] * candidate[:, t]
            states.append(state)
        return np.stack(states, axis=1)

    _compare(["MinGRU", UNITS], _random((SERIES, STEPS, CHANNELS)), by_hand)


def mixer() -> None:
    def by_hand(x: Array, g1: Array, h1: Array, g2: Array, h2: Array, S: Array, s: Array, W: Array, b: Array,
                V: Array, c: Array) -> Array:  # fmt: skip
        x = x.swapaxes(1, 2)
        x = x + relu(layer_norm(x, g1, h1) @ S + s)
        return x.swapaxes(1, 2) + relu(layer_norm(x, g2, h2).swapaxes(1, 2) @ W + b) @ V + c

    _compare(["Mixer", 6], _random((SERIES, STEPS, CHANNELS)), by_hand)


def decoded() -> None:
    """Encoder and decoder step by step, the decoder started by the code, and reading its own forecasts."""

    def by_hand(feed_back: bool, hand_over: bool) -> Callable[..., Array]:
        def forecasts(
            x: Array, U2: Array, W: Array, U: Array, b: Array, P: Array, p: Array, V: Array, c: Array
        ) -> Array:
            code = np.zeros((SERIES, UNITS))
            for t in range(STEPS):
                code = np.tanh(x[:, t] @ W + code @ U + b)
            state, output, outputs = code if hand_over else 0 * code, x[:, -1], []
            for _ in range(HORIZON):
                seen = np.concatenate([code, output], axis=1) if feed_back else code
                state = np.tanh(seen @ P + p + state @ U2)
                output = state @ V + c
                outputs.append(output)
            return np.concatenate(outputs, axis=1)

        return forecasts

    for ways in ((True, True), (True, False), (False, True)):
        layer = ["Decoded", UNITS, HORIZON, CHANNELS, *ways]
        _compare(layer, _random((SERIES, STEPS, CHANNELS)), by_hand(*ways))


def a_convolution_of_width_one_is_dense_at_every_step() -> None:
    from bench.parity.weights import Keras, Torch

    x = _random((SERIES, STEPS, CHANNELS))
    if sys.argv[1] == "torch":
        from torch import nn

        from implementations.layers.torch import Conv1D, Dense

        convolution, dense = (Torch(nn.Sequential(one)) for one in (Conv1D(CHANNELS, UNITS, 1), Dense(CHANNELS, UNITS)))
    else:
        import keras

        convolution, dense = (
            Keras(keras.Sequential([keras.Input(x.shape[1:]), one]))
            for one in (_layer_of_keras("Conv1D", UNITS, 1), keras.layers.Dense(UNITS))
        )
    kernel, bias = _random((CHANNELS, UNITS)), _random((UNITS,))
    convolution.put([[kernel[None], bias]])
    dense.put([[kernel, bias]])
    assert convolution.outputs(x)[0].shape == (SERIES, STEPS, UNITS)
    assert_allclose(convolution.outputs(x)[0], dense.outputs(x)[0], rtol=1e-6, atol=1e-6)
    assert_allclose(dense.outputs(x)[0], x @ kernel + bias, rtol=1e-5, atol=1e-5)


def dense_encoder() -> None:
    """One residual block to the code, one from it, and one at each step ahead."""

    def block(x: Array, W: Array, b: Array, V: Array, c: Array, S: Array, d: Array, *norm: Array) -> Array:
        y = relu(x @ W + b) @ V + c + x @ S + d
        return layer_norm(y, *norm) if norm else y

    def by_hand(x: Array, *weights: Array) -> Array:
        inner = block(block(x, *weights[:8]), *weights[8:16]).reshape(SERIES, HORIZON, 2)
        return block(inner, *weights[16:22])[:, :, 0] + x @ weights[22] + weights[23]

    _compare(["DenseEncoder", HORIZON, UNITS, 1, 2], _rows(), by_hand)


def _gelu(x: Array) -> Array:
    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def _rows() -> Array:
    return _random((SERIES, STEPS))


def _random(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


def _compare(layer: list[Any], x: Array, by_hand: Callable[..., Array]) -> Array:
    """Expect of the layer with random weights what the loop makes of the same weights; its outputs."""
    from bench.parity.weights import Keras, Torch

    chain = Torch(_torch(layer, x)) if sys.argv[1] == "torch" else Keras(_keras(layer, x))
    random = np.random.default_rng(2)
    weights = [random.uniform(-0.8, 0.8, array.shape).astype("float32") for array in chain.weights()[0]]
    chain.put([weights])
    (got,) = chain.outputs(x)
    expected = by_hand(x.astype("float64"), *(weight.astype("float64") for weight in weights))
    assert_allclose(got, expected, atol=2e-5)
    return got


def _keras(layer: list[Any], x: Array) -> Any:
    import keras

    return keras.Sequential([keras.Input(x.shape[1:]), _layer_of_keras(*layer)])


def _layer_of_keras(name: str, *arguments: Any) -> Any:
    from implementations.layers import keras as layers_of_keras

    return getattr(layers_of_keras, name)(*arguments)


def _torch(layer: list[Any], x: Array) -> Any:
    """PyTorch's layers are told the widths that Keras' find out by themselves."""
    from torch import nn

    from implementations.layers import torch as layers_of_torch

    name, *arguments = layer
    if name in ("TrendAndRest", "DoublyResidual", "DenseEncoder"):
        arguments = [x.shape[1], *arguments]
    elif name == "TemporalBlock":
        arguments = [x.shape[2], *arguments[:3]]
    elif name == "MinGRU":
        arguments = [x.shape[2], *arguments]
    elif name == "Mixer":
        arguments = [*x.shape[1:], *arguments]
    elif name == "Positions":
        arguments = list(x.shape[1:])
    return nn.Sequential(getattr(layers_of_torch, name)(*arguments))

"""The layers as plain NumPy loops in float64. Sequences are [N, T, channels], weights as Keras keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray
EPSILON = 1e-3  # of both normalisations, Keras' own


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def softmax(x: Array) -> Array:
    powers = np.exp(x)
    return powers / powers.sum(axis=-1, keepdims=True)


def linear(x: Array) -> Array:
    return x


def simple_rnn(x: Array, W: Array, U: Array, b: Array, f: Callable[[Array], Array] = np.tanh) -> Array:
    """h_t = f(W x_t + U h_{t-1} + b)."""
    h, outputs = np.zeros((len(x), len(U))), []
    for t in range(x.shape[1]):
        h = f(x[:, t] @ W + h @ U + b)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def lstm(x: Array, W: Array, U: Array, b: Array, peephole: Array | None = None) -> Array:
    """Gates input, forget, candidate, output; peephole [3, units] to input, forget, output."""
    units = len(U)
    v = np.zeros((3, units)) if peephole is None else peephole
    h, c, outputs = np.zeros((len(x), units)), np.zeros((len(x), units)), []
    for t in range(x.shape[1]):
        net = x[:, t] @ W + h @ U + b
        i, f, g, o = (net[:, gate * units : (gate + 1) * units] for gate in range(4))
        c = sigmoid(f + v[1] * c) * c + sigmoid(i + v[0] * c) * np.tanh(g)
        h = sigmoid(o + v[2] * c) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def gru(x: Array, W: Array, U: Array, b: Array) -> Array:
    """Gates update, reset, candidate; biases [2, 3 units], of the inputs and of the state; the reset acts after U."""
    units, h, outputs = len(U), np.zeros((len(x), len(U))), []
    for t in range(x.shape[1]):
        from_x, from_h = x[:, t] @ W + b[0], h @ U + b[1]
        z = sigmoid(from_x[:, :units] + from_h[:, :units])
        r = sigmoid(from_x[:, units : 2 * units] + from_h[:, units : 2 * units])
        n = np.tanh(from_x[:, 2 * units :] + r * from_h[:, 2 * units :])
        h = z * h + (1 - z) * n
        outputs.append(h)
    return np.stack(outputs, axis=1)


def layer_norm(x: Array, gamma: Array, beta: Array) -> Array:
    """Over the last axis, variance biased."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def layer_norm_rnn(x: Array, W: Array, U: Array, gamma: Array, beta: Array) -> Array:
    """h_t = tanh(LN(W x_t + U h_{t-1}))."""
    return simple_rnn(x, W, U, np.zeros(len(U)), lambda net: np.tanh(layer_norm(net, gamma, beta)))


def layer_norm_rnn_as_printed(x: Array, W: Array, U: Array, b: Array, gamma: Array, beta: Array) -> Array:
    """h_t = tanh(LN(tanh(W x_t + U h_{t-1} + b)))."""
    return simple_rnn(x, W, U, b, lambda net: np.tanh(layer_norm(np.tanh(net), gamma, beta)))


def conv1d(
    x: Array, K: Array, b: Array, *, stride: int = 1, dilation: int = 1, causal: bool = False,
    f: Callable[[Array], Array] = linear,
) -> Array:  # fmt: skip
    """Kernel K [width, channels, filters]; the last output is at the newest step, the others every stride before it."""
    series, steps, _ = x.shape
    width, _, filters = K.shape
    first = 0 if causal else dilation * (width - 1)
    made_at = [t for t in range(first, steps) if (steps - 1 - t) % stride == 0]
    y = np.zeros((series, len(made_at), filters)) + b
    for place, t in enumerate(made_at):
        for k in range(width):
            seen = t - dilation * (width - 1 - k)
            if seen >= 0:
                y[:, place] += x[:, seen] @ K[k]
    return f(y)


def gated_stack(x: Array, weights: Sequence[Array], dilations: Sequence[int], tanh_twice: bool) -> Array:
    """The sum of s over blocks; weights: K, b of each gated convolution, then V, c of each mixing one."""
    blocks = len(dilations)
    gates, mixes = weights[: 2 * blocks], weights[2 * blocks :]
    filters, total = x.shape[2], np.zeros(x.shape)
    for block, dilation in enumerate(dilations):
        net = conv1d(x, *gates[2 * block : 2 * block + 2], dilation=dilation, causal=True)
        f, g = np.tanh(net[..., :filters]), sigmoid(net[..., filters:])
        s = conv1d((np.tanh(f) if tanh_twice else f) * g, *mixes[2 * block : 2 * block + 2])
        total, x = total + s, x + s
    return total


def batch_norm(x: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
    """Per channel, by this mean and variance."""
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta

"""PyTorch's layers as the methods use them, and ours, against plain NumPy loops and Keras' documented constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import loops
import numpy as np
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from implementations import initializers
from implementations.layers import torch as layers
from implementations.layers.torch import native_defaults

SERIES, STEPS, CHANNELS, UNITS = 5, 9, 3, 4


def _series(steps: int = STEPS, channels: int = CHANNELS) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((SERIES, steps, channels)).astype("float32")


def _output(layer: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return layer(torch.from_numpy(x)).numpy()


def _with_random_weights(layer: nn.Module) -> list[np.ndarray]:
    """Give every trained weight of the layer random values: they are returned as Keras keeps them, in float64."""
    random = np.random.default_rng(2)
    values = [random.uniform(-0.8, 0.8, weight.shape).astype("float32") for weight in _trained(layer)]
    for weight, value in zip(_trained(layer), values, strict=True):
        weight.data.copy_(torch.from_numpy(value))
    return [_as_in_keras(value) for value in values]


def _trained(layer: nn.Module) -> list[nn.Parameter]:
    return [weight for weight in layer.parameters() if weight.requires_grad]


def _as_in_keras(value: np.ndarray) -> np.ndarray:
    """[outputs, inputs] -> [inputs, outputs]; [filters, channels, width] -> [width, channels, filters]."""
    return value.T.astype("float64")


def _compare(layer: nn.Module, loop: Callable[..., np.ndarray], x: np.ndarray | None = None, **how: Any) -> None:
    """Expect of the layer with random weights what the loop makes of the same weights."""
    x = _series() if x is None else x
    weights = _with_random_weights(layer.eval())
    assert_allclose(_output(layer, x), loop(x.astype("float64"), *weights, **how), atol=1e-5)


def dense() -> None:
    _compare(layers.Dense(CHANNELS, UNITS), lambda x, W, b: x @ W + b)


def simple_rnn() -> None:
    _compare(layers.SimpleRNN(CHANNELS, UNITS), loops.simple_rnn)
    last = layers.SimpleRNN(CHANNELS, UNITS, return_sequences=False)
    _compare(last, lambda *given: loops.simple_rnn(*given)[:, -1])


def relu_rnn() -> None:
    layer = layers.SimpleRNN(CHANNELS, UNITS, activation="relu", identity=True)
    assert_array_equal(layer.recurrent_kernel.detach(), np.eye(UNITS))
    _compare(layer, loops.simple_rnn, f=loops.relu)


def lstm() -> None:
    _compare(layers.LSTM(CHANNELS, UNITS), loops.lstm)
    _compare(layers.Loop(layers.LSTMCell(CHANNELS, UNITS)), loops.lstm)


def gru() -> None:
    """PyTorch's gates are reset, update, candidate; Keras' are update, reset, candidate."""

    def swapped(gates: np.ndarray) -> np.ndarray:
        reset, update, candidate = np.split(gates, 3, axis=-1)
        return np.concatenate([update, reset, candidate], axis=-1)

    def loop(x: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        return loops.gru(x, swapped(W), swapped(U), swapped(np.stack([b, c])))

    _compare(layers.GRU(CHANNELS, UNITS), loop)


def advance_in_parts_equals_the_whole() -> None:
    x = _series(channels=UNITS)
    for layer in (
        layers.SimpleRNN(UNITS, UNITS), layers.GRU(UNITS, UNITS), layers.LSTM(UNITS, UNITS),
        layers.StackedLSTM(UNITS, UNITS), layers.Loop(layers.LayerNormCell(UNITS, UNITS)),
        layers.Conv1D(UNITS, UNITS, 3, causal=True, dilation=2), layers.GatedStack(UNITS, [1, 2, 4]),
    ):  # fmt: skip
        _with_random_weights(layer)
        state, parts = None, []
        with torch.no_grad():
            for part in np.split(x, [4, 5, 7], axis=1):
                outputs, state = layer.advance(torch.from_numpy(part), state)
                parts.append(outputs.numpy())
        assert_allclose(np.concatenate(parts, axis=1), _output(layer, x), atol=1e-6)


def stacked_lstm_is_two_layers() -> None:
    """Read as one layer: the same outputs and gradients, with PyTorch's second bias too, for one step and for more."""
    stacked = layers.StackedLSTM(CHANNELS, UNITS)
    _compare(stacked, lambda x, *weights: loops.lstm(loops.lstm(x, *weights[:3]), *weights[3:]))
    native_defaults.convert(stacked.layers[1].layer, one_bias=False)
    for steps in (1, STEPS):
        x = torch.from_numpy(_series(steps)).requires_grad_()
        wanted = torch.from_numpy(_series(steps, UNITS))
        results = []
        two = stacked.layers[1](stacked.layers[0](x))
        layers.StackedLSTM.large, usual = UNITS, layers.StackedLSTM.large
        torch.testing.assert_close(stacked(x), two, atol=0, rtol=0)  # large ones are read so
        layers.StackedLSTM.large = usual
        for outputs in (stacked(x), two):
            results.append([outputs, *torch.autograd.grad((outputs * wanted).sum(), [x, *_trained(stacked)])])
        assert len(results[0]) == 1 + 1 + 3 + 4
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
        last = layers.StackedLSTM(CHANNELS, UNITS, return_sequences=False)
        last.load_state_dict(stacked.state_dict())
        for outputs in (last(x), last.advance(x, None)[0]):
            torch.testing.assert_close(outputs, results[1][0][:, -1], atol=1e-6, rtol=1e-5)


def lstm_cell_in_a_loop_equals_lstm() -> None:
    whole, looped = layers.LSTM(CHANNELS, UNITS), layers.Loop(layers.LSTMCell(CHANNELS, UNITS))
    _with_random_weights(whole)
    for ours, theirs in zip(_trained(looped), _trained(whole), strict=True):
        ours.data.copy_(theirs.data)
    assert_allclose(_output(looped, _series()), _output(whole, _series()), atol=1e-6)


def layer_norm_cell() -> None:
    _compare(layers.Loop(layers.LayerNormCell(CHANNELS, UNITS)), loops.layer_norm_rnn)


def layer_norm_cell_as_printed() -> None:
    cell = layers.LayerNormCell(CHANNELS, UNITS, normalise="output")
    _compare(layers.Loop(cell), loops.layer_norm_rnn_as_printed)


def peephole_lstm() -> None:
    layer = layers.PeepholeLSTM(CHANNELS, UNITS)
    x, (W, U, b, peephole) = _series(), _with_random_weights(layer)
    assert_allclose(_output(layer, x), loops.lstm(x.astype("float64"), W, U, b, peephole.T), atol=1e-5)


def peephole_lstm_starts_as_lstm() -> None:
    layer, x = layers.PeepholeLSTM(CHANNELS, UNITS), _series()
    assert_array_equal(layer.peephole.detach(), np.zeros((3, UNITS)))
    W, U, b = (_as_in_keras(weight.detach().numpy()) for weight in (layer.kernel, layer.recurrent_kernel, layer.bias))
    assert_allclose(_output(layer, x), loops.lstm(x.astype("float64"), W, U, b), atol=1e-5)


def dropout_rnn_in_inference() -> None:
    _compare(layers.DropoutRNN(CHANNELS, UNITS, 0.5, 0.5), loops.simple_rnn)


def dropout_rnn_drops_inputs_at_each_step_anew() -> None:
    """W = 1, U = 0: the output of ones is tanh of the mask, 0 or 1 / (1 - 0.2)."""
    torch.manual_seed(6)
    layer, x = _set(layers.DropoutRNN(1, 1, 0.2, 0.0), kernel=1, recurrent_kernel=0, bias=0), np.ones((20, 50, 1), "f4")
    outputs = _output(layer.train(), x)
    kept = outputs > 0
    assert_allclose(outputs[kept], np.tanh(1 / 0.8), atol=1e-6)
    assert 0.75 < kept.mean() < 0.85 and (kept.sum(axis=1) < 50).all() and (kept.sum(axis=0) < 20).any()


def dropout_rnn_drops_the_state_at_each_step_anew() -> None:
    """W = 0, U = 1, b = 1: the output is tanh(1) where the state was dropped, else tanh(1 + h / (1 - 0.2))."""
    torch.manual_seed(6)
    layer, x = _set(layers.DropoutRNN(1, 1, 0.0, 0.2), kernel=0, recurrent_kernel=1, bias=1), np.ones((20, 50, 1), "f4")
    h = _output(layer.train(), x)
    dropped = np.isclose(h[:, 1:], np.tanh(1.0), atol=1e-5)
    assert_allclose(h[:, 1:][~dropped], np.tanh(1 + h[:, :-1] / 0.8)[~dropped], atol=1e-5)
    assert 0.15 < dropped.mean() < 0.25 and (dropped.sum(axis=1) > 0).all()


def _set(layer: nn.Module, **values: float) -> nn.Module:
    for name, value in values.items():
        nn.init.constant_(layer.get_parameter(name), value)
    return layer


def batch_normalization_in_training() -> None:
    layer, x = layers.BatchNormalization(CHANNELS), _series()
    gamma, beta, mean, variance = _set_batch_normalization(layer)
    got = _output(layer.train(), x)
    batch_mean, batch_variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
    assert_allclose(got, loops.batch_norm(x, gamma, beta, batch_mean, batch_variance), atol=1e-5)
    assert_allclose(layer.moving_mean, 0.99 * mean + 0.01 * batch_mean, atol=1e-6)
    assert_allclose(layer.moving_variance, 0.99 * variance + 0.01 * batch_variance, atol=1e-6)


def batch_normalization_in_inference() -> None:
    layer, x = layers.BatchNormalization(CHANNELS), _series()
    weights = _set_batch_normalization(layer)
    assert_allclose(_output(layer.eval(), x), loops.batch_norm(x.astype("float64"), *weights), atol=1e-5)
    assert_array_equal(list(layer.state_dict().values()), weights)


def _set_batch_normalization(layer: nn.Module) -> np.ndarray:
    """Random gamma, beta, moving mean and moving variance, [4, CHANNELS]."""
    values = (0.5 + np.random.default_rng(3).uniform(0, 1, (4, CHANNELS))).astype("float32")
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    layer.load_state_dict({name: torch.tensor(value) for name, value in zip(names, values, strict=True)})
    return values


def conv1d() -> None:
    for steps in (4, STEPS, STEPS + 1):
        x = _series(steps)
        _compare(layers.Conv1D(CHANNELS, UNITS, 4), loops.conv1d, x)
        _compare(layers.Conv1D(CHANNELS, UNITS, 1, activation="softmax"), loops.conv1d, x, f=loops.softmax)


def conv1d_causal_and_dilated() -> None:
    for dilation in (1, 2, 8):
        layer = layers.Conv1D(CHANNELS, UNITS, 2, dilation=dilation, causal=True, activation="relu")
        _compare(layer, loops.conv1d, dilation=dilation, causal=True, f=loops.relu)
    _compare(layers.Conv1D(CHANNELS, UNITS, 3, dilation=2), loops.conv1d, dilation=2)


def conv1d_strided() -> None:
    for steps in (4, 5, STEPS, STEPS + 1):
        _compare(layers.Conv1D(CHANNELS, UNITS, 4, stride=2), loops.conv1d, _series(steps), stride=2)
        causal = layers.Conv1D(CHANNELS, UNITS, 2, stride=3, causal=True)
        _compare(causal, loops.conv1d, _series(steps), stride=3, causal=True)


def gated_stack() -> None:
    _gated_stack(tanh_twice=False)


def gated_stack_as_printed() -> None:
    _gated_stack(tanh_twice=True)


def _gated_stack(tanh_twice: bool) -> None:
    dilations = [1, 2, 4, 1, 2]
    layer, x = layers.GatedStack(UNITS, dilations, tanh_twice), _series(channels=UNITS)
    weights = _with_random_weights(layer)
    expected = loops.gated_stack(x.astype("float64"), weights, dilations, tanh_twice)
    assert_allclose(_output(layer, x), expected, atol=1e-5)


def repeat_vector() -> None:
    codes = _series()[:, 0]
    assert_array_equal(_output(layers.RepeatVector(4), codes), np.stack([codes] * 4, axis=1))


def initial_biases_of_lstm() -> None:
    zero, one = np.zeros(UNITS), np.ones(UNITS)
    for bias in (
        layers.LSTM(CHANNELS, UNITS).layer.bias_ih_l0,
        layers.LSTMCell(CHANNELS, UNITS).bias,
        layers.PeepholeLSTM(CHANNELS, UNITS).bias,
    ):
        assert_array_equal(bias.detach(), np.r_[zero, one, zero, zero])
    patient = layers.LSTM(CHANNELS, UNITS, forget_bias=2.0)
    assert_array_equal(patient.layer.bias_ih_l0.detach(), np.r_[zero, 2 * one, zero, zero])


@initializers.drawn_from(5)
def initial_weights() -> None:
    """Those that Keras documents: its own layers are held to the same."""
    channels, units = 30, 40
    for layer, gates in _recurrent_layers(channels, units):
        W, U = (_as_in_keras(weight.detach().numpy()) for weight in _trained(layer)[:2])
        assert W.shape == (channels, gates * units)
        _expect_uniform(W, np.sqrt(6 / (channels + gates * units)))
        assert_allclose(U @ U.T, np.eye(units), atol=1e-5)
    for layer, inputs in ((layers.Dense(channels, units), channels), (layers.Conv1D(channels, units, 2), 2 * channels)):
        weight, bias = _trained(layer)
        _expect_uniform(weight.detach().numpy(), np.sqrt(6 / (inputs + units * (inputs // channels))))
        assert_array_equal(bias.detach(), np.zeros(units))


def initial_biases() -> None:
    """Zero, but for the forget gates."""
    for layer in (
        layers.Dense(CHANNELS, UNITS),
        layers.SimpleRNN(CHANNELS, UNITS),
        layers.GRU(CHANNELS, UNITS),
        layers.LayerNormCell(CHANNELS, UNITS, normalise="output"),
        layers.DropoutRNN(CHANNELS, UNITS, 0.1, 0.1),
    ):
        biases = [weight for name, weight in layer.named_parameters() if "bias" in name and "norm" not in name]
        assert biases
        for bias in biases:
            assert_array_equal(bias.detach(), np.zeros_like(bias.detach()))


def one_bias_learns_where_keras_has_one() -> None:
    layer = layers.LSTM(CHANNELS, UNITS)
    assert len(_trained(layer)) == len(_trained(layers.SimpleRNN(CHANNELS, UNITS))) == 3
    assert not layer.layer.bias_hh_l0.requires_grad
    assert_array_equal(layer.layer.bias_hh_l0, np.zeros_like(layer.layer.bias_hh_l0))
    assert len(_trained(layers.GRU(CHANNELS, UNITS))) == 4


def constants() -> None:
    normalization = layers.BatchNormalization(CHANNELS)
    assert (normalization.momentum, normalization.epsilon) == (0.99, loops.EPSILON)
    assert layers.LayerNormCell(CHANNELS, UNITS).norm.eps == loops.EPSILON
    assert_array_equal(list(normalization.state_dict().values()), [[1] * 3, [0] * 3, [0] * 3, [1] * 3])


def _recurrent_layers(channels: int, units: int) -> list[tuple[nn.Module, int]]:
    """A recurrent layer of each kind, with its number of gates."""
    return [
        (layers.SimpleRNN(channels, units), 1),
        (layers.GRU(channels, units), 3),
        (layers.LSTM(channels, units), 4),
        (layers.LSTMCell(channels, units), 4),
        (layers.LayerNormCell(channels, units), 1),
        (layers.PeepholeLSTM(channels, units), 4),
        (layers.DropoutRNN(channels, units, 0.1, 0.1), 1),
    ]


def _expect_uniform(values: np.ndarray, bound: float) -> None:
    """Expect values that fill the interval from -bound to bound evenly."""
    assert -bound <= values.min() < -0.99 * bound and 0.99 * bound < values.max() <= bound
    assert_allclose(values.std(), bound / np.sqrt(3), rtol=0.05)

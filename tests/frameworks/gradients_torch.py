"""The gradients that we wrote by hand, against finite differences and PyTorch's own layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from implementations.layers import torch as layers

SERIES, STEPS, CHANNELS, UNITS = 5, 9, 3, 4


def _is_true(layer: Any) -> None:
    """Expect the gradient of x and of all weights to be that of finite differences, in float64."""
    layer = _random(layer).double()
    names, weights = zip(*layer.named_parameters(), strict=True)
    x = torch.randn(SERIES, STEPS, CHANNELS, dtype=torch.float64, requires_grad=True)

    def function(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), x)

    assert torch.autograd.gradcheck(function, (x, *weights), atol=1e-6)


def _equals(ours: Any, theirs: Any, biases: tuple[str, ...]) -> None:
    """Expect the same outputs and gradients, in float32, of both layers with the same weights."""
    _random(ours)
    nn.init.zeros_(theirs.bias_hh_l0)
    names = ("weight_ih_l0", "weight_hh_l0", *biases)
    with torch.no_grad():
        for name, weight in zip(names, ours.parameters(), strict=True):
            theirs.get_parameter(name).copy_(weight)
    x, d_outputs = torch.randn(SERIES, STEPS, CHANNELS), torch.randn(SERIES, STEPS, UNITS)
    answers = []
    for layer, weights in ((ours, list(ours.parameters())), (theirs, [theirs.get_parameter(name) for name in names])):
        seen = x.clone().requires_grad_()
        outputs = layer(seen)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        answers.append([outputs, *torch.autograd.grad(outputs, [seen, *weights], d_outputs)])
    for own, expected in zip(*answers, strict=True):
        torch.testing.assert_close(own, expected, atol=1e-6, rtol=1e-5)


def _random(layer: Any) -> Any:
    torch.manual_seed(4)
    for weight in layer.parameters():
        nn.init.uniform_(weight, -0.8, 0.8)
    return layer


def simple_rnn() -> None:
    for activation in ("tanh", "relu"):
        for all_steps in (True, False):
            _is_true(layers.SimpleRNN(CHANNELS, UNITS, activation=activation, return_sequences=all_steps))
        theirs = nn.RNN(CHANNELS, UNITS, nonlinearity=activation, batch_first=True)
        _equals(layers.SimpleRNN(CHANNELS, UNITS, activation=activation), theirs, ("bias_ih_l0",))


def gru() -> None:
    for all_steps in (True, False):
        _is_true(layers.GRU(CHANNELS, UNITS, return_sequences=all_steps))
    theirs = nn.GRU(CHANNELS, UNITS, batch_first=True)
    _equals(layers.GRU(CHANNELS, UNITS), theirs, ("bias_ih_l0", "bias_hh_l0"))


def pytorchs_own_kernels_equal_ours() -> None:
    """Outputs, state and gradients, in evaluation and in training: which one is taken is a matter of speed."""
    for make in (layers.GRU, layers.SimpleRNN, lambda *size: layers.SimpleRNN(*size, activation="relu")):
        layer, found = _random(make(CHANNELS, UNITS)), []
        x, d_outputs = torch.randn(SERIES, STEPS, CHANNELS), torch.randn(SERIES, STEPS, UNITS)
        for own in (False, True):
            layer.takes_own_kernel = lambda *_, own=own: own
            seen = x.clone().requires_grad_()
            outputs, state = layer.advance(seen, None)
            gradients = torch.autograd.grad(outputs, [seen, *layer.parameters()], d_outputs)
            later = layer.advance(x[:, :2], state)[0]
            found.append([outputs, state, later, layer.eval()(x), *gradients])
            layer.train()
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def which_kernel_is_taken_goes_by_device_and_size() -> None:
    for layer in (layers.GRU, layers.SimpleRNN):
        assert layer.takes_own_kernel("cuda", 20) and not layer.takes_own_kernel("cpu", 20)
    assert layers.GRU.takes_own_kernel("cpu", 128) and not layers.GRU.takes_own_kernel("cpu", 64)
    assert layers.SimpleRNN.takes_own_kernel("cpu", 256) and not layers.SimpleRNN.takes_own_kernel("cpu", 128, 32)
    assert layers.SimpleRNN.takes_own_kernel("cpu", 64, 512) and layers.StackedLSTM.takes_own_kernel("cpu", 20, 128)
    for layer in (layers.GRU, layers.SimpleRNN, layers.StackedLSTM):  # the benchmark's own size, and any forecast of it
        assert not layer.takes_own_kernel("cpu", 20, 32) and not layer.takes_own_kernel("cpu", 20)


def peephole_lstm() -> None:
    _is_true(layers.PeepholeLSTM(CHANNELS, UNITS))


def a_layer_used_twice_before_its_gradient() -> None:
    """Each use keeps its own states: the gradient of a sum is the sum of gradients."""
    for layer in (layer(CHANNELS, UNITS) for layer in (layers.SimpleRNN, layers.GRU, layers.PeepholeLSTM)):
        weights, (x, y) = list(_random(layer).parameters()), torch.randn(2, SERIES, STEPS, CHANNELS)
        together = torch.autograd.grad(layer(x).sum() + layer(y).sum(), weights)
        apart = [torch.autograd.grad(layer(one).sum(), weights) for one in (x, y)]
        for both, one, other in zip(together, *apart, strict=True):
            torch.testing.assert_close(both, one + other, atol=1e-5, rtol=1e-5)

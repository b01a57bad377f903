"""Where PyTorch's defaults differ from Keras': equal as a rule, PyTorch's own in a native network."""

from __future__ import annotations

import tempfile
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import implementations
from implementations import METHODS, backends, backends_of
from implementations import framework_defaults as defaults

STEPS, CHANNELS, HORIZON = 16, 2, 3


def _built(method: str, native: bool, **settings: Any) -> Any:
    forecaster = implementations.make(method, "torch", 1, native=native, **settings)
    forecaster.build(backends.load("torch"), STEPS, CHANNELS, HORIZON)
    return forecaster.network


def _uniform(weight: torch.Tensor, bound: float) -> bool:
    """Whether the numbers fill the interval, and no more."""
    return 0.5 * bound < float(weight.detach().abs().max()) <= bound


def dense_layers() -> None:
    dense, own = (_built("linear", native)[1] for native in (False, True))
    inputs, outputs = STEPS * CHANNELS, HORIZON * CHANNELS
    assert _uniform(dense.weight, sqrt(6 / (inputs + outputs))) and not dense.bias.any()
    assert _uniform(own.weight, 1 / sqrt(inputs)) and _uniform(own.bias, 1 / sqrt(inputs))


def convolutions() -> None:
    conv, own = (_built("conv_gru", native)[0] for native in (False, True))
    assert _uniform(conv.kernel, sqrt(6 / (4 * (CHANNELS + 20)))) and not conv.bias.any()
    assert _uniform(own.kernel, 1 / sqrt(4 * CHANNELS)) and _uniform(own.bias, 1 / sqrt(4 * CHANNELS))


def recurrent_kernels() -> None:
    for method in ("rnn_sequence", "gru", "lstm_cell"):
        for native in (False, True):
            layer = _built(method, native)[0]
            cell = getattr(layer, "cell", layer)
            U = cell.recurrent_kernel.detach()
            product = U.T @ U if len(U) > 20 else U @ U.T
            assert torch.allclose(product, torch.eye(20), atol=1e-5) != native
            assert _uniform(cell.kernel, 1 / sqrt(20)) == native
    assert torch.equal(_built("relu_rnn", native=True)[0].recurrent_kernel, torch.eye(20)), "the method's own choice"


def the_second_bias() -> None:
    """Frozen at zero, or not there; PyTorch's own learns."""
    for native in (False, True):
        layer = _built("lstm", native)[0].layers[0].layer
        assert layer.bias_hh_l0.requires_grad == native and layer.bias_hh_l0.any() == native
    for method in ("rnn_sequence", "lstm_cell"):
        one, two = ([w for w in _built(method, native)[0].parameters() if w.ndim == 1] for native in (False, True))
        assert (len(one), len(two)) == (1, 2) and one[0].shape == two[1].shape
        assert not torch.equal(two[0], two[1])
    assert len(list(_built("rtrl_rnn", native=True).parameters())) == 5, "its gradient rule knows one bias"


def the_forget_gate() -> None:
    gate = slice(20, 40)
    for method in ("lstm", "lstm_cell"):
        for native in (False, True):
            layer = _built(method, native)[0]
            bias = layer.layers[0].layer.bias_ih_l0 if method == "lstm" else layer.cell.bias
            assert torch.equal(bias[gate], torch.ones(20)) != native
    layer = _built("lstm_forget_bias_2", native=True)[0].layers[0].layer
    assert torch.equal((layer.bias_ih_l0 + layer.bias_hh_l0)[gate], torch.full((20,), 2.0)), "the method's own choice"


def batch_normalization() -> None:
    """Against PyTorch's layer, and against Keras' constants."""
    x = torch.randn(6, STEPS, 20, generator=torch.Generator().manual_seed(1))
    theirs, own, ours = nn.BatchNorm1d(20), _built("batch_norm_rnn", True)[1], _built("batch_norm_rnn", False)[1]
    expected = theirs(x.mT).mT
    torch.testing.assert_close(own(x), expected)
    torch.testing.assert_close(own.moving_variance, theirs.running_var)
    torch.testing.assert_close(own.moving_mean, theirs.running_mean)
    for layer in (theirs, own):
        layer.eval()
    torch.testing.assert_close(own(x), theirs(x.mT).mT)
    ours(x)
    torch.testing.assert_close(ours.moving_variance, 0.99 + 0.01 * x.var(dim=(0, 1), correction=0))
    assert ours.epsilon == 1e-3


def layer_normalization() -> None:
    for native, epsilon in ((False, 1e-3), (True, 1e-5), (True, nn.LayerNorm(2).eps)):
        norms = [one for one in _built("layer_norm_rnn", native).modules() if isinstance(one, nn.LayerNorm)]
        assert [norm.eps for norm in norms] == [epsilon] * 2


def adam() -> None:
    """Two steps of native training, from gradients as small as epsilon, are those of PyTorch's optimiser."""
    random = np.random.default_rng(0)
    history, future = (
        1e-4 * random.standard_normal((8, steps, CHANNELS)).astype("float32") for steps in (STEPS, HORIZON)
    )
    forecaster = implementations.make("linear", "torch", 1, native=True, epochs=2, batch_size=8)
    start = _built("linear", native=True)
    assert all(torch.equal(*pair) for pair in zip(start.parameters(), _built("linear", True).parameters(), strict=True))
    optimizer = torch.optim.Adam(start.parameters(), 0.001)
    assert optimizer.defaults["eps"] == defaults.TORCH_ADAM_EPSILON
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.mse_loss(start(torch.tensor(history)), torch.tensor(future.reshape(8, -1))).backward()
        optimizer.step()
    forecaster.fit(history, future)
    for got, weight in zip(forecaster.weights(), start.parameters(), strict=True):
        np.testing.assert_allclose(got, weight.detach().numpy(), atol=2e-6)


def validation_errors_weigh_every_series_the_same() -> None:
    """Over the whole array, whatever the size of a last batch."""
    random = np.random.default_rng(0)
    windows = [random.standard_normal((1037, steps, CHANNELS)).astype("float32") for steps in (STEPS, HORIZON)]
    windows[1][1000:] += 9
    forecaster = implementations.make("linear", "torch", 1, epochs=1)
    forecaster.fit(windows[0][:64], windows[1][:64], (windows[0], windows[1]))
    errors = (forecaster.predict_ahead(windows[0], HORIZON).astype("float64") - windows[1]) ** 2
    np.testing.assert_allclose(forecaster.curve["val_loss"], errors.mean(), rtol=1e-9)


def native_networks_train_and_load() -> None:
    random = np.random.default_rng(0)
    history, future = (random.standard_normal((9, steps, CHANNELS)).astype("float32") for steps in (STEPS, HORIZON))
    for method in METHODS:
        if len(backends_of(method)) > 1:
            fitted = implementations.make(method, "torch", 1, native=True, epochs=1).fit(history, future)
            with tempfile.TemporaryDirectory() as folder:
                fitted.save(Path(folder))
                loaded = implementations.load(Path(folder))
            got, expected = (one.predict_ahead(history, 4) for one in (loaded, fitted))
            assert np.array_equal(got, expected), method

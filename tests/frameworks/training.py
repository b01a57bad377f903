"""Training against plain NumPy, on the backend named on the command line."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from implementations import backends, load, make
from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput, roll_out

SERIES, STEPS, HORIZON, CHANNELS = 70, 6, 2, 2
BATCH = 32  # so that an epoch's last batch has 6 series


def sgd() -> None:
    _compare_with_numpy(optimizer="sgd", learning_rate=0.1)


def adam() -> None:
    _compare_with_numpy(optimizer="adam", learning_rate=0.01)


def adam_of_tiny_gradients() -> None:
    """Gradients as small as epsilon tell whether it is added before or after the bias correction."""
    _compare_with_numpy(optimizer="adam", learning_rate=0.01, scale=1e-3)


def clipping_by_norm() -> None:
    _compare_with_numpy(optimizer="sgd", learning_rate=0.1, clip_norm=0.3)


def clipping_by_value() -> None:
    _compare_with_numpy(optimizer="sgd", learning_rate=0.1, clip_value=0.05)


def penalty_l1() -> None:
    _compare_with_numpy(optimizer="sgd", learning_rate=0.1, l1=0.02)


def penalty_l2() -> None:
    _compare_with_numpy(optimizer="sgd", learning_rate=0.1, l2=0.05)


def diverging_training_is_named() -> None:
    forecaster = make("linear", _backend(), 1, optimizer="sgd", learning_rate=1e30, epochs=4)
    try:
        forecaster.fit(*_windows())
    except FloatingPointError as error:
        assert " in epoch 1 of 4" in str(error) or " in epoch 2 of 4" in str(error), error
        assert str(error).startswith("loss became "), error
    else:
        raise AssertionError("got no FloatingPointError")


def a_pickle_in_place_of_the_network_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, sprung = Path(name), Path(name) / "sprung"
        make("linear", _backend(), 1, epochs=1).fit(*_windows()).save(folder)
        (network,) = set(folder.iterdir()) - {folder / "forecaster.json"}
        assert load(folder).parameters() > 0
        network.write_bytes(pickle.dumps(_Trap(sprung)))
        try:
            load(folder)
        except Exception as error:
            refused = type(error).__name__
        assert refused and not sprung.exists()


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def batch_normalization_sees_the_last_batch_alone() -> None:
    """The moving mean after an epoch is that of the true batches, the last of 6 series, not of 32 with absent ones."""
    history, future = _windows()
    forecaster = Normalised(backend=_backend(), epochs=1, batch_size=BATCH, name="normalised").fit(history, future)
    mean, variance = np.zeros(CHANNELS), np.ones(CHANNELS)
    for batch in _batches(np.random.default_rng(forecaster.seed).permutation(SERIES)):
        mean = 0.99 * mean + 0.01 * history[batch].mean(axis=(0, 1))
        variance = 0.99 * variance + 0.01 * history[batch].var(axis=(0, 1))
    moved = [weight for weight in forecaster.weights() if weight.shape == (CHANNELS,)][2:]
    assert_allclose(moved, [mean, variance], atol=1e-6)


def rtrl_gradient_is_that_of_back_propagation() -> None:
    history, future = _windows()
    forecaster = make("rtrl_rnn", _backend(), 3, units=5)
    forecaster.build(backends.load(_backend()), STEPS, CHANNELS, HORIZON)  # type: ignore[attr-defined]
    targets = forecaster.strategy.targets(history, future)  # type: ignore[attr-defined]
    loss, gradients = _by_sensitivities(forecaster, history, targets)
    true_loss, true_gradients = _by_back_propagation(forecaster, history, targets)
    assert_allclose(loss, true_loss, rtol=1e-5)
    assert len(gradients) == len(true_gradients) == 5
    for got, expected in zip(gradients, true_gradients, strict=True):
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def rolling_on_with_a_state_equals_reading_again() -> None:
    history, future = _windows()
    for method, settings in (
        ("deep_rnn_growing", {}), ("wavenet", {"layers": 2}), ("wavenet", {"layers": 3}), ("lstm", {}),
    ):  # fmt: skip
        forecaster: Any = make(method, _backend(), 3, epochs=1, **settings).fit(history, future)
        # three layers of a WaveNet see 8 earlier steps, and the LSTM all: more than the window of 6 holds
        assert (forecaster._advance is not None) == (method == "deep_rnn_growing" or settings == {"layers": 2})
        growing = forecaster.strategy.growing
        steps = 4 if growing else 7  # each length of a growing window is another program to compile
        again = roll_out(forecaster._forecast_block, history, steps, growing)
        assert_allclose(forecaster.predict_ahead(history, steps), again, atol=1e-6)


def a_longer_history_than_that_of_training_is_read_in_full_by_a_growing_window() -> None:
    history, future = _windows()
    forecaster = make("deep_rnn_growing", _backend(), 3, epochs=1).fit(history, future)
    whole = np.concatenate([history, history], axis=1)
    assert_allclose(forecaster.predict_ahead(whole, 2)[:, :1], forecaster.predict_ahead(whole, 1), atol=1e-6)
    assert np.abs(forecaster.predict_ahead(whole, 2) - forecaster.predict_ahead(history, 2)).max() > 1e-4


def validation_compiles_nothing_after_the_first_epoch() -> None:
    """Counted are the calls that are traced, and so compiled: as many in three epochs as in one."""
    if _backend() == "torch":
        return
    from implementations.backends.keras import engine

    compiled, counts = engine.framework.compiled, []
    for epochs in (1, 3):
        traced: list[int] = []

        def counted(network: Any, call: Any, traced: list[int] = traced) -> Any:
            return compiled(network, lambda *given: (traced.append(1), call(*given))[1])

        engine.framework.compiled = counted  # type: ignore[method-assign]
        try:
            make("linear", _backend(), 1, epochs=epochs).fit(*_windows(), validation=_windows())
        finally:
            engine.framework.compiled = compiled  # type: ignore[method-assign]
        counts.append(len(traced))
    assert counts[0] == counts[1] > 0, counts


class Normalised(NetworkForecaster):
    """Batch normalisation of the history itself, then a linear layer."""

    strategy = MultiOutput()
    mixes_series = True

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        layers = keras.layers
        return keras.Sequential([layers.BatchNormalization(), layers.Flatten(), layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import BatchNormalization, Dense

        return nn.Sequential(BatchNormalization(channels), nn.Flatten(), Dense(self.steps * channels, outputs))


def _backend() -> str:
    return sys.argv[1]


def _windows(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """History [70, 6, 2] and future [70, 2, 2], float32."""
    values = scale * np.random.default_rng(0).standard_normal((SERIES, STEPS + HORIZON, CHANNELS))
    series = values.astype("float32")
    return series[:, :STEPS].copy(), series[:, STEPS:].copy()


def _batches(order: np.ndarray) -> list[np.ndarray]:
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def _compare_with_numpy(scale: float = 1.0, **settings: Any) -> None:
    """Two epochs of `linear`, six steps, have the weights and the losses of the same in plain NumPy."""
    history, future = _windows(scale)
    forecaster = make("linear", _backend(), 1, epochs=2, batch_size=BATCH, **settings)
    W, b = _first_weights(forecaster)
    losses = []
    optimizer = _Optimizer(settings["optimizer"], settings["learning_rate"])
    random = np.random.default_rng(forecaster.seed)
    x, y = (array.astype("float64").reshape(SERIES, -1) for array in (history, future))
    for _ in range(2):
        total = 0.0
        for batch in _batches(random.permutation(SERIES)):
            error = x[batch] @ W + b - y[batch]
            total += np.mean(error**2) * len(batch)
            d_error = 2 * error / error.size
            d_W = x[batch].T @ d_error + settings.get("l1", 0) * np.sign(W) + 2 * settings.get("l2", 0) * W
            W, b = optimizer.step([W, b], _clipped([d_W, d_error.sum(axis=0)], settings))
        losses.append(total / SERIES)
    before = _first_weights(forecaster)
    forecaster.fit(history, future)
    after = _weights(forecaster)
    for name, got, expected, start in zip("Wb", after, (W, b), before, strict=True):
        assert np.abs(expected - start).max() > 1e-3, f"{name} hardly moved"
        assert_allclose(got, expected, rtol=0, atol=2e-6, err_msg=name)
    assert_allclose(forecaster.curve["loss"], losses, rtol=1e-4)  # 1 - 0.999 in float32 is off by 5e-5


class _Optimizer:
    """SGD, and Adam as Keras documents it: epsilon 1e-7 joins the root before the bias correction."""

    def __init__(self, name: str, learning_rate: float) -> None:
        self.name, self.learning_rate, self.steps = name, learning_rate, 0
        self.m: list[Any] = [0.0, 0.0]
        self.v: list[Any] = [0.0, 0.0]

    def step(self, weights: list[np.ndarray], gradients: list[np.ndarray]) -> list[np.ndarray]:
        if self.name == "sgd":
            return [weight - self.learning_rate * g for weight, g in zip(weights, gradients, strict=True)]
        self.steps += 1
        rate = self.learning_rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        self.m = [0.9 * m + 0.1 * g for m, g in zip(self.m, gradients, strict=True)]
        self.v = [0.999 * v + 0.001 * g * g for v, g in zip(self.v, gradients, strict=True)]
        return [w - rate * m / (np.sqrt(v) + 1e-7) for w, m, v in zip(weights, self.m, self.v, strict=True)]


def _clipped(gradients: list[np.ndarray], settings: dict[str, Any]) -> list[np.ndarray]:
    norm, value = settings.get("clip_norm"), settings.get("clip_value")
    if norm:
        length = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
        assert length > norm, "the bound must bite"
        gradients = [gradient * min(1, norm / length) for gradient in gradients]
    if value:
        assert max(np.abs(gradient).max() for gradient in gradients) > value, "the bound must bite"
        gradients = [np.clip(gradient, -value, value) for gradient in gradients]
    return gradients


def _first_weights(forecaster: Any) -> list[np.ndarray]:
    """The weights that a fit starts from, in float64, as Keras keeps them."""
    forecaster.build(backends.load(_backend()), STEPS, CHANNELS, HORIZON)
    return _weights(forecaster)


def _weights(forecaster: Any) -> list[np.ndarray]:
    return [_as_in_keras(weight).astype("float64") for weight in forecaster.weights()]


def _as_in_keras(matrix: np.ndarray) -> np.ndarray:
    return matrix.T if _backend() == "torch" else matrix


def _by_sensitivities(forecaster: Any, history: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The loss and gradients that training uses."""
    trainer = backends.load(_backend()).Trainer(forecaster.network, forecaster, history, targets)
    if _backend() == "torch":
        loss = trainer._differentiate(trainer.inputs, trainer.targets)
        return loss.item(), [weight.grad.numpy() for weight in trainer.weights]
    from keras import ops

    rule = trainer.rule
    weights = [ops.convert_to_tensor(variable) for variable in forecaster.network.trainable_variables]
    loss, gradients = rule(weights, trainer.inputs, trainer.targets, ops.ones(len(history)))
    return float(loss), [ops.convert_to_numpy(gradient) for gradient in gradients]


def _by_back_propagation(forecaster: Any, history: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The loss and gradients of the same network by the framework's own differentiation."""
    how = {"keras": _by_tensorflow, "keras-jax": _by_jax, "torch": _by_torch}[_backend()]
    return how(forecaster.network, history, targets)


def _by_tensorflow(network: Any, history: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network(history, training=True) - targets))
    gradients = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
    return float(loss), [gradient.numpy() for gradient in gradients]


def _by_jax(network: Any, history: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
    import jax

    untrained = [variable.value for variable in network.non_trainable_variables]

    def loss(weights: list[Any]) -> Any:
        outputs, _ = network.stateless_call(weights, untrained, history, training=True)
        return jax.numpy.mean((outputs - targets) ** 2)

    value, gradients = jax.value_and_grad(loss)([variable.value for variable in network.trainable_variables])
    return float(value), [np.asarray(gradient) for gradient in gradients]


def _by_torch(network: Any, history: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
    import torch

    loss = torch.nn.functional.mse_loss(network(torch.from_numpy(history)), torch.from_numpy(targets))
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    return loss.item(), [gradient.numpy() for gradient in torch.autograd.grad(loss, trained)]

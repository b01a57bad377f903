"""Settings of single methods, and what their networks learn, on the backend named on the command line."""

from __future__ import annotations

import shutil
import sys
import tempfile
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from bench.data.calendar import ROWS
from bench.data.series import Series, SeriesSet
from bench.errors import UsageError
from bench.execution.provenance import closure
from bench.forecasting import model, train
from bench.forecasting.predictor import Training
from bench.machine.environment import ROOT
from bench.schema.record import Spec
from bench.schema.series import Preparation
from implementations import METHODS, backends, load, make
from implementations.registry import Network

STEPS, HORIZON = 20, 5


def the_interpretable_basis_of_nbeats_learns() -> None:
    """From the first epoch on: with a time that runs far beyond 1, t^3 blows its forecasts up."""
    made = _make("nbeats", basis="interpretable", epochs=8).fit(*_waves(256))
    losses = made.curve["loss"]
    assert losses[0] < 1, losses
    assert losses[-1] < 0.5 * losses[0], losses


def nbeats_takes_no_level_off() -> None:
    """A series at another level is another one to it."""
    history, _ = _waves(4)
    made = _built("nbeats", blocks=1, layers=1, units=4)
    moved = made.predict_ahead(history + 8, HORIZON) - made.predict_ahead(history, HORIZON) - 8
    assert np.abs(moved).max() > 0.1, moved


def a_kept_model_of_another_network_is_refused() -> None:
    """The file of a network with other weights, of the same shapes, in place of the one that was kept."""
    values = np.sin(np.arange(60.0))[:, None]
    found = SeriesSet("waves", ("y",), ROWS, [Series("", values, np.zeros(values.shape, dtype=bool), 0)])
    how = Preparation(file="waves", history=10, ahead=2, season=None)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        for seed, place in ((1, first), (2, second)):
            settings = {"epochs": 1, "learning_rate": 0.1}
            made, _ = train.train(found, how, Training("linear", sys.argv[1], seed, settings, None), (90.0,))
            model.save(made, place)
        assert model.load(first).kept.asked == (90.0,)
        for file in second.glob("network.*"):
            shutil.copy(file, first)
        try:
            model.load(first)
        except UsageError as error:
            assert "the weights of another network" in str(error), error
        else:
            raise AssertionError("another network was accepted")


def weight_decay_leaves_state_spaces_alone() -> None:
    """A rate so small that nothing but the decay could move a weight by a tenth."""
    how = {"optimizer": "adamw", "learning_rate": 1e-5, "weight_decay": 5e4, "schedule": "constant"}
    before = _start("s4d", **SHALLOW)
    after = _make("s4d", epochs=1, **SHALLOW, **how).fit(*_waves(64)).weights()
    changed = [np.abs(b - a).max() > 0.1 * np.abs(a).max() for a, b in zip(before, after, strict=True)]
    modes = [weight.ndim == 2 and weight.shape[-1] == 8 for weight in before]  # of A and of C
    dense = [weight.ndim == 2 and not found for weight, found in zip(before, modes, strict=True)]
    assert sum(modes) == 4 and sum(dense) == 3
    assert not any(np.array(changed)[modes]) and all(np.array(changed)[dense]), changed


def time_steps_of_state_spaces_start_within_the_range() -> None:
    for settings, (low, high) in (({}, (0.05, 0.5)), ({"dt_min": 0.2, "dt_max": 0.3}, (0.2, 0.3))):
        units = _make("s4d").units
        (first, *_) = (
            weight for weight in _start("s4d", **settings) if weight.shape == (units,) and np.all(weight < -0.6)
        )
        dt = np.exp(first)
        assert np.all((dt >= 0.999 * low) & (dt <= 1.001 * high)), dt


def targets_at_the_last_step_train_that_step_alone() -> None:
    """Nothing that is learnt depends on the future of earlier steps: it is another one here, and in no target."""
    history, future = _waves(64)
    for method in ("tcn", "s4d", "gru"):
        how = {"epochs": 1, "learning_rate": 1e-12, **NOT_TURNED, **SHALLOW}
        first = _make(method, targets="last", **how).fit(history, future)
        outputs, truth = first.outputs(history, future)
        assert outputs.shape == truth.shape == future.shape
        expected = np.mean(np.square(first.predict_ahead(history, HORIZON) - future))
        assert_allclose(first.curve["loss"][0], expected, rtol=1e-4)
        every = _make(method, targets="every", **how).fit(history, future)
        assert abs(every.curve["loss"][0] - expected) > 1e-3 * expected


def normalised_windows_give_back_level_and_scale() -> None:
    """Forecasts of a series elsewhere, and of a larger one, are those of the series there, and larger.

    Windows are normalised by plain NumPy, around any framework: PyTorch, which compiles nothing, has every pair of a
    kind and a network, and Keras each kind and each network.
    """
    history, future = _waves(128)
    kinds = [("last", {}), ("mean", {}), ("revin", {}), ("revin", {"noise": 0.01, "members": 2})]
    methods = ("mlp", "deep_rnn", "tcn")
    pairs = product(kinds, methods) if sys.argv[1] == "torch" else zip(kinds, cycle(methods), strict=False)
    for (kind, settings), method in pairs:
        more = {"targets": "last", **SHALLOW} if method == "tcn" else {}
        made = _make(method, epochs=2, normalise=kind, **settings, **more).fit(history, future)
        here = made.predict_ahead(history, HORIZON + 2)
        assert_allclose(made.predict_ahead(history + 8, HORIZON + 2), here + 8, atol=1e-3)
        if kind == "revin":
            assert_allclose(made.predict_ahead(100 * history, HORIZON), 100 * here[:, :HORIZON], rtol=2e-2, atol=0.1)
        with tempfile.TemporaryDirectory() as folder:
            made.save(Path(folder))
            assert_array_equal(load(Path(folder)).predict_ahead(history, HORIZON), here[:, :HORIZON])


def normalised_losses_are_those_of_plain_numpy() -> None:
    history, future = _waves(64)
    made = _make("linear", epochs=1, learning_rate=1e-12, normalise="revin").fit(history, future)
    mean, scale = history.mean(1, keepdims=True), np.sqrt(history.var(1, keepdims=True) + 1e-5)
    expected = np.mean(np.square((made.predict_ahead(history, HORIZON) - future) / scale))
    assert_allclose(made.curve["loss"][0], expected, rtol=1e-4)
    assert abs(mean).max() > 0.1


def rtrl_and_its_twin_learn_the_same() -> None:
    forward, back = (_make(name, epochs=2, batch_size=32).fit(*_waves(64)) for name in ("rtrl_rnn", "bptt_rnn"))
    assert (forward.gradient_rule() is None, back.gradient_rule() is None) == (False, True)
    for one, other in zip(forward.weights(), back.weights(), strict=True):
        assert_allclose(one, other, atol=1e-4)


def depth_and_activation_are_trained_along_the_gradient() -> None:
    """A small step of SGD lowers the loss by the rate times the squared gradient, which layers compute by hand."""
    history, future = _waves(64)
    for method, activation, layers in (("rnn_sequence", "sigmoid", 3), ("gru", "relu", 1), ("lstm", "sigmoid", 1)):
        rate, how = 0.01, {"activation": activation, "layers": layers}
        made = _built(method, epochs=1, learning_rate=rate, optimizer="sgd", batch_size=64, **how)
        before, start = _loss(made, history, future), made.weights()
        after = _loss(made.fit(history, future), history, future)
        assert made.state_size() == layers * made.units * (2 if method == "lstm" else 1)
        moved = sum(np.sum(np.square(a - b)) for a, b in zip(made.weights(), start, strict=True))
        assert_allclose(before - after, moved / rate, rtol=0.05)


def _loss(made: Any, history: np.ndarray, future: np.ndarray) -> float:
    outputs, truth = made.outputs(history, future)
    return float(np.mean(np.square(outputs.astype(np.float64) - truth)))


def classes_and_hidden_steps_are_learnt() -> None:
    """Networks tell waves of three speeds apart and fill a stretch; the loss is that of plain NumPy."""
    series, classes, gaps, hidden = _questions()
    made = _make("gru", kind="classify", epochs=8, learning_rate=0.01).fit(series, classes, (series, classes))
    found = made.predict_class(series)
    assert found.shape == (128, 3) and found.dtype == np.float32
    assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(found.argmax(axis=1) == classes[:, :, 0].argmax(axis=1)) > 0.6
    right = np.log(np.sum(found * classes[:, :, 0], axis=1, dtype=np.float64))
    assert_allclose(made.curve["val_loss"][-1], -right.mean(), rtol=1e-4)
    filler = _make("mlp", kind="impute", epochs=8, learning_rate=0.01).fit(gaps, hidden, (gaps, hidden))
    filled = filler.fill_in(gaps)
    assert filled.shape == hidden.shape and np.mean(np.square(filled - hidden)) < 0.8 * np.mean(np.square(hidden))
    for one, ask, asked in ((made, made.predict_class, series), (filler, filler.fill_in, gaps)):
        with tempfile.TemporaryDirectory() as folder:
            one.save(Path(folder))
            again = load(Path(folder))
        assert_array_equal(getattr(again, ask.__name__)(asked), ask(asked))


def losses_of_classes_are_those_of_plain_numpy() -> None:
    """Before any step, the training loss is the cross-entropy of the starting network, in every framework."""
    series, classes, *_ = _questions()
    for method in ("rnn_sequence",):
        made = _make(method, kind="classify", epochs=1, learning_rate=1e-12).fit(series, classes)
        right = np.log(np.sum(made.predict_class(series) * classes[:, :, 0], axis=1, dtype=np.float64))
        assert_allclose(made.curve["loss"][0], -right.mean(), rtol=1e-4)


def _questions() -> tuple[np.ndarray, ...]:
    """Waves of three speeds [128, 20, 1], which speed [128, 3, 1], the same with 4 hidden steps, and those steps."""
    random = np.random.default_rng(7)
    speed = random.integers(3, size=128)
    waves = np.sin(random.uniform(0, 6, (128, 1)) + (0.3 + 0.5 * speed[:, None]) * np.arange(STEPS)).astype(np.float32)
    gaps, places = waves.copy(), random.integers(3, 12, (128, 1)) + np.arange(4)
    hidden = np.take_along_axis(waves, places, axis=1)
    np.put_along_axis(gaps, places, np.nan, axis=1)
    return waves[:, :, None], np.eye(3, dtype=np.float32)[speed][:, :, None], gaps[:, :, None], hidden[:, :, None]


def a_decoder_that_is_started_or_fed_learns() -> None:
    history, future = _waves(128)
    both = {"feed_back": True, "hand_over": True}
    for ways in ({"hand_over": True}, {**both, "teacher_forcing": True}):
        made = _make("encoder_decoder", epochs=10, learning_rate=0.01, **ways).fit(history, future)
        assert made.curve["loss"][-1] < 0.7 * made.curve["loss"][0]
        with tempfile.TemporaryDirectory() as folder:
            made.save(Path(folder))
            again = load(Path(folder)).predict_ahead(history, HORIZON)
        assert_allclose(again, made.predict_ahead(history, HORIZON), atol=1e-6)
    steady = {**both, "epochs": 1, "learning_rate": 1e-12}
    alone, taught = (
        _make("encoder_decoder", **steady, teacher_forcing=one).fit(history, future) for one in (False, True)
    )
    assert_allclose(alone.predict_ahead(history, 7), taught.predict_ahead(history, 7), atol=1e-5)
    assert abs(alone.curve["loss"][0] - taught.curve["loss"][0]) > 1e-4  # it reads the truth, not its forecasts


def clipping_matters_where_gradients_are_long() -> None:
    """A step of SGD at a rate of 1: unclipped it leaps, clipped it moves all weights by 1 together."""
    history, future = _waves(32)
    start = _start("relu_rnn")

    def moved(**more: float) -> float:
        made = _make("relu_rnn", epochs=1, optimizer="sgd", learning_rate=1.0, **more).fit(history, 50 * future)
        pairs = zip(made.weights(), start, strict=True)
        return float(np.sqrt(sum(np.sum(np.square(a - b)) for a, b in pairs)))

    assert moved() > 2
    assert_allclose(moved(clip_norm=1.0), 1, rtol=1e-3)


def the_code_of_a_run_is_that_of_its_layers() -> None:
    """A digest without the file of a layer would call records that were made by another one those of today's code."""
    backend = sys.argv[1]
    for method in (name for name, entry in METHODS.items() if isinstance(entry, Network)):
        made = _built(method)
        parts = made.network.modules() if backend == "torch" else made.network._flatten_layers()
        modules = {type(part).__module__ for part in (made, *parts)}
        files = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in modules if name.startswith("impl")}
        spec = Spec(task="ten-step", method=method, backend=backend, seed=3, settings={}, data_sha256="")
        assert files and files <= closure(spec, {}), (method, files - closure(spec, {}))


NOT_TURNED = {"flip": False, "reverse": False}
SHALLOW = {"layers": 1}  # what takes time is to compile each layer


def _make(method: str, **settings: Any) -> Any:
    return make(method, sys.argv[1], 3, **settings)


def _built(method: str, **settings: Any) -> Any:
    """The forecaster with its network as it is before any training."""
    made = _make(method, **settings)
    made.build(backends.load(sys.argv[1]), STEPS, 1, HORIZON)
    return made


def _start(method: str, **settings: Any) -> list[np.ndarray]:
    """The weights that training starts from."""
    return list(_built(method, **settings).weights())


def _waves(series: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves of another phase and frequency each, history [N, 20, 1] and future [N, 5, 1]."""
    random = np.random.default_rng(7)
    phase, frequency = random.uniform(0, 6, (series, 1)), random.uniform(0.2, 0.6, (series, 1))
    waves = 0.5 * np.sin(phase + frequency * np.arange(STEPS + HORIZON)).astype(np.float32)[:, :, None]
    return np.ascontiguousarray(waves[:, :STEPS]), np.ascontiguousarray(waves[:, STEPS:])

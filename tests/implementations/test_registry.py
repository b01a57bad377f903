"""The table of contents: what it says without an import is what the classes say, and importing it is cheap."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

import implementations
from implementations import METHODS, Forecaster, backends_of, class_of, make
from implementations.network import NetworkForecaster
from implementations.registry import Network

PUBLIC = {
    "BACKENDS", "METHODS", "Forecaster", "MultiOutput", "NetworkForecaster", "Recursive", "SequenceToSequence",
    "all_settings", "backends_of", "class_of", "complete", "current_name", "default_settings", "identified",
    "installed", "kinds_of", "load", "make", "needs_folder", "setting_type",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(implementations.__all__) == PUBLIC
    assert all(getattr(implementations, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="'implementations' has no attribute 'METHOD'"):
        _ = implementations.METHOD  # type: ignore[attr-defined]


def test_importing_loads_neither_numpy_nor_a_method() -> None:
    code = "import sys, implementations; implementations.backends_of('gru'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "numpy" not in loaded and "implementations.methods" not in loaded


@pytest.mark.parametrize("name", METHODS)
def test_an_entry_says_what_its_class_says(name: str) -> None:
    assert backends_of(name) == class_of(name).backends
    assert isinstance(METHODS[name], Network) == issubclass(class_of(name), NetworkForecaster)


def test_changed_defaults_are_those_of_the_method_alone() -> None:
    assert implementations.all_settings("lstm")["forget_bias"] == 1.0
    assert implementations.all_settings("lstm_forget_bias_2")["forget_bias"] == 2.0
    assert make("lstm_forget_bias_2", "torch", 1).settings()["forget_bias"] == 2.0
    assert make("lstm_forget_bias_2", "torch", 1, forget_bias=3.0).settings()["forget_bias"] == 3.0


@pytest.mark.parametrize("seed", [True, 1.0, -1, 2**32, "1", None])
def test_a_seed_that_numpy_does_not_take_is_named(seed: object) -> None:
    with pytest.raises(ValueError, match="seed: got .*, needed a whole number in 0..4294967295"):
        make("last_value", "numpy", seed)  # type: ignore[arg-type]


def test_numpys_whole_numbers_are_seeds() -> None:
    made = make("last_value", "numpy", np.uint32(7))  # type: ignore[arg-type]
    assert made.seed == 7 and type(made.seed) is int


def test_an_unknown_backend_and_setting_are_named() -> None:
    with pytest.raises(ValueError, match="gru: got backend 'numpy', allowed: keras, keras-jax, torch"):
        make("gru", "numpy", 1)
    with pytest.raises(ValueError, match="gru: got setting 'unit', allowed: epochs, batch_size"):
        make("gru", "torch", 1, unit=3)


def test_defaults_adapt_to_series_from_a_file() -> None:
    assert class_of("arima").adapted({"searched": 12, "season_length": 1}, 7) == {"searched": 12, "season_length": 7}
    assert class_of("arima").adapted({"season_length": 1}, None) == {"season_length": 1}
    given = {"epochs": 40, "flip": True, "reverse": True}
    assert class_of("mlp").adapted(given, 7) == {"epochs": 40, "flip": False, "reverse": False}
    assert class_of("gru").adapted({"epochs": 20}, 7) == {"epochs": 20} and given["flip"]


def test_old_names_make_the_method_that_there_is_now() -> None:
    made = make("transformer", "torch", 1, patch=4)
    assert (type(made).__name__, made.name, made.settings()["patch"]) == ("PatchTST", "patchtst", 4)


WRONG = {
    ("gru", "normalise", "last"): "gru.normalise: got last, allowed: none, as forecasts at every step would see later",
    ("mlp", "normalise", "max"): "mlp.normalise: got 'max', allowed: none, last, mean, revin",
    ("mlp", "targets", "last"): "mlp.targets: got last, allowed: every; it forecasts at the last step alone already",
    ("rtrl_rnn", "targets", "last"): "rtrl_rnn.targets: got last, allowed: every; its gradient is its own",
    ("s4d", "targets", "first"): "s4d.targets: got 'first', allowed: every, last",
    ("s4d", "dt_min", 0.7): "s4d.dt_min: got dt_min 0.7, dt_max ",
    ("gru", "clip_norm", 0.0): "gru.clip_norm: got 0.0, needed more than 0, or none",
    ("mingru", "clip_value", -2.0): "mingru.clip_value: got -2.0, needed more than 0, or none",
    ("tide", "l1", -1.0): "tide.l1: got -1.0, needed at least 0",
    ("weight_decay_rnn", "l2", -0.5): "weight_decay_rnn.l2: got -0.5, needed at least 0",
}


#: a method, settings of its, and what they mean in its docstring
SAID: list[tuple[str, dict[str, object], str]] = [
    ("dropout_rnn", {"dropout": 0.1}, "that hides every tenth series entirely"),
    ("moving_average", {"alpha": None}, "Simple exponential smoothing: "),
    ("nbeats", {}, "no level or scale taken off the series"),
    ("gru_tuned", {"schedule": "cosine"}, "chosen by hand and not by a search"),
    ("patchtst", {"patch": 25}, "no residual attention"),
    ("clipped_rnn", {"learning_rate": 0.01, "clip_norm": 1.0}, "the norm seldom exceeds 1 here"),
    ("s4d", {"dt_min": 0.05, "dt_max": 0.5, "targets": "last"}, "dt from 0.05 to 0.5"),
]
#: what rows of the reference add to the network of rnn_sequence
ADDED: dict[str, set[str]] = {
    "weight_decay_rnn": {"l2"}, "dropout_rnn": {"dropout", "recurrent_dropout"}, "relu_rnn": set(),
}  # fmt: skip


@pytest.mark.parametrize(("method", "setting", "value"), WRONG)
def test_a_wrong_value_is_named_in_one_line(method: str, setting: str, value: str | float) -> None:
    with pytest.raises(ValueError) as raised:
        make(method, "torch", 1, **{setting: value})
    assert str(raised.value).startswith(WRONG[method, setting, value]) and "\n" not in str(raised.value)


def test_rows_of_the_reference_have_a_control_at_their_rate() -> None:
    """rnn_sequence, which it trains at ten times their rate, is no control of what they add: at 0.001 it is."""
    control = {**implementations.default_settings("rnn_sequence"), "learning_rate": 0.001}
    for name, added in ADDED.items():
        settings = implementations.default_settings(name)
        assert {key for key in {**control, **settings} if settings.get(key) != control.get(key)} == added, name
    assert implementations.default_settings("bptt_rnn") == implementations.default_settings("rtrl_rnn")


@pytest.mark.parametrize(("method", "holds", "words"), SAID)
def test_a_docstring_says_what_the_method_does(method: str, holds: dict[str, object], words: str) -> None:
    """Each said something else once."""
    settings = implementations.all_settings(method)
    assert holds == {name: settings[name] for name in holds}
    assert words in " ".join((sys.modules[class_of(method).__module__].__doc__ or "").split())


def test_options_that_are_off_stand_in_no_record() -> None:
    for name in METHODS:
        if issubclass(class_of(name), NetworkForecaster):
            stated = implementations.default_settings(name)
            assert stated.get("targets") != "every" and stated.get("normalise") != "none", name
    assert implementations.default_settings("layer_norm_rnn")["normalise"] == "input"


def test_patches_are_at_most_the_whole_window() -> None:
    made = make("patchtst", "torch", 1)
    for steps, length in ((50, 25), (20, 25), (12, 17), (1, 6)):
        made.steps = steps  # type: ignore[attr-defined]
        assert made.length() == length  # type: ignore[attr-defined]


def test_parameters_are_read_and_changed_as_in_scikit_learn():
    forecaster = make("moving_average", "numpy", 42)
    assert forecaster.get_params() == {
        "backend": "numpy", "seed": 42, "name": "moving_average", "native": False, "kind": "forecast",
        "alpha": forecaster.alpha,
    }  # fmt: skip
    assert forecaster.set_params(alpha=0.5, seed=43) is forecaster
    assert (forecaster.alpha, forecaster.seed) == (0.5, 43)
    assert type(forecaster)(**forecaster.get_params()).get_params() == forecaster.get_params()
    with pytest.raises(ValueError, match="got 'window', allowed: backend, seed, name, native, kind, alpha"):
        forecaster.set_params(window=3)


def test_a_subclass_from_outside_has_its_input_checked():
    class Last(Forecaster):
        def fit(self, history, future, validation=None):
            return self

        def predict_ahead(self, history, steps):
            return np.repeat(history[:, -1:], steps, axis=1)

    last, history = Last(), np.zeros((2, 5, 1), np.float32)
    assert last.fit(history, future=history[:, :2]).predict_ahead(history, 3).shape == (2, 3, 1)
    for wrong in (lambda: last.fit(history[0], history), lambda: last.predict_ahead(history=history, steps=0)):
        with pytest.raises(ValueError, match="needed"):
            wrong()

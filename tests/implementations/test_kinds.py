"""The kinds of questions besides forecasts: bad input has one clear line, and what a user's class can do is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench import metrics
from bench.campaigns.request import Selection
from bench.campaigns.selection import specs
from bench.data import datasets
from bench.errors import UsageError
from bench.tasks import FURTHER
from implementations import kinds_of, make
from implementations.answers import check_gaps, read_gaps
from implementations.wrapping import as_forecaster

SERIES = np.arange(12, dtype=np.float32).reshape(2, 6, 1)


def hidden(*places: tuple[int, int]) -> np.ndarray:
    series = SERIES.copy()
    for row, step in places:
        series[row, step] = np.nan
    return series


def test_networks_read_zeros_and_a_mark_at_hidden_steps() -> None:
    read = read_gaps(hidden((0, 2), (1, 4)))
    assert read.shape == (2, 6, 2) and np.argwhere(read[:, :, 1]).tolist() == [[0, 2], [1, 4]]
    assert read[0, :, 0].tolist() == [0, 1, 0, 3, 4, 5]


@pytest.mark.parametrize("series", [SERIES, hidden((0, 2)), hidden((0, 2), (0, 3), (1, 1))])
def test_series_hide_equally_many_steps(series: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"history: got \d to \d steps with NaN in a series, needed equally many"):
        check_gaps(series)


@pytest.mark.parametrize(
    ("method", "kind", "settings", "message"),
    [
        ("nbeats", "classify", {}, "nbeats: got kind 'classify', allowed: forecast"),
        ("gru", "clasify", {}, "gru: got kind 'clasify', allowed: forecast, classify, impute"),
        ("mlp", "classify", {"flip": True}, "mlp.flip: got True, allowed to classify: False"),
        ("gru", "impute", {"noise": 0.1}, "gru.noise: got 0.1, allowed to impute: 0.0"),
        ("gru", "classify", {"output_heads": 2}, "gru.output_heads: got 2, allowed to classify: 1"),
        ("lstm", "forecast", {"activation": "gelu"}, "lstm.activation: got 'gelu', allowed: tanh, sigmoid, relu"),
    ],
)
def test_what_a_method_cannot_do_is_said(method: str, kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        make(method, "torch", 1, kind=kind, **settings)
    assert str(raised.value) == message


def test_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="gru: made to classify, so ask predict_class, not predict_ahead"):
        make("gru", "torch", 1, kind="classify").predict_ahead(SERIES, 2)
    with pytest.raises(ValueError, match="gru: made to forecast, so ask predict_ahead, not fill_in"):
        make("gru", "torch", 1).fill_in(SERIES)


def test_a_method_named_for_a_task_that_it_cannot_answer() -> None:
    def chosen(*methods: str) -> list[str]:
        return [
            spec.method for spec in specs(Selection(methods=methods, tasks=("which-generator",), backends=("torch",)))
        ]

    assert chosen("mlp*") == ["mlp"]
    with pytest.raises(UsageError, match="task which-generator: nbeats does not classify; choose from linear, "):
        chosen("gru", "nbeats")


class Classes:
    """Says how often each class was there."""

    def fit(self, history: np.ndarray, future: np.ndarray, kind: str) -> None:
        self.kind, self.shares = kind, future.mean(axis=(0, 2))

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return history[:, -1:].repeat(steps, axis=1)

    def predict_class(self, history: np.ndarray) -> np.ndarray:
        return self.shares[None].repeat(len(history), axis=0)


def test_a_class_of_a_user_answers_what_it_has_a_method_for() -> None:
    made: Any = as_forecaster(Classes)
    assert made.kinds == ("forecast", "classify")
    one = made(kind="classify").fit(SERIES, np.eye(2, dtype=np.float32)[:, :, None])
    assert one.method.kind == "classify" and one.predict_class(SERIES).tolist() == [[0.5, 0.5]] * 2
    assert kinds_of("gru") == ("forecast", "classify", "impute") and kinds_of("arima") == ("forecast",)


def test_hidden_steps_and_classes_of_the_tasks_are_kept_back() -> None:
    classes = datasets.open_data(FURTHER["which-generator"].quick(), {}).split.train
    assert classes.future.shape[1:] == (4, 1) and np.all(classes.future.sum(axis=1) == 1)
    filled = datasets.open_data(FURTHER["hidden-stretch"].quick(), {}).split.train
    unknown = np.isnan(filled.history[:, :, 0])
    assert np.all(unknown.sum(axis=1) == filled.future.shape[1]) and not unknown[:, [0, 4, -5, -1]].any()
    assert np.isfinite(filled.future).all()


def test_metrics_of_classes_are_those_of_the_field() -> None:
    truth = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]][:, :, None]
    found = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.125, 0.875, 0]])[:, :, None]
    assert metrics.accuracy(found, truth) == 50
    assert metrics.cross_entropy(found, truth) == pytest.approx(np.log([2, 2, 4, 8]).mean())
    got = metrics.compute({("test", "scaled"): [metrics.Compared(found, truth)]}, "classify")
    assert got.keys() == {"test_mse", "test_cross_entropy", "test_accuracy"}

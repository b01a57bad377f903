"""The references know the formula of the series, stand outside the ranking, and are below every other method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bench import metrics
from bench.analysis import reference
from bench.data import generators, windows
from bench.tasks import REFERENCES, TASKS, Task
from implementations import METHODS, load, make
from implementations.methods.bayes import BOUND, analytic_centre
from implementations.methods.least_squares_oracle import best_fit, formula, slopes

REFERENCE_METHODS = list(REFERENCES)


def two_sines(count: int, noise: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """History [count, 50, 2] and future [count, 10, 2] of the sines of the reference, with uniform noise."""
    random, time = np.random.default_rng(0), np.linspace(0, 1, 60)[:, None]
    frequency_1, frequency_2, offset_1, offset_2 = random.uniform(0, 1, (4, count, 1, 2))
    series = 0.5 * np.sin((time - offset_1) * (frequency_1 * 10 + 10))
    series = series + 0.2 * np.sin((time - offset_2) * (frequency_2 * 20 + 20))
    series = (series + noise * random.uniform(-0.5, 0.5, series.shape)).astype(np.float32)
    return series[:, :50], series[:, 50:]


def error_on(name: str, task: Task, count: int) -> float:
    """The error over the first validation series of a task."""
    split = windows.cut(generators.load(task), task)
    history, future = (array[:count] for array in split.validation)
    return metrics.mse(make(name, "numpy", 1).fit(*split.train).predict_ahead(history, task.ahead), future)


def test_least_squares_goes_on_exactly_without_noise() -> None:
    history, future = two_sines(30)
    forecasts = make("least_squares_oracle", "numpy", 1).fit(history, future).predict_ahead(history, 10)
    assert_allclose(forecasts, future, atol=1e-4)


def test_errors_of_both_on_ten_step() -> None:
    """Over the first 300 validation series; the noise is 0.000833 of each."""
    least_squares, bayes = (error_on(name, TASKS["ten-step"], 300) for name in ("least_squares_oracle", "bayes"))
    assert least_squares == pytest.approx(0.00106, abs=0.00001)
    assert reference.NOISE_FLOOR < bayes < 0.9 * least_squares


def test_errors_of_both_on_one_step() -> None:
    least_squares, bayes = (error_on(name, TASKS["one-step"], 2_000) for name in ("least_squares_oracle", "bayes"))
    assert reference.NOISE_FLOOR < bayes < 0.95 * least_squares


def test_every_residual_of_the_centre_is_within_the_noise() -> None:
    history, _ = two_sines(40, noise=0.1)
    rows, time = history[:, :, 0].astype(float), np.linspace(0, 1, 60)[:50]
    fitted = best_fit(rows, time, starts=4)
    assert (np.abs(rows - formula(fitted, time)).max(axis=1) > BOUND).any(), "least squares would do"
    centre, bound, _ = analytic_centre(fitted, rows, time)
    assert (np.abs(rows - formula(centre, time)) < bound).all()
    assert np.mean(bound == BOUND) > 0.9 and bound.max() < 0.052


def test_a_history_that_no_formula_explains_is_forecast() -> None:
    random = np.random.default_rng(1)
    history = random.normal(3, 2, (5, 30, 1)).astype(np.float32)
    forecasts = make("bayes", "numpy", 1).fit(history, history[:, :7]).predict_ahead(history, 12)
    assert np.isfinite(forecasts).all() and (np.abs(forecasts) <= 0.7 + 1e-6).all()


def test_slopes_are_the_derivatives() -> None:
    unknown, time = np.array([[12.0, 0.3, 31.0, -1.0]]), np.linspace(0, 0.8, 9)
    steps = 1e-6 * np.eye(4)
    expected = [(formula(unknown + step, time) - formula(unknown - step, time))[0] / 2e-6 for step in steps]
    assert_allclose(slopes(unknown, time)[0], np.stack(expected, axis=1), atol=1e-7)


@pytest.mark.parametrize("name", REFERENCE_METHODS)
def test_bad_input_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.starts: got 0, needed a whole number of at least 1"):
        make(name, "numpy", 1, starts=0)
    fitted = make(name, "numpy", 1).fit(np.zeros((2, 9, 1), np.float32), np.zeros((2, 3, 1), np.float32))
    with pytest.raises(ValueError, match=f"history: got 3 steps, needed at least 4 for {name}"):
        fitted.predict_ahead(np.zeros((1, 3, 1), np.float32), 1)
    with pytest.raises(RuntimeError, match=f"{name}: predict_ahead before fit"):
        make(name, "numpy", 1).predict_ahead(np.zeros((1, 9, 1), np.float32), 1)


def test_bad_draws_are_named() -> None:
    with pytest.raises(ValueError, match="bayes.draws: got 0, needed a whole number of at least 1"):
        make("bayes", "numpy", 1, draws=0)


@pytest.mark.parametrize("name", REFERENCE_METHODS)
def test_they_run_by_default_only_where_they_know_the_formula(name: str) -> None:
    assert name in METHODS
    assert all(task.runs(name) for task in TASKS.values())
    assert not Task(name="other", dataset="airline", seed=1, ahead=3).runs(name)


def test_the_old_name_still_makes_and_loads_it(tmp_path: Path) -> None:
    history, future = two_sines(3)
    fitted = make("oracle", "numpy", 1).fit(history, future)
    fitted.save(tmp_path)
    saved = tmp_path / "forecaster.json"
    saved.write_text(saved.read_text().replace("least_squares_oracle", "oracle"))
    assert fitted.name == load(tmp_path).name == "least_squares_oracle"

"""least_squares and kernel_ridge against plain loops, and in the corners of their input."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bench import metrics
from bench.data import generators, windows
from bench.tasks import TASKS
from implementations import make
from implementations.methods import kernel_ridge, least_squares

NAMES = ("least_squares", "kernel_ridge")


def some(count: int = 60, length: int = 7, ahead: int = 3, channels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """History and future of noisy random walks."""
    steps = np.random.default_rng(4).normal(0, 1, (count, length + ahead, channels))
    series = steps.cumsum(axis=1).astype(np.float32)
    return series[:, :length], series[:, length:]


def test_least_squares_is_numpys() -> None:
    history, future = some()
    inputs = np.column_stack([history.reshape(60, -1), np.ones(60)]).astype(float)
    expected = inputs @ np.linalg.lstsq(inputs, future.reshape(60, -1), rcond=None)[0]
    got = make("least_squares", "numpy", 1, ridge=0.0).fit(history, future).predict_ahead(history, 3)
    assert_allclose(got.reshape(60, -1), expected, atol=1e-4)


@pytest.mark.parametrize("ridge", [1e-3, 0.5])
def test_errors_left_out_are_those_of_fits_without_each_series(ridge: float) -> None:
    random = np.random.default_rng(0)
    inputs, outputs = random.normal(0, 1, (30, 5)), random.normal(0, 1, (30, 2))

    def centred(rows: np.ndarray) -> np.ndarray:
        return rows - rows.mean(axis=0)

    sizes, directions = np.linalg.eigh(centred(inputs).T @ centred(inputs))
    rotated = centred(inputs) @ directions
    got = least_squares.left_out(rotated, centred(outputs), rotated.T @ centred(outputs), 1 / (sizes + ridge))
    errors = []
    for one in range(30):
        rest = np.arange(30) != one
        mean, level = inputs[rest].mean(axis=0), outputs[rest].mean(axis=0)
        x, y = inputs[rest] - mean, outputs[rest] - level
        matrix = np.linalg.solve(x.T @ x + ridge * np.eye(5), x.T @ y)
        errors.append(outputs[one] - level - (inputs[one] - mean) @ matrix)
    assert got == pytest.approx(np.square(errors).mean(), rel=1e-6)


def test_error_of_least_squares_on_ten_step() -> None:
    task = TASKS["ten-step"]
    split = windows.cut(generators.load(task), task)
    forecasts = make("least_squares", "numpy", 1).fit(*split.train).predict_ahead(split.validation.history, 10)
    assert metrics.mse(forecasts, split.validation.future) <= 0.0152


def test_kernel_ridge_is_the_sum_over_training_windows() -> None:
    history, future = some()
    fitted = make("kernel_ridge", "numpy", 1, width=0.7, ridge=0.1).fit(history, future)
    relative = fitted.weights()[-1][1]
    x, y = history.reshape(60, -1).astype(float), future.reshape(60, -1).astype(float)
    x, y = x - relative * np.tile(history[:, -1], 7), y - relative * np.tile(history[:, -1], 3)
    scale = 0.7 * 2 * x.var(axis=0).sum()
    gram = np.array([[np.exp(-np.square(a - b).sum() / scale) for b in x] for a in x])
    weights = np.linalg.solve(gram + 0.1 * np.eye(60), y - y.mean(axis=0))
    expected = gram @ weights + y.mean(axis=0) + relative * np.tile(history[:, -1], 3)
    assert_allclose(fitted.predict_ahead(history, 3).reshape(60, -1), expected, atol=1e-4)


def test_kernel_ridge_beats_every_linear_map_on_ten_step() -> None:
    task = TASKS["ten-step"]
    split = windows.cut(generators.load(task), task)
    fitted = make("kernel_ridge", "numpy", 1, windows=1_000).fit(*split.train)
    assert fitted.weights()[0].shape[0] == 1_000
    assert metrics.mse(fitted.predict_ahead(split.test.history, 10), split.test.future) < 0.01


def test_few_windows_are_evenly_spaced() -> None:
    assert kernel_ridge.thinned(np.arange(10), 4).tolist() == [0, 3, 6, 9]
    assert kernel_ridge.thinned(np.arange(3), 4).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_few_and_short_windows(name: str, length: int, count: int) -> None:
    history, future = some(count, length)
    forecasts = make(name, "numpy", 1).fit(history, future).predict_ahead(history, 8)
    assert forecasts.shape == (count, 8, 2) and np.isfinite(forecasts).all()


@pytest.mark.parametrize("name", NAMES)
def test_constant_series_go_on(name: str) -> None:
    history, future = np.full((12, 5, 2), 3.5, np.float32), np.full((12, 2, 2), 3.5, np.float32)
    assert_allclose(make(name, "numpy", 1).fit(history, future).predict_ahead(history, 7), 3.5, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_other_windows_than_fitted_on_are_named(name: str) -> None:
    history, future = some()
    fitted = make(name, "numpy", 1).fit(history, future)
    with pytest.raises(ValueError, match="history: got 6 steps of 2 channels, needed at least 7 of 2"):
        fitted.predict_ahead(history[:, 1:], 1)
    with pytest.raises(ValueError, match="history: got 7 steps of 1 channels, needed at least 7 of 2"):
        fitted.predict_ahead(history[:, :, :1], 1)
    with pytest.raises(RuntimeError, match=f"{name}: predict_ahead before fit"):
        make(name, "numpy", 1).predict_ahead(history, 1)
    longer = np.concatenate([history[:, :2] + 9, history], axis=1)
    assert_allclose(fitted.predict_ahead(longer, 3), fitted.predict_ahead(history, 3))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("least_squares", {"ridge": -1.0}, "least_squares.ridge: got -1.0, needed 0 or more, or none"),
        ("kernel_ridge", {"width": 0.0}, "kernel_ridge.width: got 0.0, needed more than 0, or none"),
        ("kernel_ridge", {"ridge": 0.0}, "kernel_ridge.ridge: got 0.0, needed more than 0, or none"),
        ("kernel_ridge", {"windows": 0}, "kernel_ridge.windows: got 0, needed a whole number of at least 1"),
    ],
)
def test_bad_settings_are_named(name: str, settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(name, "numpy", 1, **settings)

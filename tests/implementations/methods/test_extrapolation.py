"""sinusoids, ssa and esprit: exact where their form is the series', honest where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bench import metrics
from bench.data import generators, windows
from bench.tasks import TASKS
from implementations import make
from implementations.extrapolation import bounded, simplest
from implementations.methods import esprit, sinusoids, ssa

NAMES = ("sinusoids", "ssa", "esprit")


def sines(count: int, length: int, channels: int = 1, level: float = 0.0) -> np.ndarray:
    """Series [count, length, channels] of two sines around a level, without noise."""
    random, time = np.random.default_rng(3), np.arange(length)[:, None]
    slow, fast = random.uniform(0.2, 0.3, (count, 1, channels)), random.uniform(0.5, 0.9, (count, 1, channels))
    phases = random.uniform(0, 6, (2, count, 1, channels))
    waves = np.sin(slow * time + phases[0]) + 0.4 * np.sin(fast * time + phases[1])
    return (level + waves).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0.0, 5.0])
def test_sines_without_noise_go_on_exactly(name: str, level: float) -> None:
    series = sines(40, 75, channels=2, level=level)
    history, future = series[:, :45], series[:, 45:55]
    forecasts = make(name, "numpy", 1).fit(history, future).predict_ahead(history, 30)
    assert_allclose(forecasts, series[:, 45:], atol=0.02)


@pytest.mark.parametrize(("name", "worst"), [("sinusoids", 0.00102), ("ssa", 0.0020), ("esprit", 0.0015)])
def test_error_on_ten_step(name: str, worst: float) -> None:
    task = TASKS["ten-step"]
    split = windows.cut(generators.load(task), task)
    forecasts = make(name, "numpy", 1).fit(*split.train).predict_ahead(split.test.history, 10)
    assert metrics.mse(forecasts, split.test.future) <= worst


def test_the_norm_matters_for_bounded_noise() -> None:
    task = TASKS["ten-step"]
    split = windows.cut(generators.load(task), task)
    fitted = make("sinusoids", "numpy", 1, norm=2).fit(*split.train)
    error = metrics.mse(fitted.predict_ahead(split.test.history, 10), split.test.future)
    assert 0.00105 < error <= 0.00118


def no_sines(kind: str, count: int, length: int) -> np.ndarray:
    """Series [count, length, 1] that are no sums of sines."""
    random, time = np.random.default_rng(5), np.arange(length)
    noise = random.standard_normal((count, length))
    made = {
        "constant": np.ones((count, length)) * random.uniform(-9, 9, (count, 1)),
        "trend": random.uniform(-1, 1, (count, 1)) * time + 0.1 * noise,
        "random walk": noise.cumsum(axis=1),
        "white noise": 7 + noise,
        "steep": np.exp(time / 5) * random.uniform(1, 2, (count, 1)),
        "spikes": (random.random((count, length)) < 0.05) * 1e4,
    }
    return made[kind].astype(np.float32)[:, :, None]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["constant", "trend", "random walk", "white noise", "steep", "spikes"])
def test_series_that_are_no_sines_are_forecast_as_well_as_naively(name: str, kind: str) -> None:
    series = no_sines(kind, 300, 50)
    history, future = series[:, :40], series[:, 40:]
    fitted = make(name, "numpy", 1).fit(history[:200], future[:200])
    unseen = history[200:]
    error = metrics.mse(fitted.predict_ahead(unseen, 10), future[200:])
    naive = [np.repeat(one, 10, axis=1) for one in (unseen[:, -1:], unseen.mean(axis=1, keepdims=True))]
    assert error <= 1.1 * min(metrics.mse(one, future[200:]) for one in naive)
    far = fitted.predict_ahead(unseen, 500)
    span = np.ptp(unseen, axis=1, keepdims=True)
    assert (np.abs(far - unseen[:, -1:]) <= 16 * span + 1e-3).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_short_histories(name: str, length: int) -> None:
    series = sines(20, 60)
    short = make(name, "numpy", 1).fit(series[:, :length], series[:, length : length + 4])
    long = make(name, "numpy", 1).fit(series[:, :40], series[:, 40:50])
    for fitted in (short, long):
        forecasts = fitted.predict_ahead(series[:, :length], 9)
        assert forecasts.shape == (20, 9, 1) and np.isfinite(forecasts).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_channel_goes_on_while_others_move(name: str) -> None:
    series = sines(20, 60, channels=2)
    series[:, :, 1] = 4.25
    forecasts = make(name, "numpy", 1).fit(series[:, :40], series[:, 40:]).predict_ahead(series[:, :40], 20)
    assert (forecasts[:, :, 1] == 4.25).all() and np.ptp(forecasts[:, :, 0], axis=1).min() > 0.5


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sinusoids", {"sines": 9}, "sinusoids.sines: got 9, allowed: 0, 1, 2, 3, 4 or none"),
        ("sinusoids", {"trend": -1}, "sinusoids.trend: got -1, allowed: 0, 1, 2 or none"),
        ("sinusoids", {"norm": 3}, "sinusoids.norm: got 3, allowed: 2, 4, 8, 16 or none"),
        ("sinusoids", {"sines": 0, "trend": 0}, "sinusoids: got sines 0 and trend 0"),
        ("ssa", {"window": 1}, "ssa.window: got 1, needed a whole number of at least 2, or none"),
        ("ssa", {"rank": True}, "ssa.rank: got True, needed a whole number of at least 1, or none"),
        ("ssa", {"window": 4, "rank": 4}, "ssa.rank: got 4, needed less than the window 4"),
        ("esprit", {"window": 2.5}, "esprit.window: got 2.5, needed a whole number of at least 2, or none"),
        ("esprit", {"window": 4, "rank": 5}, "esprit.rank: got 5, needed less than the window 4"),
    ],
)
def test_bad_settings_are_named(name: str, settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(name, "numpy", 1, **settings)


@pytest.mark.parametrize("name", NAMES)
def test_forecasts_need_a_fit(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: predict_ahead before fit"):
        make(name, "numpy", 1).predict_ahead(np.zeros((1, 9, 1), np.float32), 1)


def test_a_shape_has_to_be_better_than_simpler_ones_by_a_standard_error() -> None:
    noise, other = np.random.default_rng(0).uniform(0, 1, (2, 100))
    slightly_better = noise - 0.002 + 0.2 * (other - other.mean())
    errors: dict = {"last": 1 + noise, (1,): noise, (2,): slightly_better, (3,): noise - 0.4}
    assert simplest({name: errors[name] for name in ("last", (1,), (2,))}) == (1,)
    assert simplest(errors) == (3,)


def test_what_is_no_number_or_explodes_is_bounded() -> None:
    rows = np.array([[0.0, 1.0, 0.5, 0.25]])
    got = bounded(np.array([[np.nan, 1e9, -np.inf, -1e9]]), rows)
    assert_allclose(got, [[0.25, 1 + 1.5, 0.25, 0 - 2.0]])


def test_ssa_is_the_loop_of_the_book() -> None:
    row = sines(1, 24)[0, :, 0] + np.random.default_rng(1).normal(0, 0.1, 24)
    window, rank, steps = 8, 3, 5
    trajectory = np.array([[row[i + k] for k in range(17)] for i in range(window)])
    left = np.linalg.svd(trajectory)[0][:, :rank]
    pi = left[-1]
    recurrence = sum(pi[r] * left[:-1, r] for r in range(rank)) / (1 - pi @ pi)
    parts = left @ left.T @ trajectory
    series = [np.mean([parts[i, t - i] for i in range(window) if 0 <= t - i < 17]) for t in range(24)]
    for _ in range(steps):
        series.append(recurrence @ series[-window + 1 :])
    got = ssa.SSA().extrapolate(row[None], steps, (window, rank))
    assert_allclose(got[0], series[24:], rtol=1e-6)


def test_esprit_finds_frequencies() -> None:
    time = np.arange(40)
    row = np.sin(0.3 * time + 1) + 0.5 * np.cos(1.1 * time) + 2
    found = np.sort(esprit.frequencies(row[None], 20, 5)[0])
    assert_allclose(found, [-1.1, -0.3, 0, 0.3, 1.1], atol=1e-6)


@pytest.mark.parametrize("trend", [0, 1, 2])
def test_slopes_of_sinusoids_are_the_derivatives(trend: int) -> None:
    unknown = np.random.default_rng(2).uniform(1, 3, (1, 6 + trend))
    time, steps = np.linspace(-1, 0, 9), 1e-6 * np.eye(6 + trend)
    sides = [[sinusoids.model(unknown + sign * step, time, 2)[0] for sign in (1, -1)] for step in steps]
    expected = np.stack([(above - below) / 2e-6 for above, below in sides], axis=1)
    assert_allclose(sinusoids.slopes(unknown, time, 2)[0], expected, atol=1e-6)

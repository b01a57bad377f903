"""The series that mlp_bootstrap draws: the sines of the training series in other phases, and other noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from implementations import class_of, make
from implementations.methods.mlp_bootstrap import MLPBootstrap, SineBootstrap

STEPS, AHEAD, CHANNELS = 40, 8, 2


def waves(count: int, noise: float, seed: int = 0) -> np.ndarray:
    """Draw a sine of random frequency and phase and uniform noise, [count, STEPS + AHEAD, CHANNELS]."""
    random = np.random.default_rng(seed)
    frequency, phase = random.uniform(0.3, 1.5, (count, 1, 1)), random.uniform(0, 6, (count, 1, CHANNELS))
    series = np.sin(frequency * np.arange(STEPS + AHEAD)[:, None] + phase)
    return (series + noise * random.uniform(-1, 1, series.shape)).astype(np.float32)


def method(**settings: bool) -> MLPBootstrap:
    made = make("mlp_bootstrap", "torch", 1, **settings)
    assert isinstance(made, MLPBootstrap)
    return made


def test_drawn_series_have_the_same_sines_and_noise_in_other_places() -> None:
    series = waves(60, 0.1)
    draw = method().redrawing(series[:, :STEPS], series[:, STEPS:])
    assert draw is not None
    random = np.random.default_rng(1)
    first, second = draw(random), draw(random)
    assert first.shape == series.shape and first.dtype == np.float32
    assert np.abs(first - second).mean() > 0.1 and np.abs(first - series).mean() > 0.1
    for drawn in (first, second):
        again = SineBootstrap(drawn, 1, 0)
        before = SineBootstrap(series, 1, 0)
        amplitude, expected = (np.hypot(*np.moveaxis(one.linear, 2, 0)) for one in (again, before))
        assert_allclose(np.median(amplitude / expected), 1, atol=0.02)
        assert_allclose(again.deviation.mean(), 0.2 / np.sqrt(12), rtol=0.05)


def test_phases_turn_alike_in_all_channels() -> None:
    series = waves(20, 0.0)
    series[:, :, 1] = -series[:, :, 0]
    drawn = SineBootstrap(series, 1, 0).draw(np.random.default_rng(2))
    assert_allclose(drawn[:, :, 1], -drawn[:, :, 0], atol=1e-3)


@pytest.mark.parametrize("settings", [{}, {"resample": False}])
def test_series_that_are_no_sines_are_trained_on_as_they_are(settings: dict[str, bool]) -> None:
    steps = np.random.default_rng(3).normal(size=(60, STEPS + AHEAD, 1))
    series = waves(60, 0.1) if settings else np.cumsum(steps, axis=1).astype(np.float32)
    assert method(**settings).redrawing(series[:, :STEPS], series[:, STEPS:]) is None


def test_on_series_from_files_nothing_is_drawn() -> None:
    adapted = class_of("mlp_bootstrap").adapted({"resample": True, "flip": True, "epochs": 2}, 12)
    assert adapted == {"resample": False, "flip": False, "epochs": 2}

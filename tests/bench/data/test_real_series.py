"""Tasks on real series: their data and their baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Bench, stored

from bench.data import bundled
from bench.data.datasets import SeriesData, open_data
from bench.tasks import ALL, REAL
from implementations import METHODS
from implementations import make as make_method

SHAPES = {
    "sunspots": (309, 1, "yearly", "2009"), "co2": (526, 1, "monthly", "2002-01-01"),
    "elnino": (732, 1, "monthly", "2011-01-01"), "nile": (100, 1, "yearly", "1971"),
    "macro": (203, 4, "quarterly", "2009-10-01"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_the_series_are_what_they_are_known_as(name: str) -> None:
    data = open_data(REAL[name], {})
    assert isinstance(data, SeriesData)
    (series,) = data.found.series
    steps, channels, often, following = SHAPES[name]
    assert series.values.shape == (steps, channels)
    assert (data.found.calendar.name, data.found.calendar.at(series.end)) == (often, following)
    assert data.found.imputed == (5 if name == "co2" else 0)
    counted = tuple(len(part.series) for part in data.prepared.parts)
    assert counted == (REAL[name].train, REAL[name].validation, REAL[name].test) and min(counted) >= 10


def test_known_values() -> None:
    first = {name: open_data(REAL[name], {}).found.series[0].values for name in SHAPES}  # type: ignore[union-attr]
    assert first["sunspots"][:2, 0].tolist() == [5, 11] and first["nile"][0, 0] == 1120
    assert first["elnino"][:2, 0].tolist() == [23.11, 24.2] and first["macro"][0, 0] == 2710.349
    assert first["co2"][0, 0] == 316.1 and bundled.content("statsmodels:co2").startswith(b"month,co2\n1958-03,316.1\n")


def test_real_tasks_run_when_they_are_named(inside: Bench, tmp_path: Path) -> None:
    assert "nile" not in inside("run", "--dry-run", "--method", "last_value").stdout
    ended = inside("run", "--task", "nile", "--method", "last_value", "--method", "seasonal_naive", "--method", "theta")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    runs = {run.spec.method: run for run in stored(tmp_path / "results")}
    assert runs["last_value"].metrics == runs["seasonal_naive"].metrics and runs["theta"].status == "ok"
    board = (tmp_path / "leaderboard.md").read_text()
    assert "volume of statsmodels:nile: 1 series, 100 steps yearly" in board
    assert "python -m bench run --task nile --method" not in board and "bench run --task nile --seeds 42" in board
    listed = inside("list", "tasks").stdout
    assert all(name in listed for name in ALL)


def test_the_season_is_a_setting_of_the_classical_methods(inside: Bench) -> None:
    shown = inside("run", "--task", "co2", "--method", "seasonal_naive", "--dry-run").stdout
    assert "1 run to do" in shown and "season_length" not in shown, "no change of settings: its own row's default"


def test_the_seasonal_naive_forecast_repeats_a_season() -> None:
    history = np.arange(10, dtype=np.float32)[None, :, None]
    forecaster = make_method("seasonal_naive", "numpy", 1, season_length=4).fit(history, history[:, :2])
    assert forecaster.predict_ahead(history, 6)[0, :, 0].tolist() == [6, 7, 8, 9, 6, 7]
    with pytest.raises(ValueError, match="got 3 steps, needed at least a season of 4"):
        forecaster.predict_ahead(history[:, :3], 1)


@pytest.mark.parametrize("name", ["auto_arima", "auto_ets", "theta"])
def test_classical_methods_find_a_trend_and_a_season(name: str) -> None:
    time = np.arange(60)
    series = (10 + 0.05 * time + 3 * np.sin(2 * np.pi * time / 12)).astype(np.float32)[None, :, None]
    series += np.random.default_rng(0).normal(0, 0.1, series.shape).astype(np.float32)
    history, future = series[:, :48], series[:, 48:]
    forecaster = make_method(name, "numpy", 1, season_length=12).fit(history, future)
    assert np.abs(forecaster.predict_ahead(history, 12) - future).mean() < 0.5
    constant = np.full((1, 48, 1), 7, np.float32)
    assert (forecaster.predict_ahead(constant, 3) == 7).all()


def test_every_method_of_a_real_task_exists() -> None:
    assert {name for task in REAL.values() for name in task.methods or ()} <= set(METHODS)

"""Error against training time, as the board shows it."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from markdown_tables import tables
from synthetic import make

from bench.analysis import anytime
from bench.records import repository
from bench.reporting import leaderboard

CURVE = {"loss": [9.0, 9.0, 9.0], "seconds": [0.6, 1.4, 12.0], "val_last_step_mse": [0.3, 0.2, 0.1]}


def at(method: str = "gru", backend: str = "keras", seed: int = 42, **fields):
    return make(method, backend, seed, error=0.1, fit=12.0, **{"curve": CURVE, **fields})


def reached(*runs, seconds: float) -> float:
    return anytime.at_budget(runs, seconds, {})


@pytest.mark.parametrize(("seconds", "error"), [(0.6, 0.3), (1, 0.3), (1.4, 0.2), (11.9, 0.2), (12, 0.1), (60, 0.1)])
def test_the_last_epoch_within_the_time_counts(seconds: float, error: float) -> None:
    assert reached(at(), seconds=seconds) == pytest.approx(error)


def test_before_the_first_epoch_there_is_nothing() -> None:
    assert math.isnan(reached(at(), seconds=0.5))


def test_a_method_without_epochs_has_its_fit_and_its_forecasts() -> None:
    run = make("auto_arima", "numpy", error=0.02, curve=None, seconds={"fit": 0.0, "predict": 4.0})
    assert math.isnan(reached(run, seconds=3.9)) and reached(run, seconds=4.0) == pytest.approx(0.02)


def test_a_curve_of_one_step_ahead_is_not_one_of_all() -> None:
    run = make(error=0.5, fit=12.0, curve=CURVE)
    assert math.isnan(reached(run, seconds=12)) and reached(run, seconds=12.1) == 0.5


def test_all_seeds_count_at_the_epoch_that_undisturbed_runs_have_reached() -> None:
    """Errors are no worse for a busy machine: of a disturbed run only the seconds are left out."""
    other = {**CURVE, "seconds": [60.0, 140.0, 1200.0], "val_last_step_mse": [0.6, 0.5, 0.1]}
    runs = [at(), at(seed=43, curve=other, timing_valid=False)]
    assert reached(*runs, seconds=1) == pytest.approx(math.sqrt(0.3 * 0.6))
    assert math.isnan(reached(runs[1], seconds=1)), "no time is known"


def test_seconds_of_another_machine_are_normalised() -> None:
    run = at()
    assert anytime.at_budget([run], 1.4, {run.key: 2.0}) == pytest.approx(0.3)
    assert math.isnan(anytime.at_budget([run], 1.4, {run.key: math.nan}))


def test_a_lean_record_tells_the_same(tmp_path: Path) -> None:
    repository.write(tmp_path, at())
    (lean,), _ = repository.read(tmp_path, keep=anytime.thinned)
    assert [reached(lean, seconds=budget) for budget in anytime.BUDGETS] == pytest.approx([0.3, 0.2, 0.1])
    assert lean.curve and {name: list(values) for name, values in lean.curve.items()} == {
        "seconds": [0.6, 1.4, 12.0],
        "val_last_step_mse": [0.3, 0.2, 0.1],
    }


def test_the_board_takes_one_backend() -> None:
    """The best of three would be better by having three chances."""
    lucky = {**CURVE, "val_last_step_mse": [0.01, 0.01, 0.1]}
    runs = [at(backend="keras-jax"), at(backend="torch", curve=lucky), make("arima", "numpy", error=0.2, fit=4.0)]
    board = leaderboard.render(runs)
    shown = next(table for table in tables(board) if table[0][1:2] == ["after 1 s"])
    assert shown[1] == ["gru", "0.3000", "0.2000", "0.1000", "1"]
    assert shown[2] == ["arima [numpy]", "", "0.2000", "0.2000", "1"]
    assert "after 10 s: arima in numpy, 0.2000" in board


def test_beyond_is_marked() -> None:
    assert "the reference does not have" in leaderboard.render([make("mlp"), make("gru")])
    assert "the reference does not have" not in leaderboard.render([make("gru")])


def test_an_ensemble_is_marked_with_its_budget() -> None:
    run = make("mlp_ensemble", settings={"members": 5})
    assert "mlp_ensemble (5 nets)" in leaderboard.render([msgspec.structs.replace(run)])

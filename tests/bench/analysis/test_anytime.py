"""Error against training time, as the board shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_tables import tables
from synthetic import make

from bench.analysis import anytime
from bench.records import repository
from bench.reporting import leaderboard

CURVE = {"loss": [9.0, 9.0, 9.0], "seconds": [0.6, 1.4, 12.0], "val_last_step_mse": [0.3, 0.2, 0.1]}


def at(method: str = "gru", backend: str = "keras", seed: int = 42, **fields):
    return make(method, backend, seed, error=0.1, fit=12.0, curve=CURVE, **fields)


@pytest.mark.parametrize(("seconds", "error"), [(0.6, 0.3), (1, 0.3), (1.4, 0.2), (11.9, 0.2), (12, 0.1), (60, 0.1)])
def test_the_last_epoch_within_the_time_counts(seconds: float, error: float) -> None:
    assert anytime.reached(at(), seconds) == error


def test_before_the_first_epoch_there_is_nothing() -> None:
    assert not anytime.reached(at(), 0.5) > 0


def test_a_method_without_epochs_has_its_whole_fit() -> None:
    run = make("arima", "numpy", error=0.02, fit=4.0, curve=None)
    assert not anytime.reached(run, 3.9) > 0 and anytime.reached(run, 4.0) == 0.02


def test_a_curve_of_one_step_ahead_is_not_one_of_all() -> None:
    run = make(error=0.5, fit=12.0, curve=CURVE)
    assert not anytime.reached(run, 11) > 0 and anytime.reached(run, 12) == 0.5


def test_a_lean_record_tells_the_same(tmp_path: Path) -> None:
    repository.write(tmp_path, at())
    (lean,), _ = repository.read(tmp_path, keep=anytime.thinned)
    assert [anytime.reached(lean, budget) for budget in anytime.BUDGETS] == [0.3, 0.2, 0.1]
    assert lean.curve == {"seconds": [0.6, 1.4, 12.0], "val_last_step_mse": [0.3, 0.2, 0.1]}


def test_the_board_has_the_best_backend_at_each_time() -> None:
    slow = {**CURVE, "seconds": [2.0, 4.0, 5.0], "val_last_step_mse": [0.3, 0.2, 0.05]}
    runs = [at(), make("gru", "torch", error=0.05, fit=5.0, curve=slow), make("arima", "numpy", error=0.2, fit=4.0)]
    board = leaderboard.render(runs)
    shown = next(table for table in tables(board) if table[0][1:2] == ["after 1 s"])
    assert shown[1] == ["gru", "0.3000 keras", "0.05000 torch", "0.05000 torch"]
    assert shown[2] == ["arima", "", "0.2000 numpy", "0.2000 numpy"]
    assert "- 10 s: gru in torch, 0.05000" in board


def test_seeds_count_by_their_mean_and_disturbed_ones_not_at_all() -> None:
    other = {**CURVE, "val_last_step_mse": [0.5, 0.4, 0.3]}
    runs = [at(), make(seed=43, error=0.3, fit=12.0, curve=other), at(seed=44, timing_valid=False)]
    (row,) = anytime.table(runs).to_dict("records")
    assert (row["error_1"], row["error_10"]) == pytest.approx((0.4, 0.3))


def test_beyond_is_marked() -> None:
    assert "the notes do not have" in leaderboard.render([make("mlp"), make("gru")])
    assert "the notes do not have" not in leaderboard.render([make("gru")])

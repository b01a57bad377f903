"""Your own series from file to board: windows without leakage, the way back to your units, the command line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Bench, make_run, stored
from series_files import bundled

from bench.data.datasets import SeriesData
from bench.data.series import read_series
from bench.data.splits import prepare
from bench.data.transforms import differenced, summed
from bench.errors import UsageError
from bench.metrics import mase
from bench.reporting.commands import words
from bench.schema.series import Preparation


def data(rows: list[Any], levels: bool = False, **how: Any) -> SeriesData:
    """Windows of one series, T = 4 and H = 2 unless said otherwise."""
    text = "units\n" + "".join(f"{row}\n" for row in rows)
    preparation = Preparation(**{"file": "x.csv", "target": ("units",), "history": 4, "ahead": 2, **how})
    found = read_series(text.encode(), preparation)
    return SeriesData(found, prepare(found, preparation), levels)


def trending(steps: int, channels: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(1, 3, (1, steps, channels)), axis=1)


def test_parts_follow_each_other_in_time():
    parts = data(list(range(40)), stride=1).prepared.parts
    futures = [part.values[:, -2:, 0] for part in parts]
    assert [(future.min(), future.max()) for future in futures] == [(4, 27), (28, 33), (34, 39)]
    assert all((np.diff(part.values[:, :, 0], axis=1) == 1).all() for part in parts)


def test_validation_and_test_change_nothing_that_training_sees():
    series = trending(40)[0, :, 0]
    other = series.copy()
    other[28:] = 1e6
    for how in ({}, {"difference": True}, {"season": 3}):
        one, two = (data(list(values), **how) for values in (series, other))
        np.testing.assert_array_equal(one.split.train.history, two.split.train.history)
        np.testing.assert_array_equal(one.split.train.future, two.split.train.future)
        np.testing.assert_array_equal(one.prepared.naive, two.prepared.naive)


@pytest.mark.parametrize("lags", [[], [1], [4], [4, 1], [3, 1, 1]])
def test_differences_are_undone(lags):
    values = trending(40, channels=2)
    changes = differenced(values, lags)
    ahead = 9  # longer than a season: sums go on from what was forecast
    np.testing.assert_allclose(summed(changes[:, -ahead:], values[:, :-ahead], lags), values[:, -ahead:])


@pytest.mark.parametrize("how", [{}, {"difference": True}, {"season": 3}, {"season": 3, "difference": True}])
@pytest.mark.parametrize("levels", [False, True])
def test_a_perfect_forecast_is_one_in_your_units(how, levels):
    found = data(list(trending(60)[0, :, 0] * 1000 + 1e6), levels, **how)
    forecasts = found.split.validation.future
    got, truth = found.compared("validation", forecasts)
    np.testing.assert_allclose(got, truth, atol=1e-5)
    errors = found.original(forecasts, found.split.test.future)
    assert max(errors.rmse, errors.test_mae) < 0.01 and errors.mase < 1e-5


def test_series_are_scaled_each_by_its_own_training_part():
    text = "s,units\n" + "".join(f"small,{v}\nlarge,{1000 * v + 7}\n" for v in range(40))
    how = Preparation(file="x.csv", target=("units",), group="s", history=4, ahead=2)
    found = read_series(text.encode(), how)
    prepared = prepare(found, how)
    history = prepared.split(levels=True).train.history
    np.testing.assert_allclose(history[: len(history) // 2], history[len(history) // 2 :], rtol=1e-5)
    assert prepared.scaling.levels.centre[1] == pytest.approx(np.mean(range(28)))


def test_a_constant_series_is_read():
    found = data([5] * 40)
    assert not found.split.train.history.any()
    errors = found.original(found.split.validation.future, found.split.test.future)
    assert (errors.rmse, errors.mase) == (0, None)


def test_a_series_too_short_for_the_common_ends_says_when_training_ends():
    rows = "".join(f"2024-01-{day:02},a,1\n" for day in range(1, 31)) + "2024-01-29,b,1\n2024-01-30,b,2\n"
    how = Preparation(file="x.csv", target=("units",), group="s", history=4, ahead=2)
    found = read_series(f"date,s,units\n{rows}".encode(), how)
    with pytest.raises(UsageError, match="'b' is too short: got 2 steps, 0 of them for training .before 2024-01-23, "):
        prepare(found, how)


def test_mase_counts_series_that_have_a_scale():
    truth, forecast = np.zeros((2, 2, 1)), np.full((2, 2, 1), 3.0)
    assert mase(forecast, truth, np.array([[[2.0]], [[0.0]]])) == 1.5


def test_what_was_filled_in_is_learnt_from_but_not_scored():
    rows = [float(value) for value in range(40)]
    holes = [str(value) if value not in (10, 30) else "na" for value in rows]
    found, whole = data(holes, impute="linear").prepared.parts, data(rows).prepared.parts
    assert len(found.train.series) == len(whole.train.series)
    assert len(found.test.series) == len(whole.test.series)
    assert 30 not in found.validation.values[:, -3:] and len(found.validation.series) < len(whole.validation.series)


@pytest.mark.parametrize(
    ("rows", "how", "message"),
    [
        (
            range(8),
            {},
            "the data: the series is too short: got 8 steps, 4 of them for training, needed 4 (--history)",
        ),
        (range(12), {"history": 20}, "= 22: --history 6 is possible"),
        (range(20), {"season": 12}, "+ 12 for differences = 18"),
        (range(40), {"ahead": 0}, "--ahead 0: at least 1 is needed"),
        (range(40), {"stride": 0}, "--stride 0: at least 1 is needed"),
        ([*range(28), *["na"] * 11, 5], {"impute": "last"}, "every window of the validation part forecasts"),
    ],
)
def test_what_makes_no_window(rows, how, message):
    with pytest.raises(UsageError) as caught:
        data(list(rows), **how)
    assert message in str(caught.value)


SUNSPOTS = ("run", "--data", str(bundled("sunspots")), "--target", "SUNACTIVITY", "--history", "30", "--ahead", "5",
            "--backend", "numpy", "--jobs", "1")  # fmt: skip


def test_a_real_file_from_run_to_board(inside: Bench, tmp_path: Path) -> None:
    ended = inside(*SUNSPOTS, "--method", "last_value", "--season", "11", "--difference", "--results", "mine")
    assert ended.returncode == 0, ended.stderr
    (run,) = stored(tmp_path / "mine")
    series = [float(row[1]) for row in csv.reader(bundled("sunspots").read_text().splitlines()[1:])]
    ends = len(series) - 2 * 46, len(series) - 46  # 15 % of 309 steps for validation and test each
    truth = np.array([series[start : start + 5] for start in range(ends[0], ends[1] - 4)])
    repeated = np.array([series[start - 1] for start in range(ends[0], ends[1] - 4)])[:, None]
    assert run.metrics and run.metrics.original
    assert run.metrics.original.rmse == pytest.approx(np.sqrt(np.mean((truth - repeated) ** 2)), rel=1e-6)
    naive = np.mean(np.abs(np.array(series[11 : ends[0]]) - np.array(series[: ends[0] - 11])))
    assert run.metrics.original.mase == pytest.approx(np.mean(np.abs(truth - repeated)) / naive, rel=1e-6)
    board = (tmp_path / "mine" / "leaderboard.md").read_text()
    assert "309 steps yearly" in board and "a season of 11 steps removed" in board
    assert f"{run.metrics.original.rmse:.2f}" in board
    assert "--target SUNACTIVITY --season 11 --history 30 --ahead 5 --difference --method last_value" in board
    again = inside("run", *words([run]), "--backend", "numpy", "--method", "last_value", "--results", "mine")
    assert again.returncode == 2 and "'sunspots.csv' cannot be read: No such file" in again.stderr
    again = inside(*SUNSPOTS, "--method", "last_value", "--season", "11", "--difference", "--results", "mine")
    assert "0 runs to do, 1 there already" in again.stdout
    assert inside("plot", run.key, "--results", "mine").returncode == 0


def test_filled_values_are_stated_on_the_board(inside: Bench, tmp_path: Path) -> None:
    values = [f"{month},5" if month != 7 else "" for month in range(60)]
    rows = "".join(f"{2000 + month // 12}-{1 + month % 12:02};{value}\n" for month, value in enumerate(values))
    (tmp_path / "sales.csv").write_text(f"month;units\n{rows}", encoding="utf-8-sig")
    command = ("run", "--data", "sales.csv", "--target", "units", "--history", "6", "--ahead", "2", "--quick",
               "--backend", "numpy", "--method", "last_value")  # fmt: skip
    refused = inside(*command)
    assert refused.stdout == ""
    assert refused.returncode == 2 and not (tmp_path / "results").exists()
    assert refused.stderr == (
        "bench: sales.csv, line 9, column 'units': the value is missing: "
        "fill it in, or choose --impute linear, last, seasonal or zero\n"
    )
    ended = inside(*command, "--impute", "linear")
    assert ended.returncode == 0 and ended.stdout.startswith("sales.csv: 1 series, 60 steps monthly, windows: ")
    assert (
        "1 missing values filled in (&#45;&#45;impute linear)".replace("&#45;", "-")
        in (tmp_path / "leaderboard.md").read_text()
    )
    (run,) = stored(tmp_path / "results")
    assert run.spec.quick and "--stride" not in words([run])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "units"), "--target units: --data is needed with it"),
        (("--data", "none.csv", "--target", "x"), "'none.csv' cannot be read: No such file or directory"),
        (("--data", ".", "--target", "x"), "cannot be read: Is a directory"),
        (("--data", str(bundled("sunspots")), "--target", "SUN"), "did you mean SUNACTIVITY?"),
        (("--data", str(bundled("sunspots"))), "--target is needed: of sunspots.csv, choose from SUNACTIVITY"),
        (("--data", "x.csv", "--task", "ten-step", "--target", "x"), "--task and --data"),
        (("--data", "x.csv", "--ahead", "many"), "'many' is not a whole number"),
    ],
)
def test_bad_input_is_one_line_and_status_2(inside: Bench, tmp_path: Path, arguments, message) -> None:
    ended = inside("run", *arguments)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert message in ended.stderr and ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_records_of_tasks_keep_their_keys() -> None:
    """A spec without series of its own is encoded as before there were any."""
    assert b"series" not in msgspec.json.encode(make_run().spec)
    assert b"truth" not in msgspec.json.encode(make_run())


def test_sales_that_mostly_are_none_are_no_divergence(inside: Bench, tmp_path: Path) -> None:
    """Every validation window ends with a zero: the last value is the same for all, and right so."""
    (tmp_path / "rare.csv").write_text("units\n" + "".join(f"{int(step % 20 == 5)}\n" for step in range(60)))
    command = ("run", "--data", "rare.csv", "--target", "units", "--history", "8", "--ahead", "3", "--stride", "20")
    assert inside(*command, "--method", "last_value").returncode == 0


def test_a_run_on_a_file_is_verified_with_the_file(inside: Bench, tmp_path: Path) -> None:
    assert inside("new-method", "drift").returncode == 0
    command = (*SUNSPOTS, "--method", "last_value", "--method", "./drift.py:Drift", "--results", "mine")
    assert inside(*command).returncode == 0
    verify = ("verify", "--results", "mine")
    assert "its series are in sunspots.csv: name it with --data" in inside(*verify, "last_value").stderr
    verify += ("--data", SUNSPOTS[2])
    assert "is not of this repository: name it as ./drift.py:Drift" in inside(*verify).stderr
    verified = inside(*verify, "last_value", "./drift.py:Drift")
    assert verified.returncode == 0 and "2 bit-exact" in verified.stdout

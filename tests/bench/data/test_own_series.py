"""Your own series from file to board: windows without leakage, the way back to your units, the command line."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Bench, make_run, stored
from series_files import bundled

import implementations
from bench import metrics
from bench.data.datasets import SeriesData
from bench.data.scores import BLOCKS, scores
from bench.data.series import read_series
from bench.data.splits import Prepared, long_enough, prepare
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
    (compared,) = found.compared("validation", forecasts)
    np.testing.assert_allclose(compared.forecast, compared.truth, atol=1e-5)
    errors = scores(found, forecasts, found.split.test.future)["metrics"]
    assert max(errors["original_rmse"], errors["original_test_mae"]) < 0.01 and errors["original_mase"] < 1e-5


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
    errors = scores(found, found.split.validation.future, found.split.test.future)["metrics"]
    assert errors["original_rmse"] == 0 and not {"original_mase", "original_rmsse"} & errors.keys()


@pytest.mark.parametrize("name", ["mase", "smape", "wape", "rmse"])
def test_errors_by_block_are_of_the_metric_that_ranks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    values = random.normal(50, 9, (9, 40))
    values[3, :36] = [5, 6] * 18  # a season without an error: no scale before the last steps of the validation part
    text = "s,units\n" + "".join(f"{s},{value:.3f}\n" for s, row in enumerate(values) for value in row)
    how = Preparation(file="x.csv", target=("units",), group="s", history=4, ahead=2, origin="end", scoring_season=2)
    read = read_series(text.encode(), how)
    found = SeriesData(read, prepare(read, how))
    forecasts = found.split.validation.future + 0.5, found.split.test.future[::-1]
    main = metrics.Main(f"original_{name}", f"original_test_{name}")
    got = scores(found, *forecasts, main=main)
    assert [len(got["blocks"][part]) for part in ("validation", "test")] == [9 - (name == "mase"), 9]
    assert got["blocks_of"] == main.test and "blocks_of" not in scores(found, *forecasts)
    assert got["by_block"] == scores(found, *forecasts)["by_block"], "of squared errors, as always"
    for part, error in zip(("validation", "test"), main, strict=True):
        monkeypatch.setitem(BLOCKS, part, 1)
        whole = scores(found, *forecasts, main=main)["blocks"][part]
        assert whole == [pytest.approx(got["metrics"][error], rel=1e-3)], "one block of all windows"


def panel(**lengths: int) -> str:
    """A long file of series s that rise daily, each of so many days."""
    days = [date(2024, 1, 1) + timedelta(day) for day in range(max(lengths.values()))]
    return "date,s,units\n" + "".join(f"{day},{s},{place}\n" for s, length in lengths.items()
                                      for place, day in enumerate(days[len(days) - length :]))  # fmt: skip


HOW = Preparation(file="x.csv", target=("units",), group="s", history=4, ahead=2)


def prepared(text: str, **how: Any) -> Prepared:
    preparation = msgspec.structs.replace(HOW, **how)
    return prepare(read_series(text.encode(), preparation), preparation)


def test_each_series_is_cut_from_its_own_end():
    parts = prepared(panel(a=100, b=40)).parts
    assert [int((parts.test.series == series).sum()) for series in (0, 1)] == [14, 5]
    assert parts.validation.values[:, -1].max() < parts.test.values[:, -2].max()


def test_series_that_are_too_short_are_not_scored_and_it_is_said():
    some = prepared(panel(a=60, b=60, c=3))
    assert some.describe() == "2 of 3 series scored"
    with pytest.raises(UsageError, match="1 of 11 series are long enough to be scored: .*--drop-short leaves"):
        prepared(panel(a=60, **{f"b{number}": 5 for number in range(10)}))
    assert prepared(panel(a=60, **{f"b{number}": 5 for number in range(10)}), drop_short=True).scored == 1


def test_short_series_are_left_out_by_name():
    how = msgspec.structs.replace(HOW, drop_short=True)
    found = long_enough(read_series(panel(a=60, b=7).encode(), how), how)
    assert [one.name for one in found.series] == ["a"] and "1 series too short are left out: b" in found.notes


def test_a_constant_series_is_trained_on_but_not_scored():
    rows = "".join(f"a,{step % 7}\nb,{5 if step < 50 else 500}\n" for step in range(60))
    found = prepared(f"s,units\n{rows}")
    assert found.constant == ("b",) and set(found.parts.test.series) == {0} and set(found.parts.train.series) == {0, 1}


@pytest.mark.parametrize(
    ("how", "futures"),
    [
        ({"split": "80/10/10"}, [(4, 79), (80, 89), (90, 99)]),
        ({"split": "40/20/10"}, [(4, 39), (40, 59), (60, 69)]),
        ({"split": "2024-02-01/2024-03-01"}, [(4, 30), (31, 59), (60, 99)]),
        ({"origin": "end"}, [(4, 95), (96, 97), (98, 99)]),
        ({"cutoffs": 3}, [(4, 87), (88, 93), (94, 99)]),
        ({"test_stride": 2, "stride": 5}, [(4, 65), (70, 83), (85, 98)]),
    ],
)
def test_splits(how, futures):
    parts = prepared(panel(a=100), **how).parts
    assert [(part.values[:, -2:].min(), part.values[:, -2:].max()) for part in parts] == futures
    if "cutoffs" in how:
        assert [part.starts.tolist() for part in parts[1:]] == [[84, 86, 88], [90, 92, 94]]


@pytest.mark.parametrize("split", ["70/15", "a/b/c", "50/20/20.5", "2024-03-01/2024-02-01", "0/50/50"])
def test_splits_that_are_none(split):
    with pytest.raises(UsageError, match="--split"):
        prepared(panel(a=100), split=split)


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
        (range(40), {"ahead": 0}, "--ahead 0: needed 1 or more"),
        (range(40), {"history": 2.5}, "--history 2.5: needed a whole number"),
        (range(40), {"scoring_season": 30}, "--scoring-season 30: the longest training part has 28 steps"),
        (range(40), {"stride": 0}, "--stride 0: needed 1 or more"),
        ([*range(28), *["na"] * 11, 5], {"impute": "last"}, "every window of the validation part forecasts"),
    ],
)
def test_what_makes_no_window(rows, how, message):
    with pytest.raises(UsageError) as caught:
        data(list(rows), **how)
    assert message in str(caught.value)


SUNSPOTS = ("run", "--data", str(bundled("sunspots")), "--target", "SUNACTIVITY", "--history", "30", "--ahead", "5",
            "--backend", "numpy", "--jobs", "1")  # fmt: skip


SEASONAL = ("--season", "11", "--deseasonalise", "--difference")


def test_a_real_file_from_run_to_board(inside: Bench, tmp_path: Path) -> None:
    ended = inside(
        *SUNSPOTS, "--method", "last_value", "--season", "11", "--deseasonalise", "--difference", "--results", "mine"
    )
    assert ended.returncode == 0, ended.stderr
    (run,) = stored(tmp_path / "mine")
    series = [float(row[1]) for row in csv.reader(bundled("sunspots").read_text().splitlines()[1:])]
    ends = len(series) - 2 * 46, len(series) - 46  # 15 % of 309 steps for validation and test each
    truth = np.array([series[start : start + 5] for start in range(ends[0], ends[1] - 4)])
    repeated = np.array([series[start - 1] for start in range(ends[0], ends[1] - 4)])[:, None]
    assert run.metrics
    assert run.metrics["original_rmse"] == pytest.approx(np.sqrt(np.mean((truth - repeated) ** 2)), rel=1e-6)
    naive = np.mean(np.abs(np.array(series[11 : ends[0]]) - np.array(series[: ends[0] - 11])))
    assert run.metrics["original_mase"] == pytest.approx(np.mean(np.abs(truth - repeated)) / naive, rel=1e-6)
    board = (tmp_path / "mine" / "leaderboard.md").read_text()
    assert "309 steps yearly" in board and "a season of 11 steps removed" in board
    assert f"{run.metrics['original_rmse']:.2f}" in board
    assert (
        "--target SUNACTIVITY --season 11 --deseasonalise --history 30 --ahead 5 --difference --method last_value"
        in board
    )
    again = inside("run", *words([run]), "--backend", "numpy", "--method", "last_value", "--results", "mine")
    assert again.returncode == 2 and "'sunspots.csv' cannot be read: No such file" in again.stderr
    again = inside(
        *SUNSPOTS, "--method", "last_value", "--season", "11", "--deseasonalise", "--difference", "--results", "mine"
    )
    assert "0 runs to do, 1 skipped, already recorded" in again.stdout
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
        (("--target", "units"), "--target units: needed together with --data"),
        (("--data", "none.csv", "--target", "x"), "'none.csv' cannot be read: No such file or directory"),
        (("--data", ".", "--target", "x"), "cannot be read: Is a directory"),
        (("--data", str(bundled("sunspots")), "--target", "SUN"), "did you mean SUNACTIVITY?"),
        (("--data", str(bundled("sunspots"))), "--target: name the column to forecast; sunspots.csv has SUNACTIVITY"),
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


def test_intervals_of_classical_methods_are_scored(inside: Bench, tmp_path: Path) -> None:
    """Of random walks, 90 % intervals hold nearly all; the same forecasts as without bounds."""
    walks = np.random.default_rng(1).normal(size=(100, 2)).cumsum(axis=0)
    rows = "".join(f"{place},{a},{b}\n" for place, (a, b) in enumerate(walks.tolist()))
    (tmp_path / "walks.csv").write_text(f"step,a,b\n{rows}")
    command = ("run", "--data", "walks.csv", "--wide", "--target", "[ab]", "--history", "30", "--ahead", "3")
    assert inside(*command, "--method", "theta", "--results", "mine").returncode == 0
    (found,) = (run.metrics or {} for run in stored(tmp_path / "mine"))
    assert 75 <= found["original_test_coverage"] <= 100
    assert found["original_test_quantile_loss"] < found["original_test_wape"]
    for method in ("theta", "arima"):
        forecaster = implementations.make(method, "numpy", 42)
        history, future = (walks[None, :30].astype("f4"), walks[None, 30:33].astype("f4"))
        made = forecaster.fit(history, future).predict_intervals(history, 3, 90)  # type: ignore[attr-defined]
        np.testing.assert_array_equal(made.forecast, forecaster.predict_ahead(history, 3))
        assert (made.lower < made.forecast).all() and (made.forecast < made.upper).all()
    assert "test 90 % interval holds (%)" in (tmp_path / "mine" / "leaderboard.md").read_text()


def test_the_loss_of_quantiles() -> None:
    """Of the median alone it is the WAPE; a truth above the upper bound of 90 % costs 19 times one as far below it."""
    truth, forecast = np.array([[[3.0], [5.0]]]), np.array([[[4.0], [7.0]]])
    wide = (truth - 1, truth + 1)
    assert metrics.coverage(forecast, truth, wide) == 100 and metrics.coverage(forecast, truth, None) is None
    assert metrics.coverage(forecast, truth, (truth + 1, truth + 2)) == 0
    exact = metrics.quantile_loss(forecast, truth, (truth, truth))
    assert exact == pytest.approx(metrics.wape(forecast, truth) / 3)  # type: ignore[operator]
    above, below = (metrics.quantile_loss(truth, truth, (truth, truth + off)) for off in (-1.0, 1.0))
    assert above == pytest.approx(19 * below)  # type: ignore[operator]


def test_a_run_on_a_file_is_verified_with_the_file(inside: Bench, tmp_path: Path) -> None:
    assert inside("new", "drift").returncode == 0
    command = (*SUNSPOTS, "--method", "last_value", "--method", "./drift.py:Drift", "--results", "mine")
    assert inside(*command).returncode == 0
    verify = ("verify", "--results", "mine")
    assert "its series are in sunspots.csv: name it with --data" in inside(*verify, "last_value").stderr
    verify += ("--data", SUNSPOTS[2])
    assert "is not of this repository: name it as ./drift.py:Drift" in inside(*verify).stderr
    verified = inside(*verify, "last_value", "./drift.py:Drift")
    assert verified.returncode == 0 and "2 bit-exact" in verified.stdout


def test_windows_are_views_of_the_series() -> None:
    """Copies of 336 steps for each step of a series take gigabytes."""
    found = data(list(range(60)))
    for windows in (*found.prepared.parts[:3], *found.split):
        assert np.shares_memory(windows[0][:2], windows[0][1:3]) and len(windows[0]) > 3
    with pytest.raises(ValueError, match="read-only"):
        found.split.train.history[0] = 0


def test_scores_of_many_windows_are_those_of_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = data(list(trending(80)[0, :, 0]), difference=True)
    forecasts = found.split.validation.history[:, -2:], found.split.test.history[:, -2:]
    whole = scores(found, *forecasts)
    monkeypatch.setattr("bench.data.datasets.VALUES", 6)  # three windows
    few = scores(found, *forecasts)
    assert few["metrics"].keys() == whole["metrics"].keys()
    for name, value in whole["metrics"].items():
        assert few["metrics"][name] == pytest.approx(value), name
    assert few["mse_by_step"] == pytest.approx(whole["mse_by_step"]) and few["by_block"] == whole["by_block"]


def test_the_share_of_the_largest_series_is_shown(inside: Bench, tmp_path: Path) -> None:
    """A series that jumps behind its training part makes nearly all of the error."""
    values = {
        "calm": [place % 3 for place in range(80)],
        "jump": [place % 3 + 500 * (place > 60) * (place % 2) for place in range(80)],
    }
    rows = [f"{name},{value}\n" for name, column in values.items() for value in column]
    (tmp_path / "panel.csv").write_text("id,y\n" + "".join(rows))
    command = (
        "run --data panel.csv --target y --group id --season none --history 6 --ahead 2 --method last_value --results r"
    )
    made = inside(*command.split())
    assert made.returncode == 0, made.stderr
    board = (tmp_path / "r" / "leaderboard.md").read_text()
    assert "largest share (% of test MSE)" in board and "**Largest share**" in board
    (record,) = (tmp_path / "r").glob("panel-*/*.json")
    assert 99 < json.loads(record.read_text())["metrics"]["test_largest_share"] <= 100

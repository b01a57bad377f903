"""`bench data`: how a file is understood, and seasons that are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Bench
from series_files import bundled

from bench.data import seasons
from bench.data.preparations import preparation_of
from bench.data.series import read_series
from bench.errors import UsageError
from bench.schema.series import Reading

MONTHS = pd.date_range("2010-01-01", periods=96, freq="MS")


def monthly(season: float) -> str:
    noise = np.random.default_rng(3).normal(0, 1, 96).cumsum()
    values = 50 + noise + season * np.sin(2 * np.pi * np.arange(96) / 12)
    return "month,units\n" + "".join(
        f"{month:%Y-%m},{value:.2f}\n" for month, value in zip(MONTHS, values, strict=True)
    )


def test_a_file_as_it_is_understood(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(20))
    seen = inside("data", "sales.csv", "--target", "units", "--ahead", "6", "--output", "sales.png")
    assert seen.returncode == 0, seen.stderr
    for line in ("units     target  numbers", "1 series, 96 steps monthly", "to 2017-12-01, next 2018-01-01",
                 "the data show a season of 12 steps", "windows: 41 steps → 6 steps", "scored: 1 of 1"):  # fmt: skip
        assert line in seen.stdout, seen.stdout
    assert (tmp_path / "sales.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_wrong_with_a_file_is_said_after_what_is_right(inside: Bench, tmp_path: Path) -> None:
    rows = monthly(20).splitlines(keepends=True)
    (tmp_path / "sales.csv").write_text("".join([*rows[:30], rows[30].partition(",")[0] + ",\n", *rows[31:]]))
    seen = inside("data", "sales.csv", "--target", "units")
    assert seen.returncode == 2 and "holes: 1 values are missing" in seen.stdout
    assert seen.stderr.startswith("bench: sales.csv, line 31, column 'units': the value is missing")
    seen = inside("data", "sales.csv")
    assert seen.returncode == 2 and "--target: name the column" in seen.stderr and "month" in seen.stdout


@pytest.mark.parametrize(("season", "found"), [(20, 12), (0, None)])
def test_a_season_is_found_where_there_is_one(season: float, found: int | None) -> None:
    series = read_series(monthly(season).encode(), Reading(target=("units",)))
    assert seasons.find(series).steps == found


def test_a_slow_season_is_found_and_none_in_a_random_walk() -> None:
    """Over a year in weeks: ten times the noise, and yet less than it from week to week."""
    random, weeks = np.random.default_rng(0), np.arange("2015-01-05", "2023-12-25", 7, "datetime64[D]")
    wave = 10 * np.sin(2 * np.pi * np.arange(len(weeks)) / 52) + random.normal(size=len(weeks))
    for values, steps in ((wave, 52), (random.normal(size=len(weeks)).cumsum(), None)):
        rows = "".join(f"{week},{value:.2f}\n" for week, value in zip(weeks, values, strict=True))
        assert seasons.find(read_series(f"week,units\n{rows}".encode(), Reading(target=("units",)))).steps == steps


def test_the_test_part_says_nothing_of_the_season() -> None:
    rows = monthly(0).splitlines(keepends=True)
    changed = [
        *rows[:80],
        *(f"{row.partition(',')[0]},{900 * (place % 12 == 0)}\n" for place, row in enumerate(rows[80:])),
    ]
    series = read_series("".join(changed).encode(), Reading(target=("units",)))
    assert seasons.find(series).steps is None


def test_a_season_is_stated_found_or_none(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(monthly(20))
    target = {"target": ["units"]}

    def how(**given: object) -> tuple[int | None, list[int]]:
        found = preparation_of(file, {**target, **given})
        return found.season, found.lags

    assert how() == (12, [])
    assert how(season=6) == (6, []) and how(season="none") == (None, [])
    assert how(deseasonalise=True) == (12, [12]) and how(season=6, deseasonalise=True, difference=True) == (6, [6, 1])
    with pytest.raises(UsageError, match="there is no season to take off"):
        how(season="none", deseasonalise=True)


def test_all_options_reach_a_run_and_its_record(inside: Bench, tmp_path: Path) -> None:
    rows = "".join(
        f"{store};{month:%d/%m/%Y};1.{200 + place % 7}\n" for store in "ab" for place, month in enumerate(MONTHS)
    )
    (tmp_path / "sales.csv").write_text(f"Report\nshop;month;units\n{rows}Total;;5\n", encoding="utf-16")
    command = ("run", "--data", "sales.csv", "--target", "units", "--group", "shop", "--time", "month", "--dates",
               "%d/%m/%Y", "--thousands", ".", "--encoding", "utf-16", "--skip-rows", "1", "--skip-footer", "1",
               "--cutoffs", "3", "--history", "12", "--ahead", "4", "--season", "7", "--method", "seasonal_naive",
               "--backend", "numpy", "--jobs", "1")  # fmt: skip
    made = inside(*command)
    assert made.returncode == 0, made.stderr
    assert "2 series, 192 steps monthly" in made.stdout and "6 validation, 6 test" in made.stdout
    board = (tmp_path / "leaderboard.md").read_text()
    for words in ("--dates %d/%m/%Y", "--thousands .", "--skip-footer 1", "--cutoffs 3", "--season 7"):
        assert words in board.replace("'", ""), words
    assert "0 runs to do, 1 skipped" in inside(*command).stdout


def test_a_campaign_file_has_the_same_options(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(20).replace("-", "/"))
    data = 'file = "sales.csv"\ntarget = "units"\nseason = "none"\norigin = "end"\nahead = 6\nhistory = 20\n'
    (tmp_path / "run.toml").write_text(f'methods = ["last_value"]\nbackends = ["numpy"]\n[data]\n{data}')
    made = inside("run", "--config", "run.toml", "--dry-run")
    assert made.returncode == 0 and "1 validation, 1 test" in made.stdout, made.stderr


def test_sunspots_have_no_season_of_a_calendar() -> None:
    found = seasons.find(read_series(bundled("sunspots"), Reading(target=("SUNACTIVITY",))))
    assert found == (None, "none: values come yearly")

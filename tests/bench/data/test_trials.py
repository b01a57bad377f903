"""Small inputs made after what people report of their own series, through the command line: trials/cases.toml."""

from __future__ import annotations

import csv
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench

TRIALS = Path(__file__).parent / "trials"
CASES: list[dict[str, Any]] = tomllib.loads((TRIALS / "cases.toml").read_text())["case"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def forecast(inside: Bench, folder: Path, case: dict[str, Any], *more: str) -> Any:
    shutil.copy(TRIALS / case["file"], folder)
    method = case.get("method", "last_value")
    arguments = [str(folder / "model") if one == "MODEL" else one for one in case.get("args", [])]
    return inside("forecast", case["file"], *arguments, "--ahead", "6", "--method", method, *more)


BOTH_ORDERS = "noise_first.csv"  # takes seconds: a test of its own checks it together with the other order


@pytest.mark.parametrize("case", [pytest.param(case, id=case["file"]) for case in CASES if case["file"] != BOTH_ORDERS])
def test_a_trial(inside: Bench, tmp_path: Path, case: dict[str, Any]) -> None:
    check(forecast(inside, tmp_path, case), case, tmp_path)


def check(made: Any, case: dict[str, Any], folder: Path) -> None:
    """What the trial's case says of its forecasts, or of its error."""
    if "error" in case:
        assert made.returncode == 2 and made.stdout == "" and made.stderr.count("\n") == 1
        assert all(word in made.stderr for word in case["error"]), made.stderr
        assert not (folder / "forecast.csv").exists()
        return
    assert made.returncode == 0, made.stderr
    rows = table(folder / "forecast.csv")
    time = next(name for name in rows[0] if name in ("time", "step", *case.get("args", []))
                and name not in case.get("group", ()) and rows[0][name][:2].isdecimal())  # fmt: skip
    first = rows[0]
    if "next" in case:
        assert case["next"] in {row[time] for row in rows[::6]}, rows[0]
    if "value" in case:
        assert float(first["forecast"]) == pytest.approx(case["value"], abs=1e-9)
        assert "e" not in first["forecast"]


def trial(name: str) -> dict[str, Any]:
    return next(case for case in CASES if case["file"] == name)


def test_no_row_means_nothing_sold(inside: Bench, tmp_path: Path) -> None:
    made = forecast(inside, tmp_path, trial("sparse_sales.csv"), "--impute", "zero")
    assert made.returncode == 0, made.stderr
    assert table(tmp_path / "forecast.csv")[0]["ds"] == "2024-02-04"


def test_thousands_as_stated(inside: Bench, tmp_path: Path) -> None:
    made = forecast(inside, tmp_path, trial("tsv_thousands_comma.tsv"), "--thousands", ",")
    assert made.returncode == 0 and table(tmp_path / "forecast.csv")[0]["forecast"] == "1319"


def test_a_total_is_left_out_when_asked(inside: Bench, tmp_path: Path) -> None:
    made = forecast(inside, tmp_path, trial("footer_total.csv"), "--skip-footer", "1")
    assert made.returncode == 0 and float(table(tmp_path / "forecast.csv")[0]["forecast"]) == 97.33


def test_an_encoding_that_is_not_stated_is_guessed_at(inside: Bench, tmp_path: Path) -> None:
    made = forecast(inside, tmp_path, {**trial("latin1.csv"), "args": ["--target", "Größe"]})
    assert made.returncode == 2 and "--encoding latin-1" in made.stderr


def test_duplicates_are_an_error_unless_asked(inside: Bench, tmp_path: Path) -> None:
    made = forecast(inside, tmp_path, {**trial("transactions.csv"), "args": ["--target", "amount"]})
    assert made.returncode == 2 and "--duplicates sum, mean or last" in made.stderr
    for how, value in (("sum", 145.99), ("mean", 72.995), ("last", 48.66)):
        assert forecast(inside, tmp_path, trial("transactions.csv"), "--duplicates", how).returncode == 0
        assert float(table(tmp_path / "forecast.csv")[0]["forecast"]) == pytest.approx(value)


def test_what_was_left_out_is_said(inside: Bench, tmp_path: Path) -> None:
    said = forecast(inside, tmp_path, trial("nan_leading.csv")).stdout
    assert "9 blank values are left out before the first one" in said
    said = forecast(inside, tmp_path, trial("wide_ragged.csv")).stdout
    assert "before 2024-04-29 end C (at 2024-04-20)" in said


def test_the_order_of_series_decides_nothing(inside: Bench, tmp_path: Path) -> None:
    first = forecast(inside, tmp_path, trial(BOTH_ORDERS))
    check(first, trial(BOTH_ORDERS), tmp_path)
    rows = table(tmp_path / "forecast.csv")
    last = forecast(inside, tmp_path, {**trial(BOTH_ORDERS), "file": "noise_last.csv"})
    assert first.stdout.replace("noise_first", "") == last.stdout.replace("noise_last", "")
    assert rows == table(tmp_path / "forecast.csv")


def test_a_short_series_is_forecast_or_left_out_by_name(inside: Bench, tmp_path: Path) -> None:
    rows = (TRIALS / "new_store.csv").read_text().splitlines(keepends=True)
    (tmp_path / "stores.csv").write_text("".join([*rows[:901], *rows[-12:]]))
    command = ("forecast", "stores.csv", *trial("new_store.csv")["args"], "--ahead", "6", "--method", "last_value")
    made = inside(*command)
    assert made.returncode == 0, made.stderr
    assert {row["unique_id"] for row in table(tmp_path / "forecast.csv")} == {"old", "new"}
    made = inside(*command, "--drop-short")
    assert made.returncode == 0 and "left out: new" in made.stdout
    assert {row["unique_id"] for row in table(tmp_path / "forecast.csv")} == {"old"}

"""`bench repeat`: everything twice, and how far equal runs are apart."""

from __future__ import annotations

from pathlib import Path

import msgspec
from conftest import Bench, make_run, make_spec, stored

from bench.analysis.repeatability import Pair, pairs, summary
from bench.campaigns import repeatability
from bench.cli import render
from bench.records.codec import key_of


def pair(first: float, second: float, valid: bool = True, same: bool = True) -> Pair:
    runs = [make_run(seconds={"fit": fit}, digest={"weights": "a"}) for fit in (first, second)]
    if not same:
        runs[1] = msgspec.structs.replace(runs[1], digest={"weights": "b"})
    return Pair(runs[0], msgspec.structs.replace(runs[1], timing_valid=valid))


def test_summary_is_the_median_and_range_of_undisturbed_ratios() -> None:
    pairs = [pair(10, 10 + 0.1 * step) for step in range(-5, 6)] + [pair(1, 2), pair(10, 99, valid=False, same=False)]
    lines = summary(pairs).splitlines()
    assert lines[0] == "12 of 13 pairs are bit-exact, 12 were timed undisturbed"
    assert lines[1].startswith("all of these: ratio of fit times 1.005 (median), ")
    expected = "ratio of fit times 1.000 (median), 0.952 to 1.048 (95 % range)"
    assert lines[2] == f"those that fit for more than 5 s: {expected}"
    assert lines[3] == "9 of 11 are within 5%"  # 5 % off to the last bit is not within


def test_without_long_pairs_none_is_claimed() -> None:
    lines = summary([pair(1, 1.1)]).splitlines()
    assert lines[2:] == ["those that fit for more than 5 s: none"]


def test_disturbed_pairs_are_shown_without_a_ratio() -> None:
    rows = render.pair_table(render.pair_rows([pair(10, 11), pair(10, 12, valid=False)])).splitlines()[2:4]
    assert rows[0].split() == ["ten-step", "gru", "keras", "42", "10.00", "11.00", "1.100"]
    assert rows[1].split() == ["ten-step", "gru", "keras", "42", "10.00", "12.00", "–"]


def test_everything_runs_twice_and_goes_on_where_it_was(inside: Bench, tmp_path: Path) -> None:
    arguments = [
        "repeat",
        "twice",
        "--quick",
        "--task",
        "one-step",
        "--method",
        "last_value",
        "--method",
        "moving_average",
    ]
    done = inside(*arguments)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 pairs are bit-exact" in done.stdout and "4/4" in done.stdout
    first, second = (stored(tmp_path / "twice" / half) for half in repeatability.HALVES)
    assert [run.key for run in first] == [run.key for run in second] and len(first) == 2
    next((tmp_path / "twice" / "second").glob("*/last_value*")).unlink()
    again = inside(*arguments)
    assert again.returncode == 0 and "1/1" in again.stdout and "last_value" in again.stdout.splitlines()[0]
    assert not (tmp_path / "results").exists()


def test_bad_input_is_one_line(inside: Bench) -> None:
    done = inside("repeat", "twice", "--method", "gruu")
    assert (done.returncode, done.stdout) == (
        2,
        "",
    ) and done.stderr == "bench: unknown method 'gruu': did you mean gru or gru_tuned or mingru?\n"


def test_specs_of_pairs_are_equal() -> None:
    assert pairs([], [], [key_of(make_spec())]) == []

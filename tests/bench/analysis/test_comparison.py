"""Records of several machines in one folder, and what differs between rows."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import Bench, stored
from synthetic import ENVIRONMENT, failed, make

from bench.analysis import comparison, hardware, ranking
from bench.machine import calibration, environment
from bench.records import merge, repository
from bench.reporting import leaderboard
from bench.schema.record import Run

OTHER = {**ENVIRONMENT, "cpu": "Other"}


def keep(folder: Path, *runs: Run) -> None:
    for run in runs:
        repository.write(folder, run)


def calibrated(run: Run, seconds: float) -> Run:
    return msgspec.structs.replace(run, environment={**run.environment, calibration.CALIBRATION: seconds})


def test_merge_takes_what_is_new_and_counts_jobs_once(inside: Bench, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    digests = [{"forecasts": name * 64, "weights": "0"} for name in "ab"]
    keep(mine, make("gru", digest=digests[0]), failed(make("lstm"), "timeout"),
         make("linear", digest=digests[0]), make("wavenet"))  # fmt: skip
    keep(theirs, make("gru", digest=digests[1], environment=OTHER), make("lstm"),
         make("linear", digest=digests[0], fit=3), make("wavenet"), make("deep_rnn"),
         failed(make("conv_gru"), "timeout"))  # fmt: skip
    (theirs / "ten-step" / "torn.json").write_text("{")
    before = {run.spec.method: run for run in stored(mine)}
    merged = inside("merge", "theirs", "--results", "mine")
    assert merged.returncode == 0, merged.stderr
    assert "theirs: 1 damaged, 1 finished there, not here, 2 new, 1 run twice with other forecasts, ours counted, " in (
        merged.stdout
    )
    assert "1 run twice, counted once, 1 the same" in merged.stdout and "theirs/ten-step/torn.json" in merged.stderr
    after = {run.spec.method: run for run in stored(mine)}
    assert after.keys() == before.keys() | {"deep_rnn", "conv_gru"} and after["lstm"].status == "ok"
    assert {name: after[name] for name in ("gru", "linear")} == {name: before[name] for name in ("gru", "linear")}
    again = inside("merge", "theirs", "--results", "mine")
    assert "new" not in again.stdout and inside("leaderboard", "--check", "--results", "mine").returncode == 0


def test_the_larger_test_part_counts(tmp_path: Path) -> None:
    old, new = make(), make(error=0.011, test_series=21_000)
    assert [merge.fate_of(new, old), merge.fate_of(old, new)] == [
        "tested there on more series", "run twice, counted once",
    ]  # fmt: skip
    runs = [new, make(seed=43), make("lstm", seed=42), make("lstm", seed=43)]
    found = {one["measure"]: one for one in comparison.compare_rows(runs, "gru:keras", "lstm:keras")}
    assert found["test MSE"]["first"] == pytest.approx(1.1 * 0.011), "seed 43 was tested on fewer"
    assert found["test MSE"]["why"].startswith("tested on different series")
    assert "one common seed" in found["last-step MSE"]["why"]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n",
            "AMD EPYC, family 26, model 2",
        ),
        ("cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9554 \n", "AMD EPYC 9554"),
        ("model name\t: A CPU\n", "A CPU"),
        ("processor\t: 0\n", platform.processor() or platform.machine()),
    ],
)
def test_cpus_that_a_virtual_machine_calls_by_one_name_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, name: str
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{told}\nprocessor\t: 1\n{told}")
    monkeypatch.setattr(environment, "CPU_INFO", tmp_path / "cpuinfo")
    assert environment.cpu_model.__wrapped__() == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("none",), "no results folder 'none'"), (("there", "--results", "there"), "is the folder that is merged into")],
)
def test_what_cannot_be_merged(inside: Bench, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "there").mkdir()
    ended = inside("merge", *arguments)
    assert ended.returncode == 2 and message in ended.stderr and not (tmp_path / "results").exists()


def ranked(runs: list[Run]) -> dict[str, Any]:
    table = ranking.rank(runs)
    return {row.method: row for row in table.itertuples()}


def test_times_of_another_kind_of_machine_are_kept_apart(inside: Bench, tmp_path: Path) -> None:
    runs = [make("gru", fit=10), make("lstm", fit=20), make("linear", fit=1, environment=OTHER)]
    rows = ranked(runs)
    assert not rows["linear"].timing_valid and not rows["linear"].pareto and rows["gru"].timing_valid
    keep(tmp_path / "results", *runs)
    assert inside("pages").returncode == 0
    board = (tmp_path / "leaderboard.md").read_text()
    assert "times of Other, x86_64 are kept apart (&#96;?&#96;): without a calibration they do not compare" in board


def test_times_are_normalised_by_the_calibration() -> None:
    runs = [calibrated(make("gru", fit=10), 0.02), calibrated(make("lstm", fit=20), 0.04),
            calibrated(make("linear", fit=9, environment=OTHER), 0.09)]  # fmt: skip
    rows = ranked(runs)
    assert rows["linear"].fit_seconds == pytest.approx(3) and rows["linear"].timing_valid
    assert rows["gru"].fit_seconds == 10
    (said,) = hardware.describe_normalisation(runs)
    assert said.startswith(
        "times of Other, x86_64 are divided by 3.00, as its calibration takes so much longer than on"
    )
    assert hardware.describe_normalisation(runs[:2]) == []


def test_the_calibration_is_work_that_takes_time() -> None:
    assert 0 < calibration.seconds() < 10


def test_rows_are_compared_over_seeds(inside: Bench, tmp_path: Path) -> None:
    for seed in range(5):
        samples = {"epochs": [1 + seed / 100, 1.1], "predict": [0.1] * 5}
        keep(tmp_path / "results", make("gru", "torch", seed, 0.010 + seed / 10_000, samples=samples),
             make("lstm", "torch", seed, 0.020 + seed / 10_000, samples={**samples, "epochs": [2.0, 2.1 + seed / 100]}),
             make("linear", "torch", seed, 0.0101 + (4 - seed) / 10_000, samples=samples))  # fmt: skip
    compared = inside("compare", "gru:torch", "lstm", "--json")
    rows = {row["measure"]: row for row in json.loads(compared.stdout)}
    assert rows["last-step MSE"]["verdict"] == "differs" and rows["last-step MSE"]["why"] == "5 common seeds"
    assert rows["fit s"]["verdict"] == "differs" and rows["predict s"]["verdict"] == "within noise"
    assert "within noise" in inside("compare", "gru", "linear").stdout.splitlines()[4]


def compared_rows(inside: Bench, *arguments: str) -> dict[str, dict[str, Any]]:
    rows = json.loads(inside("compare", *arguments, "--json").stdout)
    return {row["row"]: row for row in rows if row["measure"] == "last-step MSE"}


def test_seeds_are_paired_and_too_few_said_to_be(inside: Bench, tmp_path: Path) -> None:
    """Each seed is worse by the same little, far less than seeds are apart: pairing shows it."""
    for seed, error in enumerate([0.010, 0.020, 0.015, 0.012]):
        keep(tmp_path / "results", make("gru", seed=seed, error=error),
             make("lstm", seed=seed, error=error + 0.001 + seed / 1e6),
             make("linear", seed=seed + 3, error=error))  # fmt: skip
    (row,) = compared_rows(inside, "gru", "lstm").values()
    assert row["verdict"] == "differs" and row["why"] == "4 common seeds: few, more can show smaller differences"
    keep(tmp_path / "results", make("gru", seed=9, error=0.5))
    (same,) = compared_rows(inside, "gru", "lstm").values()
    assert same == row, "a seed that one row alone has changes neither figure"
    (row,) = compared_rows(inside, "gru", "linear").values()
    assert (row["verdict"], row["p"]) == ("unknown", None) and row["why"].startswith("one common seed says nothing")
    assert "run both with --seeds 42,43,44" in inside("compare", "gru", "linear").stdout


def test_many_rows_are_corrected_for_their_number(inside: Bench, tmp_path: Path) -> None:
    """The same difference counts where it is the only one, and may be chance among forty."""
    one, other = [0.010, 0.012, 0.011, 0.013, 0.0115], [0.011, 0.0145, 0.0115, 0.0150, 0.0125]
    for seed in range(5):
        for folder, errors in (("a", one), ("b", other)):
            keep(tmp_path / folder, make("gru", seed=seed, error=errors[seed]))
            keep(tmp_path / f"{folder}s", make("gru", seed=seed, error=errors[seed]))
            for number in range(20):
                chance = 0.01 + 0.001 * ((seed * 7 + number * (3 if folder == "a" else 5)) % 11)
                keep(tmp_path / f"{folder}s", make(f"other{number}", seed=seed, error=chance))
    alone = compared_rows(inside, "a", "b")["gru:keras"]
    among = compared_rows(inside, "as", "bs")["gru:keras"]
    assert alone["verdict"] == "differs" and among["verdict"] == "within noise" and among["p"] > alone["p"]
    assert "Holm's correction over the 42 tests made here" in inside("compare", "as", "bs").stdout


def test_one_seed_is_no_comparison_unless_forecasts_are_the_same() -> None:
    same = {"forecasts": "a" * 64, "weights": "0"}
    found = comparison.errors([make("gru")], [make("lstm")])
    assert found.verdict == "unknown" and "--seeds" in found.why
    assert comparison.errors([make("gru", digest=same)], [make("lstm", digest=same)]).verdict == "same"


def test_folders_are_compared_row_by_row(inside: Bench, tmp_path: Path) -> None:
    keep(tmp_path / "a", make("gru"), make("lstm"))
    keep(tmp_path / "b", make("gru", error=0.5), make("linear", environment=OTHER))
    compared = inside("compare", "a", "b")
    assert compared.returncode == 0
    assert "only in the first folder" in compared.stdout and "only in the second folder" in compared.stdout
    assert "+4900.0" in compared.stdout


@pytest.mark.parametrize(
    ("first", "second", "compared"),
    [
        ("gru", "lstm", "gru:torch / lstm:torch"),
        ("gru:keras", "lstm", "gru:keras / lstm:keras"),
        ("gru", "gru:torch", "gru:keras / gru:torch"),
        ("gru", "linear", "gru:keras-jax / linear:keras-jax"),
        ("gru", "last_value", "gru:torch / last_value:numpy"),
    ],
)
def test_a_backend_is_chosen_and_said(inside: Bench, tmp_path: Path, first: str, second: str, compared: str) -> None:
    runs = [make(method, backend) for method in ("gru", "lstm") for backend in ("keras", "torch")]
    more = [make("gru", "torch", 43), make("lstm", "torch", 43), make("last_value", "numpy"), make("gru", "keras-jax")]
    keep(tmp_path / "results", *runs, *more, make("linear", "keras-jax"))
    ended = inside("compare", first, second)
    assert ended.returncode == 0 and compared in ended.stdout, ended.stdout + ended.stderr

    assert ended.stderr.startswith("compared: ") and ended.stderr.count("\n") == 1


def test_records_of_several_versions_of_the_code_are_marked(inside: Bench, tmp_path: Path) -> None:
    codes = {42: "a" * 64, 43: "b" * 64}
    mixed = [make("gru", seed=seed, code=code) for seed, code in codes.items()]
    keep(tmp_path / "results", *mixed, *(make("lstm", seed=seed, code="c" * 64) for seed in codes), make("linear"))
    shown = inside("leaderboard").stdout
    assert "gru‡" in shown and "lstm‡" not in shown and "‡ records of several versions of the code" in shown
    page = leaderboard.render(stored(tmp_path / "results"))
    assert "gru‡" in page and "‡: its records were made by several versions of the code" in page
    listed = json.loads(inside("list", "runs", "--json").stdout)
    assert {row["code"] for row in listed} == {"a" * 8, "b" * 8, "c" * 8, None}
    said = inside("compare", "gru", "lstm").stderr.splitlines()
    assert len(said) == 2 and said[0].startswith("mixed code: ten-step, gru:keras: 2 versions"), said
    assert said[1].startswith("other code: ten-step, lstm:keras: its records were made by other code"), said
    assert inside("compare", "linear", "linear").stderr == "", "older records do not say what made them"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gruu", "gru"), "unknown row 'gruu': did you mean gru"),
        (("gru:keras", "gru:torch", "--task", "two-step"), "unknown task with records 'two-step': did you mean"),
        (("gru:keras", "simple_rnn"), "'gru:keras' and 'simple_rnn' have no task in common"),
        (("gru", "lstm", "--results", "none"), "no results folder 'none'"),
    ],
)
def test_what_cannot_be_compared(inside: Bench, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    keep(tmp_path / "results", make("gru"), make("gru", "torch"), make("simple_rnn", task="one-step"))
    ended = inside("compare", *arguments)
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1

"""`bench verify`: records that come out again, nearly, or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT, Bench, make_run, stored

from bench.analysis.verification import judge
from bench.records import repository
from bench.schema.record import Run

DIGEST = {"forecasts": "a", "weights": "b"}


def scaled(by: float) -> dict[str, float]:
    """The metrics of `make_run` with another last-step MSE."""
    metrics = make_run().metrics or {}
    return {**metrics, "last_step_mse": metrics["last_step_mse"] * by}


@pytest.fixture
def quick(inside: Bench, tmp_path: Path) -> list[Run]:
    """Two records of runs that take no time."""
    done = inside("run", "--quick", "--task", "one-step", "--method", "last_value", "--method", "moving_average")
    assert done.returncode == 0, done.stderr
    return stored(tmp_path / "results")


def test_records_come_out_again(inside: Bench, quick: list[Run], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.glob("**/*") if path.is_file()}
    done = inside("verify")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 records to run again, in about ")
    assert done.stdout.endswith("\n2 bit-exact, 0 within tolerance, 0 not reproduced\n")
    assert all(f"{run.key}  bit-exact" in done.stdout for run in quick)
    assert {path: path.read_bytes() for path in tmp_path.glob("**/*") if path.is_file()} == before


def test_records_are_chosen_by_method_pattern_and_key(inside: Bench, quick: list[Run]) -> None:
    last, average = sorted(quick, key=lambda run: run.spec.method)
    for name, run, other in (
        ("last_v*", last, average),
        ("moving_average", average, last),
        (last.key[:10], last, average),
    ):
        done = inside("verify", name)
        assert done.returncode == 0 and run.key in done.stdout and other.key not in done.stdout
        assert done.stdout.startswith("1 record to run")


def test_a_record_that_does_not_come_out_again(inside: Bench, quick: list[Run], tmp_path: Path) -> None:
    """Another forecast, and so another error, was recorded: by other code, or on another machine."""
    run = next(run for run in quick if run.spec.method == "last_value")
    assert run.metrics and run.digest
    for by, status, words in (
        (1.004, 0, "within tolerance: last_step_mse 0.398 % off"),
        (1.5, 1, "not reproduced: last_step_mse 33.3 % off"),
    ):
        metrics = {**run.metrics, "last_step_mse": run.metrics["last_step_mse"] * by}
        repository.write(tmp_path / "results", msgspec.structs.replace(run, metrics=metrics, digest=DIGEST))
        done = inside("verify", run.key)
        assert done.returncode == status
        assert words in done.stdout
    done = inside("verify", run.key, "--tolerance", "0.4")
    assert done.returncode == 0 and "within tolerance: last_step_mse 33.3 % off" in done.stdout


@pytest.mark.parametrize(
    ("record", "again", "expected"),
    [
        (make_run(digest=DIGEST), make_run(digest=DIGEST), "bit-exact"),
        (
            make_run(digest=DIGEST),
            make_run(digest={**DIGEST, "weights": "c"}),
            "within tolerance: last_step_mse 0 % off",
        ),
        (
            make_run(digest=DIGEST, metrics=scaled(0.9)),
            make_run(digest=DIGEST),
            "not reproduced: equal digests, but last_step_mse 0.11 off: the record does not fit its own forecasts",
        ),
        (
            make_run(digest=DIGEST, environment={"cpu": "A", "packages": {"torch": "2.12", "jax": "0.1"}}),
            make_run(
                digest=None, metrics=scaled(2), environment={"cpu": "B", "packages": {"torch": "2.13", "jax": "0.1"}}
            ),
            "not reproduced: last_step_mse 100 % off (CPU A then, B now, torch 2.12 then, 2.13 now)",
        ),
        (
            make_run(),
            make_run(status="failed", reason="ValueError: no", metrics=None),
            "not reproduced: failed now, ok in the record: ValueError: no",
        ),
        (
            make_run(status="diverged", reason="loss is nan in epoch 2", metrics=None),
            make_run(status="diverged", reason="loss is nan in epoch 2", metrics=None),
            "bit-exact: diverged again",
        ),
        (make_run(digest=DIGEST), make_run(digest=DIGEST, metrics=scaled(1 + 1e-15)), "bit-exact"),
        (
            make_run(digest=DIGEST),
            make_run(digest=DIGEST, test_series=21_000, metrics={**scaled(1), "test_mse": 0.5}),
            "bit-exact",
        ),
    ],
)
def test_verdicts(record: Run, again: Run, expected: str) -> None:
    assert str(judge(record, again, 0.01)) == expected


def test_a_record_under_an_old_name_is_run_again_by_either_name(inside: Bench, tmp_path: Path) -> None:
    (record,) = (ROOT / "results" / "ten-step").glob("oracle--numpy--seed42--*.json")
    (tmp_path / "results" / "ten-step").mkdir(parents=True)
    shutil.copy(record, tmp_path / "results" / "ten-step")
    for name in ("oracle", "least_squares_oracle"):
        done = inside("verify", name)
        assert done.returncode == 0, done.stderr
        assert "9ad7ba1acff0a05a  within tolerance" in done.stdout
    assert inside("list", "methods").stdout.count("oracle") == 1
    asked = inside("run", "--method", "oracle", "--task", "ten-step", "--dry-run")
    assert "least_squares_oracle" in asked.stdout and "1 run to do" in asked.stdout


def test_bad_input_is_one_line(inside: Bench, quick: list[Run]) -> None:
    for arguments, message in (
        (["last_valu"], "bench: unknown key or method with a record 'last_valu': did you mean last_value?"),
        (["0" * 16], f"bench: no run with key '{'0' * 16}'"),
        (["--tolerance", "1.5"], "bench: --tolerance 1.5: needed a share of at least 0 and below 1"),
        (["--tolerance", "many"], "bench: Invalid value for '--tolerance': 'many' is not a number"),
        (["--results", "nowhere"], "bench: no records to verify: `python -m bench run` makes them"),
        (["--jobs", "0"], "bench: --jobs 0: needed 1 to "),
    ):
        done = inside("verify", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(message) and done.stderr.count("\n") == 1

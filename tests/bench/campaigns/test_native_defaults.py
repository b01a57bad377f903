"""Runs with each framework's own defaults, `--defaults native`: runs and rows apart from the others."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from conftest import Bench, make_spec, stored
from synthetic import make

from bench.analysis import ranking
from bench.records.codec import key_of
from bench.reporting import leaderboard
from bench.schema.record import Run


def native(run: Run) -> Run:
    """The record as one of native defaults."""
    spec = msgspec.structs.replace(run.spec, defaults="native")
    return msgspec.structs.replace(run, spec=spec, key=key_of(spec))


def test_a_native_run_is_another_run_and_default_keys_stay() -> None:
    spec = make_spec()
    assert "defaults" not in msgspec.json.decode(msgspec.json.encode(spec))
    assert key_of(spec) == "47a51b60a63358a4"
    assert key_of(msgspec.structs.replace(spec, defaults="native")) != key_of(spec)


def test_native_runs_are_rows_of_their_own() -> None:
    runs = [make(error=0.01), native(make(error=0.02)), make("lstm", error=0.03)]
    table = ranking.by_method(ranking.rank(runs))
    assert list(zip(table["method"], table["native"], table["place"], strict=True)) == [
        ("gru", False, 1),
        ("lstm", False, 2),
        ("gru", True, 1),
    ]
    board = leaderboard.render(runs)
    assert "gru (native defaults)" in board
    assert "| gru    | keras   |        0.01100 |         0.02200 |  2.00 |     1 |" in board
    assert "own defaults do" not in leaderboard.render(runs[::2])


def test_the_cost_of_native_defaults_is_over_common_seeds() -> None:
    runs = [make(seed=seed, error=error) for seed, error in ((1, 0.01), (2, 0.03), (3, 0.5))]
    runs += [native(make(seed=seed, error=error)) for seed, error in ((1, 0.02), (2, 0.04))] + [native(make("lstm"))]
    (row,) = ranking.cost_of_native(ranking.rank(runs)).itertuples()
    assert (row.method, row.backend, row.seeds) == ("gru", "keras", 2)
    assert (row.equal, row.native, row.ratio) == pytest.approx((0.022, 0.033, 1.5))


@pytest.mark.xdist_group("defaults_torch.py-torch")
def test_run_with_native_defaults(inside: Bench, tmp_path: Path) -> None:
    arguments = [
        "run",
        "--quick",
        "--task",
        "one-step",
        "--method",
        "linear",
        "--method",
        "last_value",
        "--backend",
        "torch",
    ]
    assert inside(*arguments).returncode == 0
    done = inside(*arguments, "--defaults", "native")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 run to do, 1 skipped, already recorded")
    runs = {(run.spec.method, run.spec.native): run for run in stored(tmp_path / "results")}
    assert runs.keys() == {("last_value", False), ("linear", False), ("linear", True)}
    assert runs["linear", True].digest != runs["linear", False].digest
    verified = inside("verify", runs["linear", True].key)
    assert verified.returncode == 0 and "native" in verified.stdout and "bit-exact" in verified.stdout
    assert '"defaults": "native"' in inside("list", "runs", "--json").stdout


def test_unknown_defaults_are_named(inside: Bench) -> None:
    done = inside("run", "--defaults", "natve")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bench: unknown value of --defaults 'natve': did you mean native?\n"

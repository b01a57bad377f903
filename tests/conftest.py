"""The command line as a user meets it, in a folder of its own; and methods that go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.cli import app
from bench.execution.orders import Order, unfinished
from bench.records import repository
from bench.schema.record import Run, Spec
from implementations import METHODS

ROOT = Path(__file__).parent.parent
FAULTY = Path(__file__).parent / "faulty"

Bench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Child processes know the methods of tests/faulty; the file where they note their process ids."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(FAULTY)]))
    monkeypatch.setenv("FAULTY_PIDS", str(tmp_path / "pids"))
    return tmp_path / "pids"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """Call `python -m bench` in an empty folder, if need be by way of a command that comes before it."""
    if str(ROOT) not in os.environ.get("PYTHONPATH", ""):
        monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def call(*arguments: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "bench", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return call


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    """The same in this process, where no framework is needed: a second sooner."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        capsys.readouterr()
        status = app.main()
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    known = dict(METHODS)
    yield call
    METHODS.clear()
    METHODS.update(known)  # without those from outside


def make_spec(**changes: object) -> Spec:
    """A spec that no test runs."""
    spec = Spec(task="ten-step", method="gru", backend="keras", seed=42, settings={"epochs": 20}, data_sha256="0" * 64)
    return msgspec.structs.replace(spec, **changes)


def make_run(spec: Spec | None = None, **changes: object) -> Run:
    """A finished run of the spec with made-up measures."""
    order = Order(spec=spec or make_spec(), spawned_ns=0, started_at="2026-01-01T00:00:00+00:00", workers=1)
    finished = {
        "status": "ok",
        "reason": None,
        "metrics": {"val_mse": 0.2, "last_step_mse": 0.1, "test_mse": 0.1, "val_mae": 0.3, "val_smape": 9.0},
        "mse_by_step": [0.1],
        "seconds": {"start": 0.1, "fit": 20.0, "predict": 0.1, "total": 30.0},
        "timing_valid": True,
        "timing_reason": None,
    }
    return msgspec.structs.replace(unfinished(order, "failed", "none", {}), **{**finished, **changes})


def older(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record as schemas 1 and 2 had them: metrics in one set with their lists."""
    rest = {name: value for name, value in fields.items() if name != "mse_by_step"}
    metrics = fields["metrics"] and {**fields["metrics"], "mse_by_step": fields["mse_by_step"]}
    return {**rest, "metrics": metrics, "schema": 2}


def stored(folder: Path) -> list[Run]:
    """The records in a folder, none of them damaged."""
    runs, problems = repository.read(folder)
    assert not problems
    return runs

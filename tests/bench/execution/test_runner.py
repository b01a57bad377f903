"""Workers that end well, badly, late or not at all: real processes, real kills."""

from __future__ import annotations

import os
import socket

import pytest
from conftest import make_spec

import implementations
from bench.campaigns.selection import data_digest
from bench.execution import measure, runner
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.orders import EPOCH
from bench.machine import threads
from bench.machine.system.cores import pinned
from bench.schema.record import Run, Spec
from bench.tasks import TASKS

QUICK = TASKS["ten-step"].quick()


def spec_for(method: str, seed: int = 42) -> Spec:
    return make_spec(method=method, backend="numpy", seed=seed, settings={}, quick=True, data_sha256=data_digest(QUICK))


def run_all(*methods: str, workers: int = 2, timeout: float = 60) -> dict[str, Run]:
    jobs = [Job(spec_for(method)) for method in methods]
    return {run.spec.method: run for _, run in runner.run(jobs, Limits(workers, timeout))}


def test_a_finished_run_is_complete(faulty):
    (run,) = run_all("last_value").values()
    assert run.status == "ok" and run.reason is None and run.metrics and run.seconds and run.samples and run.digest
    assert len(run.mse_by_step) == 10
    assert run.metrics["val_mse"] == run.metrics["last_step_mse"] == pytest.approx(sum(run.mse_by_step) / 10)
    phases = [
        "start",
        "import",
        "data",
        "build",
        "first_step",
        "fit",
        "validate",
        "predict_first",
        "predict",
        "evaluate",
    ]
    assert all(0 <= run.seconds[phase] < run.seconds["total"] for phase in phases)
    assert len(run.samples["predict"]) >= 5
    assert [len(row) for row in run.examples or []] == [10, 10, 10]
    assert run.environment["threads"] == run.environment["affinity"] == 1
    assert run.environment["workers"] == 2


def test_running_again_gives_the_same_digest(faulty):
    first, second = (run_all("last_value")["last_value"] for _ in range(2))
    assert first.digest == second.digest and first.metrics == second.metrics


def test_idle_time_is_not_a_methods_time(faulty):
    run = run_all("idles")["idles"]
    assert run.status == "ok" and not run.timing_valid
    assert "of a core during fit" in (run.timing_reason or "")


def test_a_worker_that_breaks_before_its_job(faulty, monkeypatch, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "msgspec.py").write_text("raise ImportError('no msgspec here')")
    monkeypatch.setattr(threads, "ROOT", tmp_path / "broken")
    run = run_all("last_value")["last_value"]
    assert (run.status, run.reason) == ("failed", "exit status 1: ImportError: no msgspec here")


def test_a_network_marks_its_epochs_while_it_trains(monkeypatch):
    monkeypatch.setattr(measure, "LOOK", 0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        network = implementations.make("gru", "torch", 42)
        with measure.epochs_marked(network, measure.Channels(0, 0, theirs.fileno())):
            network.curve = {"loss": [0.3, 0.2, 0.1]}
            assert ours.recv(8) == bytes([EPOCH]) * 3


def test_workers_have_a_core_each(faulty):
    assert len(threads.cores()) >= 1
    before = os.sched_getaffinity(0)
    with pinned(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before

"""Workers that serve several runs: the same results, times that do not rank, and faults that stay with their run."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Bench, make_spec
from fault_injection import alive, pids

from bench.campaigns.selection import data_digest
from bench.execution import jobs, reuse
from bench.execution.limits import Limits
from bench.execution.pool import WorkerPool
from bench.machine import threads
from bench.schema.record import Run, Spec
from bench.tasks import TASKS
from implementations import default_settings

TASK = TASKS["one-step"].quick()


def spec_for(method: str, backend: str, seed: int, **settings: object) -> Spec:
    named = {"task": TASK.name, "method": method, "backend": backend, "seed": seed, "quick": True}
    return make_spec(**named, settings=settings, data_sha256=data_digest(TASK))


def run_all(specs: list[Spec], again: bool, timeout: float = 60) -> list[Run]:
    """Run them one after another on one core that nobody else has to leave first."""
    pool = WorkerPool(Limits(1, timeout, reuse=again), held=threads.cores()[:1])
    try:
        return [pool.run(spec) for spec in specs]
    finally:
        pool.stop()
        pool.close()


def served_before(runs: list[Run]) -> list[bool]:
    return [reuse.SERVED in (run.timing_reason or "") and not run.timing_valid for run in runs]


def test_results_are_equal_bit_for_bit_and_times_do_not_rank() -> None:
    specs = [spec_for("linear", "torch", seed, **{**default_settings("linear"), "epochs": 2}) for seed in (42, 43, 44)]
    fresh, again = (run_all(specs, way) for way in (False, True))
    assert [run.digest for run in fresh] == [run.digest for run in again] and fresh[0].digest != fresh[1].digest
    assert [run.metrics for run in fresh] == [run.metrics for run in again]
    assert [run.key for run in fresh] == [run.key for run in again]
    assert (served_before(fresh), served_before(again)) == ([False] * 3, [False, True, True])
    first, *others = (run.seconds["import"] for run in again if run.seconds)
    assert all(seconds < first / 10 for seconds in others), "the framework was imported once"


@pytest.mark.parametrize("method", ["second_kills", "second_fails", "second_hangs"])
def test_what_fails_in_a_worker_that_served_others_is_made_again_in_a_fresh_one(faulty: Path, method: str) -> None:
    """Each goes wrong in the second run of its interpreter."""
    runs = run_all([spec_for(method, "numpy", seed) for seed in (1, 2)], True, timeout=4)
    assert [run.status for run in runs] == ["ok"] * 2 and served_before(runs) == [False] * 2
    assert not any(map(alive, pids(faulty)))


def test_a_worker_that_leaves_a_process_serves_nobody_else(faulty: Path) -> None:
    specs = [spec_for(method, "numpy", seed) for method in ("litters", "last_value") for seed in (1, 2)]
    runs = run_all(specs, True)
    assert [run.status for run in runs] == ["ok"] * 4 and served_before(runs) == [False, False, False, True]
    assert len(pids(faulty)) == 2 and not any(map(alive, pids(faulty)))


def test_runs_of_a_method_come_one_after_another() -> None:
    specs = [make_spec(method=method, backend=backend) for method in ("gru", "lstm") for backend in ("torch", "keras")]
    mixed = [jobs.Job(spec) for spec in [*specs, *specs[::-1]]]
    kinds = [(job.spec.method, job.spec.backend) for job in jobs.together(mixed)]
    assert kinds == [(spec.method, spec.backend) for spec in specs for _ in range(2)]


def test_a_cluster_has_no_workers_to_use_again(inside: Bench) -> None:
    ended = inside("run", "--cluster", "local:2", "--reuse-workers")
    assert ended.returncode == 2 and "--reuse-workers: got --cluster" in ended.stderr

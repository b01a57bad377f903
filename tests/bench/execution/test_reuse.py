"""Workers that serve several runs: the same results, times that do not rank, and faults that stay with their run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Bench, make_run, make_spec
from fault_injection import alive, pids

from bench.campaigns.selection import data_digest
from bench.execution import jobs, reuse
from bench.execution.limits import Limits
from bench.execution.line import Line
from bench.execution.pool import WorkerPool
from bench.machine import threads
from bench.schema.record import Run, Spec
from bench.tasks import TASKS
from implementations import default_settings

TASK = TASKS["one-step"].quick()
PACES = [("keras", 10.0), ("keras-jax", 3.0), ("keras-jax", 1.0), ("torch", 10.0)]


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


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first run's worker serve the second already."""
    monkeypatch.setattr(reuse, "TIMED", 1)


@pytest.mark.usefixtures("at_once")
def test_a_used_worker_has_the_results_of_a_fresh_one_bit_for_bit() -> None:
    """The third run has the first one's seed; test_compilation.py has the same for Keras."""
    settings = {**default_settings("linear"), "epochs": 2}
    runs = run_all([spec_for("linear", "torch", seed, **settings) for seed in (42, 43, 42)], True)
    assert served_before(runs) == [False, True, True]
    first, other, again = runs
    assert (first.key, first.digest, first.metrics) == (again.key, again.digest, again.metrics)
    assert first.digest != other.digest
    imports = [run.seconds["import"] for run in runs if run.seconds]
    assert all(seconds < imports[0] / 10 for seconds in imports[1:]), "the framework was imported once"


def test_times_in_used_workers_rank_where_they_are_those_of_fresh_ones() -> None:
    """Fits of seconds in Keras; of others a row's first three runs have fresh workers."""
    runs = [make_run(make_spec(backend=backend), seconds={"fit": fit, "total": fit}) for backend, fit in PACES]
    assert [reuse.marked(run, 1).timing_valid for run in runs] == [True, True, False, False]
    short = [spec_for("last_value", "numpy", seed) for seed in range(4)]
    assert served_before(run_all(short, True)) == [False] * 3 + [True]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("method", ["second_kills", "second_fails", "second_hangs"])
def test_what_fails_in_a_worker_that_served_others_is_made_again_in_a_fresh_one(faulty: Path, method: str) -> None:
    """Each goes wrong in the second run of its interpreter."""
    runs = run_all([spec_for(method, "numpy", seed) for seed in (1, 2)], True, timeout=4)
    assert [run.status for run in runs] == ["ok"] * 2 and served_before(runs) == [False] * 2
    assert not any(map(alive, pids(faulty)))


@pytest.mark.usefixtures("at_once")
def test_a_worker_that_leaves_a_process_serves_nobody_else(faulty: Path) -> None:
    specs = [spec_for(method, "numpy", seed) for method in ("litters", "last_value") for seed in (1, 2)]
    runs = run_all(specs, True)
    assert [run.status for run in runs] == ["ok"] * 4 and served_before(runs) == [False, False, False, True]
    assert len(pids(faulty)) == 2 and not any(map(alive, pids(faulty)))


def test_a_thread_stays_with_a_method_and_the_waves_with_their_order() -> None:
    specs = [make_spec(method=method, backend="torch", seed=seed) for seed in range(5) for method in ("gru", "lstm")]
    line = Line(jobs.jobs(specs, [], force=False), reuse.kind_of)
    taken = [line.take().spec for _ in specs]
    assert [spec.seed for spec in taken] == [0, 0, 1, 2, 1, 2, 3, 4, 3, 4]
    assert [len({spec.method for spec in taken[at : at + 2]}) for at in (2, 4, 6, 8)] == [1] * 4


def test_two_threads_take_two_methods_and_then_share_the_last() -> None:
    specs = [
        make_spec(method=method, seed=seed) for method, seeds in (("gru", 3), ("lstm", 1)) for seed in range(seeds)
    ]
    line, taken = Line([jobs.Job(spec) for spec in specs], reuse.kind_of), []
    with ThreadPoolExecutor(1) as other:
        for take in (line.take, lambda: other.submit(line.take).result()) * 2:
            taken.append(take().spec.method)
    assert taken == ["gru", "lstm", "gru", "gru"]


def test_a_job_of_another_campaign_comes_last() -> None:
    line = Line([jobs.Job(make_spec(seed=seed)) for seed in range(3)])
    line.put_back(line.take())
    assert [line.take().spec.seed for _ in range(3)] == [1, 2, 0]


def test_a_cluster_has_no_workers_to_use_again(inside: Bench) -> None:
    ended = inside("run", "--cluster", "local:2", "--reuse-workers")
    assert ended.returncode == 2 and "--reuse-workers: got --cluster" in ended.stderr

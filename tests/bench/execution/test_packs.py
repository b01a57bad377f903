"""Seeds trained side by side: a record for each, under the key of a single run, marked; times do not rank."""

from __future__ import annotations

from typing import Any

import pytest
from children import cases, failure
from conftest import Bench, make_spec

from bench.analysis.table import frame
from bench.campaigns.selection import data_digest
from bench.execution import packs
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.pool import WorkerPool
from bench.machine import threads
from bench.records.codec import key_of
from bench.tasks import TASKS
from implementations import default_settings, make, packing

RUN = ["run", "--task", "ten-step", "--quick", "--backend", "keras-jax"]
FILES = {"keras-jax": "packed_seeds.py"}


@pytest.mark.parametrize(("backend", "check"), cases(FILES))
def test_each_seed_comes_out_as_from_a_run_of_its_own(backend: str, check: str) -> None:
    problem = failure(FILES[backend], backend, check)
    assert problem is None, problem


@pytest.mark.parametrize(
    ("method", "settings", "reason"),
    [
        ("mlp_ensemble", {}, "several networks"),
        ("linear", {"holdout": 0.2}, "stops at another epoch"),
        ("linear", {"select": "validation"}, "stops at another epoch"),
    ],
)
def test_what_cannot_be_packed_says_why(method: str, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=f"{method} cannot be packed: .*{reason}"):
        packing.Pack(make(method, "keras-jax", 7, **settings), (7, 8))


def test_packs_are_of_runs_that_differ_in_the_seed_alone() -> None:
    specs = [make_spec(method=method, backend="keras-jax", seed=seed) for seed in (2, 1) for method in ("lstm", "gru")]
    jobs = [Job(spec) for spec in [*specs, make_spec(method="lstm", backend="torch")]]
    found = packs.packs_of(jobs)
    assert found == {job.key: (1, 2) for job in jobs[:4]}
    order = [(job.spec.method, job.spec.seed) for job in packs.in_order(jobs, found)]
    assert order[:4] == [("lstm", 2), ("lstm", 1), ("gru", 2), ("gru", 1)]


def test_packed_runs_have_a_record_each_that_is_marked() -> None:
    task = TASKS["ten-step"].quick()
    settings = {**default_settings("nlinear"), "epochs": 1}
    named = {"task": task.name, "method": "nlinear", "backend": "keras-jax", "quick": True, "settings": settings}
    specs = [make_spec(**named, seed=seed, data_sha256=data_digest(task)) for seed in (42, 43)]
    pool = WorkerPool(Limits(1, 60, pack=True), held=threads.cores()[:1])
    pool.packs = packs.packs_of([Job(spec) for spec in specs])
    try:
        runs = [pool.run(spec) for spec in specs]
    finally:
        pool.stop()
        pool.close()
    assert [run.status for run in runs] == ["ok", "ok"] and [run.key for run in runs] == [*map(key_of, specs)]
    assert runs[0].digest != runs[1].digest and [run.environment["packed"] for run in runs] == [2, 2]
    assert all("2 seeds were trained side by side" in (run.timing_reason or "") for run in runs)
    assert not any(run.timing_valid for run in runs)
    assert [*frame(runs)["changed"]] == [("packed",)] * 2, "a row of their own"
    first, second = (run.seconds["import"] for run in runs if run.seconds)
    assert second < first / 10, "one worker had both"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--seeds", "42-43", "--jobs", "2"], "--pack-seeds: got --jobs 2"),
        (["--seeds", "42-43", "--cluster", "local:2"], "--pack-seeds: got --cluster"),
        (["--seeds", "42-43", "--reuse-workers"], "--pack-seeds: got --reuse-workers"),
        (["--seeds", "42"], "it has one seed"),
        (["--seeds", "42-43", "--method", "arima"], "nothing to pack: arima on numpy"),
    ],
)
def test_what_makes_no_sense_is_refused(inside: Bench, options: list[str], word: str) -> None:
    method = [] if "--method" in options else ["--method", "linear"]
    ended = inside(*RUN, "--pack-seeds", *method, *options)
    assert ended.returncode == 2 and word in ended.stderr and "Traceback" not in ended.stderr

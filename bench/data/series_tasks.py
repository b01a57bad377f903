"""Tasks on the series of a file, and the task that a spec was run on."""

from __future__ import annotations

import hashlib
import re

import msgspec

from bench.schema.record import Run, Spec
from bench.schema.series import Preparation
from bench.tasks import ALL, ON_SERIES, SEARCHES, Task
from bench.tasks.main_metric import has_blocks, main_of


def task_of(spec: Spec) -> Task | None:
    """Return the task of a spec, on as much data as it runs on.

    None when this version of the benchmark no longer has it.
    """
    if spec.series:
        return task_on(spec.series, spec.task)
    task = ALL.get(spec.task) or SEARCHES.get(spec.task)
    return task.quick() if task and spec.quick else task


def test_series_of(run: Run) -> int:
    """Return how many generated series a run was tested on; 0 on series of a file, whose digest tells test parts apart.

    Records from before the test part grew do not say it: they have the series that were drawn with all others.
    """
    if run.test_series:
        return run.test_series
    task = None if run.spec.series else task_of(run.spec)
    return task.test if task else 0


def is_outdated(run: Run) -> bool:
    """Return whether a run was tested on fewer series than its task has now, or its record has no errors by block.

    Errors by block have to be of the metric that ranks the task.
    """
    if run.status != "ok":
        return False
    task = None if run.spec.series else task_of(run.spec)
    grown = task is not None and task.test + task.further_test > test_series_of(run)
    return grown or not has_blocks(run, main_of(run.spec))


def task_on(series: Preparation, name: str) -> Task:
    """Return a task on the series of a file."""
    return Task.of_series(series, name=name, **ON_SERIES)


def name_of(series: Preparation, data: str) -> str:
    """Return what a file's task is called: the file, the first target, and a digest of the data and how it is read."""
    stem = re.sub(r"\.(csv|tsv|txt|parquet|pq)$", "", series.file, flags=re.IGNORECASE)
    words = [re.sub(r"\W+", "_", word, flags=re.ASCII).strip("_") for word in (stem, *series.target[:1])]
    told_apart = hashlib.sha256(msgspec.json.encode([series, data], order="sorted")).hexdigest()[:6]
    return "-".join([*(word[:30] for word in words if word), told_apart])

"""Folders of many records: this repository's own, again and again under other seeds."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec

from bench.machine import environment
from bench.records import codec, repository
from bench.schema.record import Run
from bench.tasks import TASKS
from implementations import METHODS

FIRST_SEED = 1000  # of the copies: none of them stands for a run that was made


def fill(folder: Path, count: int) -> list[Run]:
    """Write `count` records into the folder, not synced to the disk as those of real runs are."""
    committed, _ = repository.read(environment.ROOT / "results")
    rows = (run for run in committed if run.spec.plain and is_default(run))
    originals = {copy(run, FIRST_SEED).key: run for run in rows}.values()  # those of one seed
    copies = (copy(run, seed) for seed in itertools.count(FIRST_SEED) for run in originals)
    runs = list(itertools.islice(copies, count))
    for run in runs:
        path = folder / codec.path_of(run.spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(codec.encode(run))
    return runs


def copy(run: Run, seed: int) -> Run:
    """Return the record as it would be had the run had this seed."""
    spec = msgspec.structs.replace(run.spec, seed=seed)
    return msgspec.structs.replace(run, spec=spec, key=codec.key_of(spec))


def is_default(run: Run) -> bool:
    """Return whether a plain `run` asks for it: a method of the task's default set, under its name of today."""
    task = TASKS.get(run.spec.task)
    return task is not None and run.spec.method in METHODS and task.runs(run.spec.method)

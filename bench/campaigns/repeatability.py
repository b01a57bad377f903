"""Two equal campaigns side by side, to measure how far equal runs' times are apart (A/A)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from bench.analysis import repeatability
from bench.analysis.repeatability import Pair
from bench.campaigns.request import Selection
from bench.campaigns.run import Finished, Outcome
from bench.campaigns.selection import specs
from bench.execution import jobs as queue
from bench.execution import runner
from bench.execution.activity import Activities
from bench.execution.coordination import Stopped
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.records import codec, repository
from bench.schema.record import Spec

HALVES = ("first", "second")


@dataclass(frozen=True)
class Plan:
    """What either half lacks, the two of a pair one after the other."""

    wanted: Sequence[Spec]
    jobs: Sequence[Job]
    waiting: dict[str, set[str]]  # half -> keys of the jobs that are its own


def plan(selection: Selection, folder: Path) -> Plan:
    """Plan the selection twice. Raises UsageError where records cannot be written."""
    wanted = specs(selection)
    for half in HALVES:
        repository.check_writable(folder / half)
    left = [queue.jobs(wanted, repository.read(folder / half)[0], force=False) for half in HALVES]
    waiting = {half: {job.key for job in jobs} for half, jobs in zip(HALVES, left, strict=True)}
    return Plan(wanted, [job for job in chain.from_iterable(zip_longest(*left)) if job is not None], waiting)


def run(
    planned: Plan,
    limits: Limits,
    folder: Path,
    on_finished: Finished = lambda *_: None,
    activities: Activities | None = None,
) -> Outcome:
    """Run the jobs and keep each record in the half that lacks it."""
    waiting = {half: set(keys) for half, keys in planned.waiting.items()}
    done = failed = 0
    try:
        with contextlib.closing(runner.run(planned.jobs, limits, activities=activities)) as finished:
            for job, record in finished:
                assert record is not None  # no other campaign shares these jobs
                half = next(half for half in HALVES if job.key in waiting[half])
                waiting[half].remove(job.key)
                repository.write(folder / half, record)
                done, failed = done + 1, failed + (record.status != "ok")
                on_finished(job, record, None)
    except Stopped as stop:
        return Outcome(len(planned.jobs), done, failed, stop.number)
    return Outcome(len(planned.jobs), done, failed)


def pairs(folder: Path, wanted: Sequence[Spec]) -> list[Pair]:
    """Return the runs of both halves that succeeded, of these specs."""
    first, second = (repository.read(folder / half)[0] for half in HALVES)
    return repeatability.pairs(first, second, [codec.key_of(spec) for spec in wanted])

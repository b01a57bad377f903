"""What `python -m bench run` does, step by step: plan, show or run, keep every record, render the board."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.campaigns.selection import Selection, specs, understood
from bench.cli import progress
from bench.execution import jobs as plan
from bench.execution import runner
from bench.execution.coordination import Stopped
from bench.execution.jobs import Job
from bench.execution.limits import LEAST_MEMORY as LEAST_MEMORY
from bench.execution.limits import Limits as Limits
from bench.execution.limits import check_cluster as check_cluster
from bench.execution.limits import check_memory as check_memory
from bench.execution.limits import check_timeout as check_timeout
from bench.execution.limits import check_workers as check_workers
from bench.records import codec, files, locks, repository
from bench.records.stores import Place
from bench.schema.record import Run, Spec
from bench.text import clean

SIMILAR = 50  # earlier runs of a method that say how long the next one takes


@dataclass(frozen=True)
class Plan:
    """The jobs to run, and the selection's records, those that are there already and those to come."""

    jobs: Sequence[Job]
    names: frozenset[str]  # of all the selection's records
    known: Mapping[str, Run]  # by name
    files: Mapping[str, str]  # see Selection


def make(selections: Sequence[Selection], folder: Place, force: bool) -> Plan:
    """`plan_of` all that is selected."""
    with repository.collection_paused():
        named = dict(item for selection in selections for item in selection.files.items())
        found = [spec for selection in selections for spec in specs(selection)]
    for read in dict.fromkeys(filter(None, map(understood, selections))):
        print(clean(read, longest=400))
    return plan_of(found, named, folder, force)


def plan_of(found: Iterable[Spec], named: Mapping[str, str], folder: Place, force: bool = False) -> Plan:
    """The jobs of the specs that have no record, after one line on each of their files that is not a record.

    named: where on this machine lies what the specs name, see Selection.files.
    """
    with repository.collection_paused():
        wanted = {codec.name_of(spec, codec.key_of(spec)): spec for spec in found}
        known, problems = repository.look_up(folder, wanted)
        left = [spec for name, spec in wanted.items() if force or name not in known]
        others, _ = repository.look_up(folder, similar(folder, left, known))
        jobs = plan.jobs(wanted.values(), [*known.values(), *others.values()], force)
    for problem in problems:
        print(clean(f"left out: {problem}", longest=400), file=sys.stderr)
    print(describe(jobs, len(wanted), known.values()))
    return Plan(jobs, frozenset(wanted), known, files.absolute(named))


def similar(folder: Place, wanted: Iterable[Spec], known: Mapping[str, Run]) -> list[str]:
    """The names of some more records of the same methods: they tell how long these will take."""
    methods = {f"{spec.task}/{spec.method}" for spec in wanted}
    found: dict[str, list[str]] = {}
    for name in repository.names(folder) if methods else []:
        method, _, rest = name.partition("--")
        if method in methods and name not in known:
            found.setdefault(f"{method}--{rest.partition('--')[0]}", []).append(name)
    return [name for names in found.values() for name in names[:SIMILAR]]


def describe(jobs: Sequence[Job], wanted: int, known: Iterable[Run]) -> str:
    """What is about to happen, in one line."""
    retried = {entry.key for entry in known if not entry.is_final} & {job.key for job in jobs}
    kept = wanted - len(jobs)
    parts = [f"{len(jobs)} {'run' if len(jobs) == 1 else 'runs'} to do"]
    parts += [f"{kept} there already (--force runs them again)"] if kept else []
    parts += [f"{len(retried)} that did not finish before"] if retried else []
    return ", ".join(parts)


def show(planned: Plan, workers: int | None) -> int:
    """Print the jobs with predicted minutes, and run nothing."""
    from tabulate import tabulate

    header = ["task", "method", "backend", "seed", "changed", "minutes", "key"]
    if planned.jobs:
        print(tabulate([row(job) for job in planned.jobs], header, disable_numparse=True))
    at_once = f"{workers} at once" if workers else "one after another"
    print(f"in all {minutes(plan.makespan(planned.jobs, workers or 1))} minutes, {at_once}")
    return 0


def row(job: Job) -> list[str]:
    """A job's cells."""
    spec = job.spec
    changed = " ".join(spec.differences())
    return [spec.task, spec.method, spec.backend, str(spec.seed), changed, minutes(job.predicted), job.key]


def minutes(seconds: float | None) -> str:
    """Seconds as minutes; a question mark where no record tells."""
    return "?" if seconds is None else f"{seconds / 60:.1f}"


def run(planned: Plan, limits: Limits, folder: Place, board: Path) -> int:
    """Run the jobs, keep each record at once, render the board; 0 when all went well, 1 when a run did not."""
    repository.check_writable(folder)
    files.sweep(board.parent, files.TEMPORARY)
    failed = 0
    try:
        with (
            locks.of(folder, planned.known) as share,
            progress.Progress(planned.jobs) as display,
            contextlib.closing(started(planned, limits, share)) as finished,
        ):
            for job, record in finished:
                earlier = repository.keep(folder, record) if record else None
                display.show(job, record, earlier)
                failed += record is not None and record.status != "ok"
    except Stopped as stop:
        return stopped(stop, planned, folder)
    close(planned, folder, board)
    return 1 if failed else 0


def started(planned: Plan, limits: Limits, share: locks.NoLocks) -> Generator[tuple[Job, Run | None], None, None]:
    """The jobs with their records as they end, run on this machine or on a cluster's."""
    if limits.cluster is None:
        return runner.run(planned.jobs, limits, share, planned.files)
    from bench.execution.cluster import client

    return client.run(planned.jobs, limits, share, planned.files)


def stopped(stop: Stopped, planned: Plan, folder: Place) -> int:
    """Say what is kept and how to go on; the exit status that a shell expects after the signal."""
    names = [job.name for job in planned.jobs]
    kept, _ = repository.look_up(folder, names)
    done = sum(entry != planned.known.get(name) for name, entry in kept.items())
    name = signal.Signals(stop.number).name
    kept_runs = f"{done} of {len(planned.jobs)} runs are kept"
    print(f"stopped by {name}: {kept_runs}; the same command goes on from here", file=sys.stderr)
    return 128 + stop.number


def close(planned: Plan, folder: Place, board: Path) -> None:
    """Render the board and show the selection's best rows."""
    from bench.reporting import leaderboard

    leaderboard.write(folder, board)
    kept, _ = repository.look_up(folder, sorted(planned.names))
    print(f"\n{progress.best(kept.values())}\n\n{board} is rendered from the records in {folder}")

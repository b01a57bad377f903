"""A campaign: plan which runs have no record yet, make them, keep every record at once. Prints nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from bench.campaigns.request import Selection
from bench.campaigns.selection import choose_tasks, open_data, places_of, specs, understood
from bench.data.series_tasks import is_outdated
from bench.execution import jobs as queue
from bench.execution import provenance, runner
from bench.execution.activity import Activities
from bench.execution.coordination import Stopped
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.records import codec, files, locks, published, repository
from bench.records.stores import Place, Remote
from bench.schema.record import Run, Spec
from bench.schema.series import Preparation
from bench.tasks import REAL

SIMILAR = 50  # earlier runs of a method that say how long the next one takes
RETIMED = 3  # times that disturbed runs are run again in one campaign

#: called with each job as it ends, its record (None: another campaign made it), and why the earlier record stays
Finished = Callable[[Job, Run | None, str | None], None]


@dataclass(frozen=True)
class Plan:
    """The jobs to run, and the selection's records: those there are and those to come."""

    jobs: Sequence[Job]
    names: frozenset[str]  # of all the selection's records
    known: Mapping[str, Run]  # by name
    files: Mapping[str, str]  # see Selection
    problems: Sequence[str] = ()  # lines about files that are no valid records
    stale: frozenset[str] = frozenset()  # names of records that a run now would not make again
    outdated: frozenset[str] = frozenset()  # of these, the records that were scored in an older way
    data: Sequence[str] = ()  # how each file of series was understood, in words

    @property
    def skipped(self) -> int:
        """Count the runs that are recorded already."""
        return len(self.names) - len(self.jobs)

    @property
    def retried(self) -> int:
        """Count the jobs that have a record of a run which did not finish."""
        unfinished = {entry.key for entry in self.known.values() if not entry.is_final}
        return len(unfinished & {job.key for job in self.jobs})


@dataclass(frozen=True)
class Outcome:
    """How a campaign ended."""

    jobs: int
    kept: int  # of the jobs, those with a record that is new
    failed: int = 0  # of the jobs, those whose run did not succeed
    signal: int | None = None  # that stopped it

    @property
    def status(self) -> int:
        """Return the exit status: 0 when all went well, 1 when a run did not, 128 + N after signal N."""
        return 128 + self.signal if self.signal else min(self.failed, 1)


@dataclass(frozen=True)
class Again:
    """Which jobs with a record are run again."""

    every: bool = False
    stale: bool = False  # those that a run now would not make so, see `is_stale`
    disturbed: bool = False  # those whose row has too few undisturbed times, see `disturbed`


NONE = Again()


def plans(selections: Sequence[Selection], folder: Place, again: Again = NONE) -> Iterator[Plan]:
    """Yield the plan of all that is selected, then those of what was disturbed on the way, at most RETIMED times.

    Raises UsageError for anything that does not exist.
    """
    yield make(selections, folder, again)
    for _ in range(RETIMED if again.disturbed else 0):
        left = make(selections, folder, Again(disturbed=True))
        if not left.jobs:
            return
        yield left


def make(selections: Sequence[Selection], folder: Place, again: Again = NONE) -> Plan:
    """Plan all that is selected. Raises UsageError for anything that does not exist."""
    with repository.collection_paused():
        places = dict(item for selection in selections for item in places_of(selection).items())
        found = [spec for selection in selections for spec in specs(selection)]
    data = tuple(dict.fromkeys([*filter(None, map(understood, selections)), *gates(selections)]))
    return replace(plan_of(found, places, folder, again), data=data)


def gates(selections: Iterable[Selection]) -> Iterator[str]:
    """Yield how the naive errors of each task with published figures compare. Raises UsageError where they differ."""
    full = [selection for selection in selections if not (selection.quick or selection.series)]
    tasks = [task for selection in full for task in choose_tasks(selection) if task.name in REAL]
    if not tasks:
        return
    from bench.analysis import gate  # loads pandas, which no other plan needs

    for task in tasks:
        if passed := [*gate.check(task.name, partial(open_data, task))]:
            yield f"{task.name}: gate open: {', '.join(map(str, passed))}"


def plan_of(found: Iterable[Spec], places: Mapping[str, str], folder: Place, again: Again = NONE) -> Plan:
    """Plan the specs that have no record yet, and those that are to be run again.

    places: where on this machine lies what the specs name, see Selection.files.
    """
    with repository.collection_paused():
        wanted = {codec.name_of(spec, codec.key_of(spec)): spec for spec in found}
        known, problems = repository.look_up(folder, wanted)
        code_now = provenance.codes_of(places)
        stale = frozenset(name for name, run in known.items() if is_stale(run, code_now))
        old = stale if again.stale else frozenset()
        if again.disturbed:
            old |= disturbed({name: run for name, run in known.items() if name not in old}, wanted)
        left = [spec for name, spec in wanted.items() if again.every or name not in known or name in old]
        alike, _ = repository.look_up(folder, similar(folder, left, known))
        jobs = queue.jobs(
            wanted.values(),
            [*known.values(), *alike.values()],
            again.every,
            {known[name].key for name in old},
            published.of_kinds({queue.kind(spec) for spec in left if in_published_task(spec)}),
        )
    outdated = frozenset(name for name in stale if is_outdated(known[name]))
    return Plan(jobs, frozenset(wanted), known, files.absolute(places), problems, stale, outdated)


def in_published_task(spec: Spec) -> bool:
    """Return whether published records may tell its time: they hold no run on a user's file, and take memory."""
    return not isinstance(spec.series, Preparation) or spec.series.bundled


def is_stale(run: Run, code_now: Callable[[Spec], str]) -> bool:
    """Return whether a run of a record's spec would be another one now.

    It would be made by other code (older records do not say by which they were), or scored in another way.
    """
    return is_outdated(run) or is_of_other_code(run, code_now)


def is_of_other_code(run: Run, code_now: Callable[[Spec], str]) -> bool:
    """Return whether a record was made by other code than a run of it would be now; False where it does not say."""
    return bool(run.code) and run.code != code_now(run.spec)


def disturbed(known: Mapping[str, Run], wanted: Mapping[str, Spec]) -> set[str]:
    """Return the names of disturbed runs to time again, of rows that would else have fewer than times.FEWEST.

    A row's runs differ in the seed alone. Those that have no record yet will be timed, and may be enough. known: the
    records that stay as they are, by name.
    """
    from bench.analysis.times import FEWEST

    rows: dict[bytes, list[str]] = {}
    for name, spec in wanted.items():
        rows.setdefault(msgspec.json.encode(msgspec.structs.replace(spec, seed=0)), []).append(name)
    found: set[str] = set()
    for names in rows.values():
        busy = [name for name in names if name in known and known[name].status == "ok" and not known[name].timing_valid]
        timed = sum(name not in known or known[name].timing_valid for name in names)
        found |= set(busy[: max(FEWEST - timed, 0)])
    return found


def similar(folder: Place, wanted: Iterable[Spec], known: Mapping[str, Run]) -> list[str]:
    """Return the names of some more records of the same methods: they tell how long these will take."""
    methods = {f"{spec.task}/{spec.method}" for spec in wanted}
    found: dict[str, list[str]] = {}
    for name in repository.names(folder) if methods else []:
        method, _, rest = name.partition("--")
        if method in methods and name not in known:
            found.setdefault(f"{method}--{rest.partition('--')[0]}", []).append(name)
    return [name for names in found.values() for name in names[:SIMILAR]]


def run(
    planned: Plan,
    limits: Limits,
    folder: Place,
    on_finished: Finished = lambda *_: None,
    activities: Activities | None = None,
) -> Outcome:
    """Run the jobs and keep each record at once; a signal ends it after the record at hand.

    activities: where to keep what each run is at, on this machine. Raises UsageError where records cannot be kept.
    """
    repository.check_writable(folder)
    failed = 0
    try:
        with (
            locks.of(folder, planned.known) as taken,
            contextlib.closing(started(planned, limits, taken, folder, activities)) as finished,
        ):
            for job, record in finished:
                earlier = repository.keep(folder, record) if record else None
                failed += record is not None and record.status != "ok"
                on_finished(job, record, earlier)
    except Stopped as stop:
        return Outcome(len(planned.jobs), new_records(planned, folder), failed, stop.number)
    return Outcome(len(planned.jobs), len(planned.jobs), failed)


def started(
    planned: Plan, limits: Limits, taken: locks.NoLocks, folder: Place, activities: Activities | None
) -> Generator[tuple[Job, Run | None], None, None]:
    """Yield the jobs with their records as they end, run on this machine or on a cluster's."""
    if limits.cluster is None:
        closed = () if isinstance(folder, Remote) else (Path(folder).absolute(),)
        return runner.run(planned.jobs, replace(limits, read_only=closed), taken, planned.files, activities=activities)
    from bench.execution.cluster import client

    return client.run(planned.jobs, limits, taken, planned.files)


def new_records(planned: Plan, folder: Place) -> int:
    """Count the jobs whose record is there and is not the one there was."""
    kept, _ = repository.look_up(folder, [job.name for job in planned.jobs])
    return sum(entry != planned.known.get(name) for name, entry in kept.items())

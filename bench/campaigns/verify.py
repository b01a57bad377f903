"""Run records again as their specs say, and judge what comes out. Writes nothing."""

from __future__ import annotations

import contextlib
import fnmatch
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analysis.verification import Verdict, judge, judge_fresh
from bench.errors import UsageError, unknown
from bench.execution import jobs as queue
from bench.execution import runner, user_methods
from bench.execution.handing import DataSource, new_draw
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.records import files, repository, stores
from bench.records.stores import Place
from bench.schema.record import Run
from implementations import current_name
from implementations.user_methods import is_reference


@dataclass(frozen=True)
class Plan:
    """The records to run again."""

    jobs: Sequence[Job]
    records: Mapping[str, Run]  # by key
    files: Mapping[str, str]  # where the files lie that the specs name
    problems: Sequence[str]  # lines about files that are no valid records
    fresh: bool = False  # on series that are drawn just now


def plan(folder: Place, names: Sequence[str], data: Path | None = None, fresh: bool = False) -> Plan:
    """Plan to run the records of these methods or keys again; without a name, all.

    Records on a user's series need `data`, their file; those of user methods `./mine.py:Mine` as a name. Raises
    UsageError for what is not recorded and for a file that is not named.
    """
    found, problems = repository.read(folder)
    published = repository.read(stores.published_of(folder)).runs if names else []
    names, outsiders = user_methods.register(names)
    places = files.absolute(outsiders.files | ({"series": str(data)} if data else {}))
    records = {record.key: record for record in choose(found, names, published) if not (fresh and record.spec.series)}
    if fresh and not records:
        raise UsageError("--fresh needs records on generated series, got a file's series: leave --fresh out")
    check_files(list(records.values()), places)
    jobs = queue.jobs([record.spec for record in records.values()], found, force=True)
    return Plan(jobs, records, places, problems, fresh)


def choose(runs: Sequence[Run], names: Sequence[str], others: Sequence[Run] = ()) -> list[Run]:
    """Return the records of these methods (names or patterns) and keys (or their beginnings), all without a name.

    Only those of runs that came to an end: others have nothing to reproduce. others: records that only a key chooses,
    as their data may have to be downloaded. Raises UsageError for an unknown name.
    """
    ended, others = ([run for run in some if run.is_final] for some in (runs, others))
    if not ended and not others:
        raise UsageError("no records to verify: `python -m bench run` makes them")
    chosen = {run.key for name in names for run in named(ended, name, others)} if names else {run.key for run in ended}
    return [run for run in [*ended, *others] if run.key in chosen]


def named(runs: Sequence[Run], name: str, others: Sequence[Run]) -> list[Run]:
    """Return the records of the methods that match, or the one with that key, also one of the others."""
    if found := [run for run in runs if fnmatch.fnmatchcase(current_name(run.spec.method), current_name(name))]:
        return found
    if re.fullmatch("[0-9a-f]+", name):
        return [repository.find([*runs, *others], name)]
    raise unknown("key or method with a record", name, dict.fromkeys(run.spec.method for run in runs))


def check_files(records: Sequence[Run], places: Mapping[str, str]) -> None:
    """Raise UsageError for the first record that needs a file which was not named."""
    for record in records:
        series, source = record.spec.series, record.spec.source
        if series and not series.bundled and "series" not in places:
            raise UsageError(f"{record.spec.task}: its series are in {series.file}: name it with --data")
        if source and is_reference(source.reference) and record.spec.method not in places:
            raise UsageError(f"{record.spec.method} is not of this repository: name it as ./{source.reference}")


def check_tolerance(tolerance: float) -> float:
    """Return the tolerance. Raises UsageError unless it is a share that a difference can be compared with."""
    if not 0 <= tolerance < 1:
        raise UsageError(f"--tolerance {tolerance:g}: needed a share of at least 0 and below 1, such as 0.01")
    return tolerance


def run(planned: Plan, limits: Limits, tolerance: float) -> Generator[tuple[Run, Verdict], None, None]:
    """Run the records again; yields each second run with the verdict, as it ends. Raises Stopped on a signal."""
    data = DataSource(planned.files, new_draw) if planned.fresh else None
    with contextlib.closing(runner.run(planned.jobs, limits, files=planned.files, data=data)) as finished:
        for job, again in finished:
            assert again is not None  # no other campaign shares these jobs
            record = planned.records[job.key]
            yield again, judge_fresh(record, again) if planned.fresh else judge(record, again, tolerance)

"""What `python -m bench verify` does: run records again as their specs say, and compare what comes out."""

from __future__ import annotations

import contextlib
import fnmatch
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.analysis.verification import CLOSE, EXACT, OTHER, judge
from bench.cli.progress import name_of
from bench.errors import UsageError, unknown
from bench.execution import jobs as plan
from bench.execution import runner, user_methods
from bench.execution.coordination import Stopped
from bench.execution.limits import Limits
from bench.records import files, repository
from bench.records.stores import Place
from bench.schema.record import Run
from implementations import current_name


def choose(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The records of these methods (names or patterns) and keys (or their beginnings), all without a name.

    Only those of runs that came to an end: others have nothing to reproduce. Raises UsageError for an unknown name.
    """
    ended = [run for run in runs if run.is_final]
    if not ended:
        raise UsageError("no records to verify: `python -m bench run` makes them")
    chosen = {run.key for name in names for run in named(ended, name)} if names else {run.key for run in ended}
    return [run for run in ended if run.key in chosen]


def named(runs: Sequence[Run], name: str) -> list[Run]:
    """The records of the methods that match, or the one with that key."""
    if found := [run for run in runs if fnmatch.fnmatchcase(current_name(run.spec.method), name)]:
        return found
    if re.fullmatch("[0-9a-f]+", name):
        return [repository.find(runs, name)]
    raise unknown("key or method with a record", name, dict.fromkeys(run.spec.method for run in runs))


def check_files(records: Sequence[Run], places: Mapping[str, str]) -> None:
    """Raise UsageError for the first record that needs a file which was not named."""
    for record in records:
        series, source = record.spec.series, record.spec.source
        if series and not series.bundled and "series" not in places:
            raise UsageError(f"{record.spec.task}: its series are in {series.file}: name it with --data")
        if source and ".py:" in source.reference and record.spec.method not in places:
            raise UsageError(f"{record.spec.method} is not of this repository: name it as ./{source.reference}")


def check_tolerance(tolerance: float) -> None:
    """Raise UsageError unless it is a share that a difference can be compared with."""
    if not 0 <= tolerance < 1:
        raise UsageError(f"--tolerance {tolerance:g}: a share of at least 0 and below 1 is needed, such as 0.01")


def run(
    folder: Place, names: Sequence[str], workers: int, timeout: float, tolerance: float, data: Path | None = None
) -> int:
    """Run the records again, print a verdict for each; 0 when all are reproduced, else 1. Nothing is written.

    Records on series of the user's need `data`, their file; those of methods from outside, `./mine.py:Mine` as a name.
    """
    check_tolerance(tolerance)
    found, problems = repository.read(folder)
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    names, outsiders = user_methods.register(names)
    places = files.absolute(outsiders.files | ({"series": str(data)} if data else {}))
    records = {record.key: record for record in choose(found, names)}
    check_files(list(records.values()), places)
    jobs = plan.jobs([record.spec for record in records.values()], found, force=True)
    minutes = (plan.makespan(jobs, workers) or 0) / 60
    print(f"{len(jobs)} {'record' if len(jobs) == 1 else 'records'} to run again, in about {minutes:.1f} minutes")
    counts = Counter[str]()
    try:
        with contextlib.closing(runner.run(jobs, Limits(workers, timeout), files=places)) as finished:
            for job, again in finished:
                assert again is not None  # no other campaign shares these jobs
                verdict = judge(records[job.key], again, tolerance)
                counts[verdict.word] += 1
                print(f"{name_of(again.spec)}  {job.key}  {verdict}", flush=True)
    except Stopped as stop:
        print(f"stopped by {stop} after {counts.total()} of {len(jobs)} records", file=sys.stderr)
        return 128 + stop.number
    print(summary(counts))
    return 1 if counts[OTHER] else 0


def summary(counts: Counter[str]) -> str:
    """All verdicts in one line."""
    return ", ".join(f"{counts[word]} {word}" for word in (EXACT, CLOSE, OTHER))

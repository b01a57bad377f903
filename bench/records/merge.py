"""`python -m bench merge`: records of other folders, as from other machines, into one; each job counts once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from bench.errors import UsageError
from bench.execution import jobs
from bench.records import repository, stores
from bench.records.repository import Run
from bench.records.stores import Place


def merge(others: Sequence[Place], folder: Place) -> int:
    """Take what is new from the other folders, and say what was taken and what was not."""
    for other in others:
        if not stores.of(other).exists():
            raise UsageError(f"no results folder {str(other)!r}")
        if stores.is_same(other, folder):
            raise UsageError(f"{str(other)!r} is the folder that is merged into")
    repository.check_writable(folder)
    known = {run.key: run for run in repository.read(folder)[0]}
    for other in others:
        print(f"{other}: {summary(take(other, folder, known))}")
    return 0


def take(other: Place, folder: Place, known: dict[str, Run]) -> Counter[str]:
    """Write the other folder's new records, and count what became of each; `known` grows."""
    runs, problems = repository.read(other)
    for problem in problems:
        print(f"left out: {other.name}/{problem}", file=sys.stderr)
    fates = Counter(dict.fromkeys(["damaged"], len(problems)))
    for run in runs:
        fate = fate_of(run, known.get(run.key))
        if fate in ("new", "finished there, not here"):
            repository.write(folder, run)
            known[run.key] = run
        elif fate != "the same":
            print(f"{run.key} {run.spec.task} {run.spec.method} {run.spec.backend} seed {run.spec.seed}: {fate}")
        fates[fate] += 1
    return fates


def fate_of(theirs: Run, ours: Run | None) -> str:
    """What becomes of a record of another folder."""
    if ours is None:
        return "new"
    if theirs == ours:
        return "the same"
    if theirs.status in jobs.KEPT and ours.status not in jobs.KEPT:
        return "finished there, not here"
    if theirs.status not in jobs.KEPT or ours.digest == theirs.digest:
        return "run twice, counted once"
    return "run twice with other forecasts, ours counted"


def summary(fates: Counter[str]) -> str:
    """The counts in words."""
    return ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()) if count) or "nothing"

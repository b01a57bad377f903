"""Records of other folders, as from other machines, taken into one; each job counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.errors import UsageError
from bench.records import repository, stores
from bench.records.stores import Place
from bench.schema.record import Run
from bench.text import clean

TAKEN = ("new", "finished there, not here", "tested there on more series")


@dataclass
class Taken:
    """What became of another folder's records."""

    fates: Counter[str] = field(default_factory=Counter)  # how many of each fate
    conflicts: list[str] = field(default_factory=list)  # one line for each record that was run twice
    problems: list[str] = field(default_factory=list)  # one line for each file that is no valid record

    def summary(self) -> str:
        """Return the counts in words."""
        return ", ".join(f"{count} {fate}" for fate, count in sorted(self.fates.items()) if count) or "nothing"


def merge(others: Sequence[Place], place: Place) -> Iterator[tuple[Place, Taken]]:
    """Take what is new from the other folders, one after another; yields each with what became of its records.

    Raises UsageError, before anything is written, for a folder that is not there and for the one merged into.
    """
    for other in others:
        if not stores.of(other).exists():
            raise UsageError(f"no results folder {str(other)!r}")
        if stores.is_same(other, place):
            raise UsageError(f"{str(other)!r} is the folder that is merged into")
    repository.check_writable(place)
    known = {run.key: run for run in repository.read(place).runs}
    for other in others:
        yield other, take(other, place, known)


def take(other: Place, place: Place, known: dict[str, Run]) -> Taken:
    """Write the other folder's new records, and count what became of each; `known` grows."""
    runs, problems = repository.read(other)
    taken = Taken(problems=[f"{clean(other.name)}/{problem}" for problem in problems])
    taken.fates["damaged"] = len(problems)
    for run in runs:
        fate = fate_of(run, known.get(run.key))
        if fate in TAKEN:
            repository.write(place, run)
            known[run.key] = run
        elif fate != "the same":
            spec = run.spec
            line = f"{run.key} {spec.task} {spec.method} {spec.backend} seed {spec.seed}: {fate}"
            taken.conflicts.append(clean(line, longest=400))
        taken.fates[fate] += 1
    return taken


def fate_of(theirs: Run, ours: Run | None) -> str:
    """Return what becomes of a record of another folder."""
    if ours is None:
        return "new"
    if theirs == ours:
        return "the same"
    if theirs.is_final and not ours.is_final:
        return "finished there, not here"
    if theirs.is_final and (theirs.test_series or 0) > (ours.test_series or 0):
        return "tested there on more series"
    if not theirs.is_final or ours.digest == theirs.digest:
        return "run twice, counted once"
    return "run twice with other forecasts, ours counted"

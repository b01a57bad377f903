"""Kinds of machines: times of one board come from one kind, are normalised to it, or are kept apart.

The kind that most of a board's records come from is the one that times are given for. Records carry the seconds of one
fixed piece of work (`bench.machine.calibration`); where both kinds have it, times are multiplied by the ratio.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from bench.records.repository import Run

CALIBRATION = "calibration_seconds"
APART = "timed on another kind of machine"


def kind(run: Run) -> str:
    """What a run's machine is, as far as times depend on it."""
    known = run.environment.get
    parts = [str(part) for part in (known("cpu"), known("architecture"), known("gpu")) if part]
    return ", ".join(parts) or "unknown machine"


def comparable(runs: Sequence[Run]) -> list[Run]:
    """The runs with times that can be ranked against each other: those of other kinds normalised, or not valid."""
    own = [kind(run) for run in runs]
    usual, factors = references(runs, own), calibrations(runs, own)
    return [with_times_of(run, one, usual[board(run)], factors) for run, one in zip(runs, own, strict=True)]


def board(run: Run) -> tuple[str, bool]:
    """Runs that share this are ranked against each other."""
    return run.spec.task, run.spec.quick


def references(runs: Iterable[Run], own: Iterable[str]) -> dict[tuple[str, bool], str]:
    """The kind of machine that most of each board's records come from; own: that of each run."""
    counts: dict[tuple[str, bool], Counter[str]] = {}
    for (name, one), count in Counter(zip(map(board, runs), own, strict=True)).items():
        counts.setdefault(name, Counter())[one] = count
    return {name: min(found, key=lambda one: (-found[one], one)) for name, found in counts.items()}


def calibrations(runs: Iterable[Run], own: Iterable[str]) -> dict[str, float]:
    """The median seconds of the fixed work on each kind of machine that has recorded any; own: that of each run."""
    found: dict[str, list[float]] = {}
    for run, one in zip(runs, own, strict=True):
        seconds = run.environment.get(CALIBRATION)
        if isinstance(seconds, float) and seconds > 0:
            found.setdefault(one, []).append(seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def with_times_of(run: Run, own: str, reference: str, factors: dict[str, float]) -> Run:
    """The run with the seconds that it would have taken on the reference, or with times that do not count."""
    if own == reference or run.seconds is None:
        return run
    if own not in factors or reference not in factors:
        return msgspec.structs.replace(run, timing_valid=False, timing_reason=APART)
    ratio = factors[reference] / factors[own]
    return msgspec.structs.replace(run, seconds={name: value * ratio for name, value in run.seconds.items()})


def said(runs: Sequence[Run]) -> list[str]:
    """What was done to times where a board has records of several kinds; nothing where none has."""
    own = [kind(run) for run in runs]
    usual, factors = references(runs, own), calibrations(runs, own)
    pairs = {(one, usual[name]) for name, one in set(zip(map(board, runs), own, strict=True))}
    foreign = {(one, reference) for one, reference in pairs if one != reference}
    return [sentence(own, reference, factors) for own, reference in sorted(foreign)]


def sentence(own: str, reference: str, factors: dict[str, float]) -> str:
    """How times of one kind were set beside those of another."""
    if own not in factors or reference not in factors:
        return (
            f"times of {own} are kept apart (`?`): without a calibration they do not compare with those of {reference}"
        )
    ratio = factors[own] / factors[reference]
    return f"times of {own} are divided by {ratio:.2f}, as its calibration takes so much longer than on {reference}"

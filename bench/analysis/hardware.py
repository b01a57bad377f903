"""Kinds of machines: times of one board come from one kind, are normalised to it, or are kept apart.

The kind that most of a board's records come from is the one that times are given for. Records carry the seconds of one
fixed piece of work (`bench.machine.calibration`); where both kinds have it, times are multiplied by the ratio.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.machine.calibration import CALIBRATION
from bench.schema.record import Run


def machine_kind(run: Run) -> str:
    """Name the kind of a run's machine, as far as times depend on it."""
    known = run.environment.get
    parts = [str(part) for part in (known("cpu"), known("architecture"), known("gpu")) if part]
    return ", ".join(parts) or "unknown machine"


def time_factors(runs: Sequence[Run]) -> list[float]:
    """Return what each run's seconds are multiplied by, to be those of its board's usual kind of machine.

    NaN where no calibration relates the two kinds: such times do not compare.
    """
    kinds = [machine_kind(run) for run in runs]
    usual, seconds = usual_kinds(runs, kinds), calibrations(runs, kinds)
    return [_factor(kind, usual[board(run)], seconds) for run, kind in zip(runs, kinds, strict=True)]


def _factor(kind: str, usual: str, seconds: dict[str, float]) -> float:
    if kind == usual:
        return 1.0
    return seconds[usual] / seconds[kind] if kind in seconds and usual in seconds else math.nan


def board(run: Run) -> tuple[str, bool]:
    """Return what runs have in common that are ranked against each other."""
    return run.spec.task, run.spec.quick


def usual_kinds(runs: Iterable[Run], kinds: Iterable[str]) -> dict[tuple[str, bool], str]:
    """Return the kind of machine that most of each board's records come from; kinds: that of each run."""
    counts: dict[tuple[str, bool], Counter[str]] = {}
    for (name, kind), count in Counter(zip(map(board, runs), kinds, strict=True)).items():
        counts.setdefault(name, Counter())[kind] = count
    return {name: min(found, key=lambda kind: (-found[kind], kind)) for name, found in counts.items()}


def calibrations(runs: Iterable[Run], kinds: Iterable[str]) -> dict[str, float]:
    """Return the median seconds of the fixed work on each kind of machine with any; kinds: that of each run."""
    found: dict[str, list[float]] = {}
    for run, kind in zip(runs, kinds, strict=True):
        seconds = run.environment.get(CALIBRATION)
        if isinstance(seconds, float) and seconds > 0:
            found.setdefault(kind, []).append(seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def describe_normalisation(runs: Sequence[Run]) -> list[str]:
    """Say what was done to times where a board has records of several kinds of machines; nothing where none has."""
    kinds = [machine_kind(run) for run in runs]
    usual, seconds = usual_kinds(runs, kinds), calibrations(runs, kinds)
    pairs = {(kind, usual[name]) for name, kind in set(zip(map(board, runs), kinds, strict=True))}
    foreign = {(kind, reference) for kind, reference in pairs if kind != reference}
    return [_sentence(kind, reference, seconds) for kind, reference in sorted(foreign)]


def _sentence(kind: str, reference: str, seconds: dict[str, float]) -> str:
    if kind not in seconds or reference not in seconds:
        return (
            f"times of {kind} are kept apart (`?`): without a calibration they do not compare with those of {reference}"
        )
    ratio = seconds[kind] / seconds[reference]
    return f"times of {kind} are divided by {ratio:.2f}, as its calibration takes so much longer than on {reference}"

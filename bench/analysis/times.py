"""Seconds of several runs as one figure: the one way in which board, method pages and comparisons do it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis import hardware
from bench.schema.record import Run

FEWEST = 3  # undisturbed runs from which a time counts for the Pareto front


class Timing(NamedTuple):
    """The median over the undisturbed runs, their range and their number; over all where every run was disturbed."""

    median: float
    low: float
    high: float
    undisturbed: int


def seconds_of(run: Run, phase: str) -> float:
    """Return the seconds of a phase as times are compared; NaN where the record has none.

    What the first forecast takes beyond the median of the later ones counts as fit: a method may train in it.
    """
    seconds = run.seconds or {}
    if phase not in seconds:
        return math.nan
    late = seconds.get("predict_first", 0.0) - seconds.get("predict", 0.0) if phase == "fit" else 0.0
    return seconds[phase] + max(late, 0.0)


def timing(seconds: Sequence[float], undisturbed: Sequence[bool]) -> Timing:
    """Return the timing of runs with these seconds; NaN where none has any."""
    values, counted = np.asarray(seconds, dtype=float), np.asarray(undisturbed, dtype=bool)
    counted = counted & ~np.isnan(values)
    used = values[counted] if counted.any() else values[~np.isnan(values)]
    if not len(used):
        return Timing(math.nan, math.nan, math.nan, 0)
    return Timing(float(np.median(used)), float(used.min()), float(used.max()), int(counted.sum()))


def timing_of(runs: Sequence[Run], phase: str) -> Timing:
    """Return the timing of one phase of these runs, which are of one kind of machine, or normalised to it."""
    factors = hardware.time_factors(runs)
    seconds = [factor * seconds_of(run, phase) for run, factor in zip(runs, factors, strict=True)]
    return timing(seconds, [run.timing_valid and math.isfinite(one) for run, one in zip(runs, seconds, strict=True)])

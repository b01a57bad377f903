"""How far the times of equal runs are apart (A/A): pairs of records with one spec, and a summary of their ratios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.times import seconds_of
from bench.schema.record import Run

LONG = 5.0  # seconds of fit: what is shorter is timed too coarsely to say much
AIM = 0.05  # how far, at most, fit times of long runs should be apart
RANGE = (0.025, 0.975)


class Pair(NamedTuple):
    """One run of each campaign with the same spec."""

    first: Run
    second: Run

    @property
    def timed(self) -> bool:
        """Whether both were timed undisturbed."""
        return self.first.timing_valid and self.second.timing_valid and self.fits[0] > 0

    @property
    def fits(self) -> tuple[float, float]:
        """Seconds of fit."""
        return seconds_of(self.first, "fit"), seconds_of(self.second, "fit")

    @property
    def ratio(self) -> float:
        """The second's seconds over the first's; NaN where one of them was disturbed."""
        return self.fits[1] / self.fits[0] if self.timed else float("nan")


def pairs(first: Iterable[Run], second: Iterable[Run], keys: Sequence[str]) -> list[Pair]:
    """Return the runs with these keys that ended well in both halves."""
    one, other = ({run.key: run for run in half if run.status == "ok"} for half in (first, second))
    return [Pair(one[key], other[key]) for key in keys if key in one and key in other]


def summary(found: Sequence[Pair]) -> str:
    """Return how many pairs are equal, how far apart times are: median and 95 % range of the ratio."""
    equal = sum(pair.first.digest == pair.second.digest for pair in found)
    timed = [pair for pair in found if pair.timed]
    long = [pair for pair in timed if min(pair.fits) > LONG]
    lines = [
        f"{equal} of {len(found)} pairs are bit-exact, {len(timed)} were timed undisturbed",
        _spread("all of these", timed),
        _spread(f"those that fit for more than {LONG:g} s", long),
    ]
    if long:
        near = sum(abs(pair.ratio - 1) <= AIM for pair in long)
        lines.append(f"{near} of {len(long)} are within {AIM:.0%}")
    return "\n".join(lines)


def _spread(name: str, timed: Sequence[Pair]) -> str:
    if not timed:
        return f"{name}: none"
    ratios = [pair.ratio for pair in timed]
    low, high = np.quantile(ratios, RANGE)
    return f"{name}: ratio of fit times {np.median(ratios):.3f} (median), {low:.3f} to {high:.3f} (95 % range)"

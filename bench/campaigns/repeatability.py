"""What `python -m bench noise` does: two equal campaigns side by side, and how far their times are apart (A/A).

Whatever differs between them is no property of a method: smaller differences on the board's times mean nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.campaigns.selection import Selection, specs
from bench.cli.progress import Progress
from bench.execution import jobs as plan
from bench.execution import runner
from bench.execution.coordination import Stopped
from bench.execution.limits import Limits
from bench.records import repository
from bench.records.repository import Run, Spec
from bench.reporting.markdown import decimals

HALVES = ("first", "second")
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
        return (self.first.seconds or {}).get("fit", 0.0), (self.second.seconds or {}).get("fit", 0.0)

    @property
    def ratio(self) -> float:
        """The second's seconds over the first's; NaN where one of them was disturbed."""
        return self.fits[1] / self.fits[0] if self.timed else float("nan")


def run(selection: Selection, folder: Path, workers: int, timeout: float) -> int:
    """Run what either half lacks, the two of a pair one after the other in the queue, then print what they show."""
    wanted = specs(selection)
    for half in HALVES:
        repository.check_writable(folder / half)
    left = [plan.jobs(wanted, repository.read(folder / half)[0], force=False) for half in HALVES]
    waiting = {half: {job.key for job in jobs} for half, jobs in zip(HALVES, left, strict=True)}
    jobs = [job for job in chain.from_iterable(zip_longest(*left)) if job is not None]
    try:
        with Progress(jobs) as display, contextlib.closing(runner.run(jobs, Limits(workers, timeout))) as finished:
            for job, record in finished:
                assert record is not None  # no other campaign shares these jobs
                half = next(half for half in HALVES if job.key in waiting[half])
                waiting[half].remove(job.key)
                repository.write(folder / half, record)
                display.show(job, record)
    except Stopped as stop:
        print(f"stopped by {stop}; the same command goes on from here", file=sys.stderr)
        return 128 + stop.number
    print(report(pairs(folder, wanted)))
    return 0


def pairs(folder: Path, wanted: Sequence[Spec]) -> list[Pair]:
    """The runs of both halves that ended well, of these specs."""
    first, second = (
        {run.key: run for run in repository.read(folder / half)[0] if run.status == "ok"} for half in HALVES
    )
    keys = [key for key in map(repository.key_of, wanted) if key in first and key in second]
    return [Pair(first[key], second[key]) for key in keys]


def report(found: Sequence[Pair]) -> str:
    """The pairs as a table in plain text, and what they show in a few lines."""
    from tabulate import tabulate

    header = ["task", "method", "backend", "seed", "fit s", "again", "ratio"]
    return "\n\n".join([tabulate([_row(pair) for pair in found], header, disable_numparse=True), summary(found)])


def _row(pair: Pair) -> list[str]:
    spec, (first, second) = pair.first.spec, pair.fits
    return [
        spec.task,
        spec.method,
        spec.backend,
        str(spec.seed),
        f"{first:.2f}",
        f"{second:.2f}",
        decimals(pair.ratio, 3),
    ]


def summary(found: Sequence[Pair]) -> str:
    """How many pairs are equal, how far apart times are: median and 95 % range of the ratio."""
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

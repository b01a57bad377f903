"""What `python -m bench noise` does: two equal campaigns side by side, and how far their times are apart (A/A).

Whatever differs between them is no property of a method: smaller differences on the board's times mean nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path

from bench.analysis.repeatability import Pair, pairs, summary
from bench.campaigns.selection import Selection, specs
from bench.cli.progress import Progress
from bench.execution import jobs as plan
from bench.execution import runner
from bench.execution.coordination import Stopped
from bench.execution.limits import Limits
from bench.records import codec, repository
from bench.text import decimals

HALVES = ("first", "second")


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
    halves = [repository.read(folder / half)[0] for half in HALVES]
    print(report(pairs(*halves, list(map(codec.key_of, wanted)))))
    return 0


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

"""Plans, outcomes and verdicts as texts for a terminal."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.cli.listing import identity
from bench.execution.jobs import Job, makespan

if TYPE_CHECKING:
    from bench.analysis import verification
    from bench.analysis.repeatability import Pair
    from bench.campaigns.run import Outcome, Plan
    from bench.parity.compare import Verdict
    from bench.schema.record import Run

Row = dict[str, object]


def count(number: int, what: str) -> str:
    """Return a number of things: 1 run, 2 runs."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def describe(plan: Plan) -> str:
    """Return what is about to happen, in one line."""
    parts = [f"{count(len(plan.jobs), 'run')} to do"]
    parts += [f"{plan.skipped:,} skipped, already recorded (--force runs them again)"] if plan.skipped else []
    outdated, edited = len(plan.outdated), len(plan.stale) - len(plan.outdated)
    why = [f"{outdated:,} scored on fewer test series or without blocks"] if outdated else []
    why += [f"{edited:,} made by other code"] if edited else []
    parts += [f"{' and '.join(why)} (--force-stale runs them again)"] if why else []
    parts += [f"{plan.retried:,} that did not finish before"] if plan.retried else []
    return ", ".join(parts)


def job_rows(jobs: Sequence[Job]) -> list[Row]:
    """Return the jobs of a plan as rows."""
    return [
        {
            "task": job.spec.task,
            "method": job.spec.method,
            "backend": job.spec.backend,
            "seed": job.spec.seed,
            "changed": " ".join(job.spec.differences()),
            "minutes": None if job.predicted is None else job.predicted / 60,
            "key": job.key,
        }
        for job in jobs
    ]


def job_table(rows: Sequence[Row]) -> str:
    """Return the rows of `job_rows` as a table."""
    from tabulate import tabulate

    lines = [[*list(row.values())[:5], minutes_of(row["minutes"]), row["key"]] for row in rows]
    return tabulate(lines, list(rows[0]) if rows else [], disable_numparse=True)


def total(jobs: Sequence[Job], workers: int | None, reuse: bool = False) -> str:
    """Return how long all jobs take, and of how many no record tells."""
    seconds = makespan(jobs, workers or 1, reuse)
    at_once = f"{workers} at once" if workers else "one after another"
    hours = f" ({seconds / 3600:.1f} hours)" if seconds > 3600 else ""
    unknown = sum(job.predicted is None for job in jobs)
    if jobs and unknown == len(jobs):
        return f"in all ? minutes, {at_once}: no record tells how long {count(unknown, 'run')} will take"
    more = f", and {count(unknown, 'run')} of unknown time" if unknown else ""
    return f"in all {minutes_of(seconds / 60)} minutes{hours}{more}, {at_once}"


def minutes_of(minutes: object) -> str:
    """Return minutes with one decimal; a question mark where no record tells."""
    return f"{minutes:.1f}" if isinstance(minutes, float | int) else "?"


def stopped(outcome: Outcome) -> str:
    """Return how a signal ended a campaign, what is kept, and how to go on."""
    name = signal.Signals(outcome.signal or 0).name
    return f"stopped by {name}: {outcome.kept} of {outcome.jobs} runs are kept; the same command goes on from here"


def pair_rows(pairs: Sequence[Pair]) -> list[Row]:
    """Return pairs of equal runs as rows: the fit seconds of both, and the ratio (None: one was disturbed)."""
    return [
        {
            "task": pair.first.spec.task,
            "method": pair.first.spec.method,
            "backend": pair.first.spec.backend,
            "seed": pair.first.spec.seed,
            "fit s": pair.fits[0],
            "again": pair.fits[1],
            "ratio": pair.ratio if pair.timed else None,
        }
        for pair in pairs
    ]


def pair_table(rows: Sequence[Row]) -> str:
    """Return the rows of `pair_rows` as a table."""
    from tabulate import tabulate

    def cells(row: Row) -> list[str]:
        *names, first, again, ratio = row.values()
        return [*map(str, names), f"{first:.2f}", f"{again:.2f}", "–" if ratio is None else f"{ratio:.3f}"]

    header = ["task", "method", "backend", "seed", "fit s", "again", "ratio"]
    return tabulate([cells(row) for row in rows], header, disable_numparse=True)


def parity_table(found: Sequence[Verdict]) -> str:
    """Return the verdicts as a table, under the largest differences allowed."""
    from tabulate import tabulate

    from bench.parity.compare import BARS

    def cells(one: Verdict) -> list[str]:
        differences = [f"{one.differences[what]:.1e}" if what in one.differences else "" for what in BARS]
        return [one.method, one.engine, one.reference, *differences, one.problem or "the same"]

    allowed = ["allowed", "", "", *(f"{bar:.0e}" for bar in BARS.values()), ""]
    header = ["method", "engine", "against", *BARS, "verdict"]
    return tabulate([allowed, *map(cells, found)], header, disable_numparse=True)


def parity_summary(found: Sequence[Verdict]) -> str:
    """Return all verdicts in one line."""
    wrong = sum(one.problem is not None for one in found)
    pairs = "pair" if len(found) == 1 else "pairs"
    return f"{len(found) - wrong} of {len(found)} {pairs} of networks are the same" + (": FAILED" if wrong else "")


def verdict_row(again: Run, verdict: verification.Verdict) -> Row:
    """Return a record that was run again as a row."""
    return {
        **identity(again),
        "verdict": verdict.word,
        "detail": verdict.detail,
    }


def verdict_counts(counts: Counter[str]) -> str:
    """Return all verdicts of a verification in one line."""
    from bench.analysis.verification import CLOSE, EXACT, OTHER

    return ", ".join(f"{counts[word]} {word}" for word in (EXACT, CLOSE, OTHER))

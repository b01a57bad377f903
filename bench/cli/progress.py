"""What a person sees of a campaign: a line for each finished run; in a terminal also what is going on."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from bench.cli.live import Live
from bench.execution.activity import Activities
from bench.execution.jobs import Job
from bench.execution.scoring import WRITABLE
from bench.schema.record import Run, Spec
from bench.tasks.main_metric import main_of, validation_error, word
from bench.text import clean

WIDTH = 80  # columns of a line
LONGEST_NAME = 30  # columns of a method's name, with what is changed
SHORTEST_NAME = 16  # columns that a method keeps, and a task half as many
RESULT = 24  # columns of the error and the seconds
REASONS = 5  # reasons that are written out at the end


class Progress:
    """Lines on standard output, and below them the running jobs where that is a terminal."""

    def __init__(self, jobs: Iterable[Job], quiet: bool = False, workers: int = 1) -> None:
        jobs = list(jobs)
        self.widths = widths_of((job.spec for job in jobs), WIDTH - 2 * len(str(len(jobs))) - 3)
        self.quiet = quiet
        self.activities: Activities = {}
        seen = sys.stdout is not None and sys.stdout.isatty() and not quiet
        self.live = Live(jobs, self.activities, self.name_of, workers) if seen else None
        self.count, self.total = 0, len(jobs)
        self.notes: dict[str, list[str]] = {}  # a reason -> the runs it is true of

    def __enter__(self) -> Progress:
        if self.live:
            self.live.display.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.display.stop()
        for line in explained(self.notes):
            print(line, flush=True)

    def show(self, job: Job, run: Run | None, note: str | None = None) -> None:
        """Print that one run is finished: here, or by another campaign (None)."""
        self.count += 1
        if self.quiet:
            return
        start = f"{self.count:{len(str(self.total))}}/{self.total}  "
        text = start + line(job.spec, run, self.widths, WIDTH - len(start))
        for reason in filter(None, [note, reason_of(run), warning_of(run)]):
            self.notes.setdefault(reason, []).append(str(self.count))
        if self.live:
            self.live.finish(job.key)
            self.live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)

    def name_of(self, spec: Spec) -> str:
        """Return what a run is, in the columns of all lines."""
        return name_of(spec, self.widths)


def names_in(spec: Spec) -> tuple[str, str, str, str]:
    """Return what a run was: task, method with what is changed, backend, seed."""
    changed = spec.differences()
    method = f"{spec.method} ({', '.join(changed)})" if changed else spec.method
    return spec.task, clean(method, longest=LONGEST_NAME), spec.backend, f"seed {spec.seed}"


def widths_of(specs: Iterable[Spec], width: int = WIDTH) -> tuple[int, ...]:
    """Return the widths of the columns that hold these names, in lines of this width; long names are cut."""
    rows = [names_in(spec) for spec in specs]
    task, method, backend, seed = (
        (max(map(len, column)) for column in zip(*rows, strict=True)) if rows else (8, 8, 8, 8)
    )
    left = width - RESULT - backend - seed - 6
    method = max(min(method, left - task), min(method, SHORTEST_NAME))
    return max(min(task, left - method), SHORTEST_NAME // 2), method, backend, seed


def name_of(spec: Spec, widths: Iterable[int] = (8, LONGEST_NAME, 9, 7)) -> str:
    """Return what a run was, in columns."""
    cut = (clean(name, longest=width).ljust(width) for name, width in zip(names_in(spec), widths, strict=True))
    return "  ".join(cut)


def line(spec: Spec, run: Run | None, widths: Iterable[int] = (8, LONGEST_NAME, 9, 7), width: int = WIDTH) -> str:
    """Return a finished run in one line: what it was, its validation error and seconds, or what became of it."""
    name = name_of(spec, widths)
    if run is None:
        return clean_end(name, "done by another campaign", width)
    if run.metrics is None or run.seconds is None:
        return clean_end(name, f"{run.status}: {run.reason or ''}", width)
    mark = "" if run.timing_valid else "?"
    return f"{name}  {word(main_of(spec).test)} {validation_error(run):.5f}  {run.seconds['total']:6.1f} s{mark}"


def clean_end(name: str, text: str, width: int) -> str:
    """Return a name and a text that is cut where the line ends, but never to less than a few words."""
    return f"{name}  {clean(text, longest=max(width - len(name) - 2, 24))}"


def reason_of(run: Run | None) -> str | None:
    """Return what has to be explained about a run."""
    if run is None:
        return None
    if run.metrics is None:
        return f"{run.status}: {clean(run.reason or '', longest=1000)}"
    return None if run.timing_valid else f"? time not ranked: {clean(run.timing_reason or '', longest=1000)}"


def warning_of(run: Run | None) -> str | None:
    """Return what the system could not do for a run."""
    if run is None or not run.environment.get(WRITABLE):
        return None
    return "! the results folder was writable for the method: this system lets no program close it"


def explained(notes: dict[str, list[str]]) -> list[str]:
    """Return each reason once, with the numbers of the runs that it is true of, the most frequent first."""
    ordered = sorted(notes.items(), key=lambda note: -len(note[1]))
    lines = [f"{reason} (run {', '.join(runs[:6])}{', …' if len(runs) > 6 else ''})" for reason, runs in ordered]
    more = len(lines) - REASONS
    return lines[:REASONS] + ([f"and {more} more reasons: see `python -m bench list runs`"] if more > 0 else [])

"""What a person sees of a campaign: a line for each finished run, a bar with the time left, the best rows last."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from bench.execution.jobs import Job, with_predictions
from bench.schema.record import Run, Spec
from bench.tasks import REFERENCES
from bench.text import clean

BEST = 5  # rows of each task in the closing table


class Progress:
    """Lines on standard output, and below them a bar where that is a terminal."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        weighted = list(with_predictions(jobs))
        self.weights = {job.key: job.predicted or 0.0 for job in weighted}
        self.bar = make_bar(sum(self.weights.values())) if sys.stdout and sys.stdout.isatty() else None
        self.count, self.total = 0, len(weighted)

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, job: Job, run: Run | None, note: str | None = None) -> None:
        """One run is finished: here, or by another campaign (None)."""
        self.count += 1
        text = f"{self.count:{len(str(self.total))}}/{self.total}  {line(job.spec, run)}{f' ({note})' if note else ''}"
        if self.bar:
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            self.bar.advance(self.bar.task_ids[0], self.weights[job.key])
        else:
            print(text, flush=True)


def make_bar(total: float) -> Any:
    """A bar over the predicted seconds, so that slow jobs count for what they take."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("running"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    bar = Bar(*columns, speed_estimate_period=600)
    bar.add_task("runs", total=total or 1.0)
    return bar


def name_of(spec: Spec) -> str:
    """What a run was, in columns."""
    marks = "".join(f"  {mark}" for mark, holds in {"native": spec.native, "cuda": spec.cuda}.items() if holds)
    return f"{spec.task}  {spec.method:30}  {spec.backend:9}  seed {spec.seed}{marks}"


def line(spec: Spec, run: Run | None) -> str:
    """A finished run in one line: what it was, both errors and its seconds, or what became of it."""
    name = name_of(spec)
    if run is None:
        return f"{name}  done by another campaign meanwhile"
    if run.metrics is None or run.seconds is None:
        return f"{name}  {run.status}: {clean(run.reason or '')}"
    errors = f"last step {run.metrics.last_step_mse:.5f}  all {run.metrics.val_mse:.5f}"
    note = "" if run.timing_valid else f"  (time not ranked: {run.timing_reason})"
    return f"{name}  {errors}  {run.seconds['total']:6.1f} s{note}"


def best(runs: Iterable[Run]) -> str:
    """The best rows of each task, as a table in plain text."""
    from tabulate import tabulate

    finished = sorted((run for run in runs if run.metrics), key=last_step_mse)
    tasks = sorted({run.spec.task for run in finished})
    rows = [run for task in tasks for run in [run for run in finished if run.spec.task == task][:BEST]]
    header = ["task", "method", "backend", "seed", "last-step MSE", "val MSE", "fit s", "key"]
    return tabulate([row(run) for run in rows], header, floatfmt=("", "", "", "", ".5f", ".5f", ".1f", ""))


def last_step_mse(run: Run) -> float:
    """The measure that methods are ranked by."""
    return run.metrics.last_step_mse if run.metrics else float("inf")


def row(run: Run) -> list[str | int | float | None]:
    """A run's cells in the closing table."""
    spec, metrics = run.spec, run.metrics
    method = f"{spec.method} (not ranked)" if spec.method in REFERENCES else spec.method
    name = " ".join([method, *spec.differences()])
    errors = [metrics.last_step_mse, metrics.val_mse] if metrics else [None, None]
    return [spec.task, name, spec.backend, spec.seed, *errors, (run.seconds or {}).get("fit"), run.key]

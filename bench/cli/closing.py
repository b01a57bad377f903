"""What a campaign ends with: the board of the tasks it ran, and the runs that are not on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.cli import board
from bench.cli.shared import known
from bench.records.stores import Place
from bench.schema.record import Run
from bench.tasks import REFERENCES

BEST = 5  # runs of each task in the table of those that are not on the board


def text(kept: Sequence[Run], results: Place) -> str:
    """Return the best of these runs that no board ranks, then the board of the tasks of all others."""
    apart = [run for run in kept if run.metrics and not run.spec.plain]
    tasks = {run.spec.task for run in kept if run.metrics and run.spec.plain}
    parts = [best(apart)] if apart else []
    if tasks:
        found = board.ranked(known(results), ())
        parts.append(board.all_as_text({whose: table[table["task"].isin(tasks)] for whose, table in found.items()}))
    return "\n\n\n".join(parts)


def best(runs: Iterable[Run]) -> str:
    """Return the best rows of each task, as a table in plain text."""
    from tabulate import tabulate

    finished = sorted((run for run in runs if run.metrics), key=last_step_mse)
    tasks = sorted({run.spec.task for run in finished})
    rows = [run for task in tasks for run in [run for run in finished if run.spec.task == task][:BEST]]
    header = ["task", "method", "backend", "seed", "last-step MSE", "val MSE", "fit s", "key"]
    return tabulate([row(run) for run in rows], header, floatfmt=("", "", "", "", ".5f", ".5f", ".1f", ""))


def last_step_mse(run: Run) -> float:
    """Return the measure that methods are ranked by."""
    return run.metrics["last_step_mse"] if run.metrics else float("inf")


def row(run: Run) -> list[str | int | float | None]:
    """Return a run's cells in the table."""
    from bench.analysis.times import seconds_of

    spec, metrics = run.spec, run.metrics
    method = f"{spec.method} (not ranked)" if spec.method in REFERENCES else spec.method
    name = " ".join([method, *spec.differences()])
    errors = [metrics["last_step_mse"], metrics["val_mse"]] if metrics else [None, None]
    return [spec.task, name, spec.backend, spec.seed, *errors, seconds_of(run, "fit") if run.seconds else None, run.key]

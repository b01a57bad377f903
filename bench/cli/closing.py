"""What a campaign ends with: the board of the tasks it ran, and the runs that are not on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.cli import board
from bench.cli.shared import known
from bench.records import repository
from bench.records.stores import Place
from bench.schema.record import Run
from bench.tasks import REFERENCES
from bench.tasks.main_metric import by_mse, main_of, validation_error
from bench.text import clean

LONGEST_TASK, LONGEST_NAME = 12, 18  # columns: with all others the table is 80 wide
BEST = 5  # runs of each task in the table of those that are not on the board


def text(kept: Sequence[Run], results: Place) -> str:
    """Return the best of these runs that no board ranks, then the board of the tasks of all others."""
    apart = [run for run in kept if run.metrics and not run.spec.plain]
    tasks = {run.spec.task for run in kept if run.metrics and run.spec.plain}
    parts = [best(apart)] if apart else []
    if tasks:
        found = board.ranked(known(results, keep=repository.no_curve), ())
        parts.append(board.all_as_text({whose: table[table["task"].isin(tasks)] for whose, table in found.items()}))
    return "\n\n\n".join(parts)


def best(runs: Iterable[Run]) -> str:
    """Return the best rows of each task, as a table in plain text."""
    from tabulate import tabulate

    finished = sorted((run for run in runs if run.metrics), key=validation_error)
    tasks = sorted({run.spec.task for run in finished})
    rows = [run for task in tasks for run in [run for run in finished if run.spec.task == task][:BEST]]
    error = "last-step MSE" if all(by_mse(main_of(run.spec).test) for run in rows) else "main metric"
    header = ["task", "method", "backend", "seed", error, "fit s", "key"]
    align = ["left", "left", "left", "right", "right", "right", "left"]
    return tabulate([row(run) for run in rows], header, disable_numparse=True, colalign=align)


def row(run: Run) -> list[str]:
    """Return a run's cells in the table."""
    from bench.analysis.times import seconds_of

    spec, mark = run.spec, " (not ranked)" if run.spec.method in REFERENCES else ""
    name = clean(" ".join([f"{spec.method}{mark}", *spec.differences()]), longest=LONGEST_NAME)
    fit = f"{seconds_of(run, 'fit'):.1f}" if run.seconds else ""
    figures = f"{validation_error(run):.5f}", fit, run.key[:8]
    return [clean(spec.task, longest=LONGEST_TASK), name, spec.backend, str(spec.seed), *figures]

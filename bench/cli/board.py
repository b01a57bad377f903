"""The leaderboard in a terminal: one line of verdict and the best of each task, or all rows for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.campaigns.selection import match
from bench.records import repository
from bench.records.stores import Place

if TYPE_CHECKING:
    import pandas as pd

TOP = 10
WIDTH = 80  # columns of a terminal that a table has to fit
LONGEST_NAME = 25  # characters of a method's name in it
NOTHING = "No full run at default settings is recorded yet: `python -m bench run` makes them."


def ranked(place: Place, tasks: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the competitors of these tasks (names or patterns; all without one), and lines about invalid files.

    Full runs at default settings, in the benchmark's order of tasks, see analysis.ranking.by_method. Raises UsageError
    for a task without records.
    """
    from bench.analysis import ranking
    from bench.reporting.assessment import in_order

    runs, problems = repository.read(place)
    methods = ranking.by_method(ranking.rank(runs))
    methods = methods[~methods["apart"] & ~methods["quick"]]
    ordered = in_order(set(methods["task"]))
    chosen = match(tasks, ordered, "task with records") if tasks else ordered
    place_of = {task: number for number, task in enumerate(chosen)}
    methods = methods[methods["task"].isin(chosen)]
    return methods.sort_values("task", key=lambda names: names.map(place_of), kind="stable"), problems


def as_rows(methods: pd.DataFrame) -> list[dict[str, Any]]:
    """Return competitors as plain values, with the keys of all records behind them."""
    from bench.reporting.columns import as_data

    return [
        {"task": task, **row}
        for task, board in methods.groupby("task", sort=False)
        for row in as_data(board)
    ]  # fmt: skip


def as_text(methods: pd.DataFrame, top: int = TOP) -> str:
    """Return for each task a line of verdict and a table of the best, at most WIDTH wide."""
    import textwrap

    from bench.reporting.sections.overview import verdict

    blocks = []
    for task, board in methods.groupby("task", sort=False):
        said = textwrap.fill(f"{task}: {verdict(board, mark='')}", WIDTH)
        more = len(board) - top
        rest = [f"{more} more {'method' if more == 1 else 'methods'}: --top {len(board)}"] if more > 0 else []
        blocks.append("\n".join([said, "", table(board.head(top)), *rest]))
    return "\n\n\n".join(blocks) or NOTHING


def table(board: pd.DataFrame) -> str:
    """Return rows of one task as a table."""
    from tabulate import tabulate

    from bench.reporting.columns import TERMINAL, columns_of

    columns = columns_of(board, TERMINAL)
    lines = [[column.format(row)[:LONGEST_NAME] for column in columns] for row in board.itertuples()]
    align = ["left" if column.left or column.name == "keys" else "right" for column in columns]
    return tabulate(lines, [column.label for column in columns], disable_numparse=True, colalign=align)

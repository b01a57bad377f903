"""The leaderboard in a terminal: one line of verdict and the best of each task, or all rows for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench import __version__
from bench.campaigns.selection import match
from bench.cli.shared import Known
from bench.schema.record import Run

if TYPE_CHECKING:
    import pandas as pd

TOP = 10
WIDTH = 80  # columns of a terminal that a table has to fit
LONGEST_NAME = 25  # characters of a method's name in it
SEVERAL = "‡ records of several versions of the code: `bench run --force-stale` makes them again"
NOTHING = "No full run at default settings is recorded yet: `python -m bench run` makes them."


def ranked(there: Known, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the competitors of these tasks (names or patterns; all without one), "mine" and "published" ranked apart.

    Full runs at default settings, in the benchmark's order of tasks, see analysis.ranking.by_method. Raises UsageError
    for a task without records.
    """
    from bench.reporting.assessment import in_order

    found = {"mine": competitors(there.mine)} if there.mine or not there.published else {}
    found |= {"published": competitors(there.published)} if there.published else {}
    ordered = in_order({task for methods in found.values() for task in methods["task"]})
    chosen = match(tasks, ordered, "task with records") if tasks else ordered
    place_of = {task: number for number, task in enumerate(chosen)}
    kept = {source: methods[methods["task"].isin(chosen)] for source, methods in found.items()}
    return {
        source: methods.sort_values("task", key=lambda names: names.map(place_of), kind="stable")
        for source, methods in kept.items()
    }


def competitors(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the methods of full runs at default settings."""
    from bench.analysis import ranking

    methods = ranking.by_method(ranking.rank(runs))
    return methods[~methods["apart"] & ~methods["quick"]]


def as_rows(found: Mapping[str, pd.DataFrame], top: int | None = None) -> list[dict[str, Any]]:
    """Return competitors as plain values, whose they are, and the keys of all records behind them."""
    from bench.reporting.columns import as_data

    return [
        {"task": task, **row, "from": source}
        for source, methods in found.items()
        for task, board in methods.groupby("task", sort=False)
        for row in as_data(board if top is None else board.head(top))
    ]


def all_as_text(found: Mapping[str, pd.DataFrame], top: int = TOP) -> str:
    """Return the best of each task, mine before those that are published, where there are any."""
    found = {source: methods for source, methods in found.items() if len(methods) or source == "mine"}
    if list(found) == ["mine"]:
        return as_text(found["mine"], top)
    titles = {"mine": "MINE", "published": f"PUBLISHED with aheadbench {__version__}"}
    return "\n\n\n".join(f"{titles[source]}\n\n{as_text(methods, top)}" for source, methods in found.items())


def as_text(methods: pd.DataFrame, top: int = TOP) -> str:
    """Return for each task a line of verdict and a table of the best, at most WIDTH wide."""
    import textwrap

    from bench.reporting.sections.overview import verdict

    blocks = []
    for task, board in methods.groupby("task", sort=False):
        said = textwrap.fill(f"{task}: {verdict(board, mark='')}", WIDTH)
        more = len(board) - top
        noun = "method" if more == 1 else "methods"
        rest = [f"{more} more {noun}: bench leaderboard --top {len(board)}"] if more > 0 else []
        rest += [SEVERAL] if (board.head(top)["codes"] > 1).any() else []
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

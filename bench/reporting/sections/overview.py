"""The answer first: who may be the best on each task, and one table of all methods on the main task."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.analysis import reference
from bench.analysis.advice import is_anecdote, uses
from bench.analysis.frameworks import DIFFERS
from bench.analysis.table import each
from bench.reporting.columns import DISTURBED, OVERVIEW, cells, columns_of, row_label
from bench.reporting.markdown import escape, table
from bench.tasks import main_metric
from bench.text import decimals, digits

NAMED = 3  # methods that may be the best and are named
REPEATED = "_as_printed"  # methods that repeat a mistake of the reference's code: nothing to choose


def verdicts(methods: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Say for each task which method is the best, or may be; methods: default rows of full runs."""
    return "\n".join(f"- **{escape(task)}**: {verdict(methods[methods['task'] == task])}" for task in tasks)


def verdict(board: pd.DataFrame, mark: str = "`") -> str:
    """Say which method of one board is the best, or which may be; mark: what names stand between."""
    may_be = board[board["rank_low"] == 1]
    first = next(each(board))
    reached = f"{main_metric.label(first.ranked_by)} {digits(first.test_mse)}"
    if first.to_limit == first.to_limit:
        reached += f", {digits(first.to_limit, 3)} × the limit"
    elif first.skill == first.skill:
        reached += f", {decimals(first.skill, 0)} % less than the naive forecast"
    if may_be["place"].nunique() == 1:
        return f"{_names(may_be, mark)} is the best: {reached}."
    leader = _names(board.head(1), mark)
    if len(may_be) == len(board):
        return f"undecided, any of {len(board)} methods may be the best. Smallest error: {leader}, {reached}."
    others = may_be[may_be["method"] != first.method]
    more = _names(others, mark) if len(others) <= NAMED else f"{len(others)} others"
    why = f" ({'one seed each' if len(others) > 1 else 'one seed'})" if all(map(is_anecdote, each(others))) else ""
    return f"{leader} has the smallest error, {reached}; {more} may be as good{why}."


def _names(rows: pd.DataFrame, mark: str) -> str:
    escaped = (escape(row_label(row)) if mark else row_label(row) for row in each(rows))
    return ", ".join(f"{mark}{name}{mark}" for name in escaped)


def limit(references: pd.DataFrame) -> str:
    """Say what the errors of the table are compared with, see ranking.references; empty without one."""
    if references.empty:
        return ""
    first = next(each(references))
    of = f"`{escape(first.method)}`, which knows how the series were made"
    return f"× limit: the test MSE over {digits(first.error)}, that of {of}."


def marks(board: pd.DataFrame) -> str:
    """Say what marks in the table of a board mean, and what it leaves out."""
    found = []
    if (board["low"] < board["high"]).any():
        found.append("± is half of a 95 % interval.")
    if not board["timing_valid"].all():
        found.append(f"`{DISTURBED}`: a time of disturbed runs, or of another machine.")
    if board["method"].str.endswith(REPEATED).any():
        found.append(f"Methods `{REPEATED}` have places too, and are in the task's table below.")
    return " ".join(found)


def frameworks(rows: pd.DataFrame) -> str:
    """Say whether a method's error depends on its backend; rows: of ranking.rank, default ones of full runs."""
    several = rows[rows["verdict"] != ""]
    if several.empty:
        return ""
    count = several["method"].nunique()
    differing = several[several["verdict"] == DIFFERS]
    if differing.empty:
        found = "no error depends on it significantly"
    else:
        names = [f"`{escape(row.method)}` in {escape(row.backend)} on {escape(row.task)}" for row in each(differing)]
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        found = f"{', '.join([*names[:NAMED], *more])} differ from the mean of the method's backends"
    return f"- **framework**: {found} ({count} methods in several backends)."


def noise(tasks: Sequence[str]) -> str:
    """Say what the noise in the sine series alone amounts to; empty without a task on them."""
    if not set(tasks) & set(reference.figures()):
        return ""
    floor = digits(reference.NOISE_FLOOR, 3)
    return f"The noise in the sine series alone has a mean square of 0.1²/12 = {floor}: no error is expected below it."


def main_task(methods: pd.DataFrame) -> str | None:
    """Return the task with the most methods; of several, the one that is last by name; None without any."""
    counts = methods["task"].value_counts()
    return str(max(counts.index, key=lambda name: (counts[name], name))) if len(counts) else None


def overview(board: pd.DataFrame) -> str:
    """Set one row per method of one board, by place: error, cost, and when to use it."""
    rows = board[~board["method"].str.endswith(REPEATED)]
    rows = rows.assign(use=pd.Series(uses(board), index=board.index))
    columns = columns_of(rows, OVERVIEW)
    left = [place for place, column in enumerate(columns) if column.left]
    return table([column.label for column in columns], [cells(columns, row) for row in each(rows)], left=left)

"""The leaderboard in a terminal: rows for programs, and the best of each task as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench.campaigns.selection import match
from bench.records import repository
from bench.records.stores import Place
from bench.tasks import ALL

Row = dict[str, Any]

HEADER = ("rank", "method", "backend", "last-step MSE", "test MSE", "skill %", "fit s", "predict ms", "seeds")


def rows(place: Place, tasks: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Return the ranked rows of these tasks (names or patterns; all without one), and lines about invalid files.

    Only rows at default settings and of full runs are ranked here, see analysis.ranking. Raises UsageError for a task
    without records.
    """
    from bench.analysis import ranking

    runs, problems = repository.read(place)
    ranked = ranking.rank(runs)
    ranked = ranked[~ranked["tuned"] & ~ranked["quick"]]
    found = list(dict.fromkeys(ranked["task"]))
    ordered = [task for task in ALL if task in found] + sorted(set(found) - set(ALL))
    chosen = match(tasks, ordered, "task with records") if tasks else ordered
    named = ({str(name): value for name, value in one.items()} for one in ranked.to_dict("records"))
    by_task = [as_row(one) for one in named]
    return [row for task in chosen for row in by_task if row["task"] == task], problems


def as_row(one: Row) -> Row:
    """Return a ranked row with plain values: None where there is none."""
    names = (
        "task", "rank", "method", "backend", "last_step_mse", "interval", "test_mse", "skill", "fit_seconds",
        "predict_ms", "timing_valid", "parameters", "seeds",
    )  # fmt: skip
    return {name: None if isinstance(one[name], float) and math.isnan(one[name]) else one[name] for name in names}


def as_text(found: Sequence[Row], top: int) -> str:
    """Return the best methods of each task as tables, each in the backend where it does best."""
    from tabulate import tabulate

    blocks = []
    for task in dict.fromkeys(row["task"] for row in found):
        of_task = list({row["method"]: row for row in reversed(found) if row["task"] == task}.values())[::-1]
        lines = [cells(row) for row in of_task[:top]]
        table = tabulate(lines, HEADER, disable_numparse=True, colalign=["right", "left", "left"] + ["right"] * 6)
        more = f"\n{len(of_task) - top} more methods: --top {len(of_task)}" if len(of_task) > top else ""
        blocks.append(f"{task}\n{table}{more}")
    return "\n\n".join(blocks) or "No full run at default settings is recorded yet: `python -m bench run` makes them."


def cells(row: Row) -> list[str]:
    """Return a row's cells."""
    from bench.reporting.columns import seconds, spread
    from bench.text import decimals, digits

    def number(name: str) -> float:
        return math.nan if row[name] is None else float(row[name])

    return [
        str(row["rank"]),
        row["method"],
        row["backend"],
        spread(number("last_step_mse"), number("interval")),
        digits(number("test_mse")),
        decimals(number("skill")),
        *(seconds(number(name), row["timing_valid"]) for name in ("fit_seconds", "predict_ms")),
        str(row["seeds"]),
    ]

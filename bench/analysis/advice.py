"""What the rows of a board say to somebody who has to choose: which may be the best, and what each is good for."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from bench.analysis import statistics
from bench.analysis.ranking import matrices
from bench.analysis.table import each

#: forecasts that need no fit are a yardstick, no method to choose
YARDSTICKS = ("last_value", "moving_average", "seasonal_naive")
NEAR = 2.0  # times the smallest error: small networks are worth naming up to it


def uses(board: pd.DataFrame) -> list[str]:
    """Return for each row of one board (see ranking.by_method, default rows) when to use it; "" for never.

    From the records alone: it may be the best; nothing is faster and as good; the best without a network; the fewest
    parameters among those with at most NEAR times the smallest error.
    """
    chosen = board[~board["method"].isin(YARDSTICKS)]
    networks = chosen[chosen["backend"] != "numpy"]
    others = chosen[chosen["backend"] == "numpy"]
    near = networks[networks["test_mse"] <= NEAR * networks["test_mse"].min()]
    best_without = set(others.index[:1]) if len(networks) else set()
    smallest = set(near.sort_values(["parameters", "test_mse"], kind="stable").index[:1])
    found = []
    for row in each(board):
        if row.method in YARDSTICKS:
            found.append("")
        elif row.rank_low == 1 and row.rank_high < len(board):
            found.append("the error alone matters")
        elif row.Index in best_without:
            found.append("no network is wanted")
        elif row.pareto:
            found.append(f"{_time(row.fit_seconds)} to fit is all")
        else:
            found.append("few parameters matter" if row.Index in smallest else "")
    return found


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else "no time"


class Classical(NamedTuple):
    """The networks of a board against the best method without a network."""

    names: list[str]
    best: str
    error: float
    better: list[str]
    undecided: list[str]
    worse: list[str]


def against_classical(board: pd.DataFrame) -> Classical | None:
    """Return which networks are better and worse than the best classical method, by the board's own tests.

    Classical are all methods without a network; None where a board has none, or no network.
    """
    classical = board[(board["backend"] == "numpy") & ~board["method"].isin(YARDSTICKS)]
    networks = board[board["backend"] != "numpy"]
    if classical.empty or networks.empty:
        return None
    better = statistics.better(*matrices(board))
    places = {index: place for place, index in enumerate(board.index)}
    best = classical.sort_values(["test_mse", "method"], kind="stable").iloc[0]
    one = places[best.name]
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for row in each(networks):
        other = places[row.Index]
        groups[0 if better[other, one] else 2 if better[one, other] else 1].append(row.method)
    return Classical(sorted(set(classical["method"])), str(best["method"]), float(best["test_mse"]), *groups)

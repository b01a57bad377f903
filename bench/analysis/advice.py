"""What the rows of a board say to somebody who has to choose: which may be the best, and what each is good for."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from bench.analysis import statistics
from bench.analysis.matrices import matrices
from bench.analysis.table import each
from bench.analysis.times import FEWEST

#: forecasts that need no fit are a yardstick, no method to choose
YARDSTICKS = ("last_value", "moving_average", "seasonal_naive")
NEAR = 2.0  # times the smallest error: small networks are worth naming up to it


def uses(board: pd.DataFrame) -> list[str]:
    """Return for each row of one board (see ranking.by_method, default rows) when to use it; "" for never.

    From the records alone: it may be the best, and not from one seed; the best network, or the best method without
    one; nothing of its kind is as fast and as good; the fewest parameters among networks with at most NEAR times the
    smallest error of them.
    """
    chosen = board[~board["method"].isin(YARDSTICKS)]
    network = chosen["backend"] != "numpy"
    networks, others = chosen[network], chosen[~network]
    first = dict.fromkeys(networks.index[:1], "a network wanted")
    first |= dict.fromkeys(others.index[:1], "no network wanted")
    near = networks[networks["test_mse"] <= NEAR * networks["test_mse"].min()]
    smallest = near.sort_values(["parameters", "test_mse"], kind="stable").index[:1]
    found = dict.fromkeys(board.index, "")
    for row in each(chosen):
        kind = networks if row.backend != "numpy" else others
        if row.rank_low == 1 and row.rank_high < len(board) and not is_anecdote(row):
            found[row.Index] = "only error matters"
        elif row.Index in first and len(networks) and len(others):
            found[row.Index] = first[row.Index]
        elif row.undisturbed >= FEWEST and not _beaten(row, kind):
            found[row.Index] = (
                f"a network {_time(row.fit_seconds)}" if kind is networks else f"it fits {_time(row.fit_seconds)}"
            )
        elif row.Index in smallest:
            found[row.Index] = "it must be small"
    return list(found.values())


def is_anecdote(row: Any) -> bool:
    """Tell whether a row's error is of one seed though other seeds would give others."""
    return bool(row.seeds == 1 and row.chance != 0)


def _beaten(row: Any, rivals: pd.DataFrame) -> bool:
    """Tell whether a rival has a smaller error and takes no longer to fit and to forecast, disturbed or not."""
    seconds = rivals["fit_seconds"] + rivals["predict_ms"] / 1000
    return bool(((rivals["test_mse"] < row.test_mse) & (seconds <= seconds[row.Index])).any())


def _time(seconds: float) -> str:
    return f"in {seconds:.{0 if seconds >= 10 else 1}f} s" if seconds >= 0.1 else "at once"


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

"""The records, sorted out and ranked: what the board, the page, the terminal and the figures are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.analysis import hardware, ranking, tuning
from bench.analysis.table import frame, select, under_current_names
from bench.analysis.tuning import Found, Row
from bench.reporting.figures.catalogue import Picture, pictures
from bench.schema.record import Run
from bench.tasks import ALL


@dataclass(frozen=True)
class Board:
    """What a folder of records says."""

    runs: dict[str, Run]  # those that count, by key
    tried: pd.DataFrame  # the same as a table, see table.frame
    left_out: pd.DataFrame  # those that do not, with the column `why`
    ranked: pd.DataFrame  # see ranking.rank
    methods: pd.DataFrame  # see ranking.by_method
    pictures: list[Picture]
    found: Mapping[Row, Found]  # by searches, see tuning
    factors: dict[str, float]  # what seconds of each run are multiplied by, see hardware.time_factors

    def tasks(self) -> list[str]:
        """Return the tasks with full runs at default settings that succeeded, in the benchmark's order."""
        default = self.methods[~self.methods["quick"] & ~self.methods["apart"]]
        return in_order(set(default["task"]))


def assess(runs: Sequence[Run]) -> Board:
    """Sort out which records count, and rank them."""
    runs = under_current_names(runs)
    tried, left_out = select(frame(runs))
    counted = set(tried["key"])
    by_key = {run.key: run for run in runs if run.key in counted}
    factors = dict(zip((run.key for run in runs), hardware.time_factors(runs), strict=True))
    ranked = ranking.rank_table(tried)
    methods = ranking.by_method(ranked)
    drawn = pictures(by_key, ranked, methods)
    return Board(by_key, tried, left_out, ranked, methods, drawn, tuning.searched(runs), factors)


def in_order(tasks: set[str]) -> list[str]:
    """Return the benchmark's tasks in its order, then others by name."""
    return [*(name for name in ALL if name in tasks), *sorted(tasks - set(ALL))]

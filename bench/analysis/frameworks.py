"""A method's rows in several frameworks against their mean: the same, equal within 1 %, different, or undecided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from bench.analysis.matrices import log_errors_of
from bench.analysis.statistics import COPY, LEVEL, MARGIN, holm

SAME, EQUAL, DIFFERS, UNDECIDED = "same", "equal within 1 %", "differs", "undecided"
COLUMNS = ["against", "against_low", "against_high", "verdict"]


class Against(NamedTuple):
    """A framework's log errors against the mean of the frameworks, over the seeds that all of them have."""

    row: int
    mean: float
    deviation: float  # of the mean
    freedom: int
    largest: float  # at any seed


def compare(rows: pd.DataFrame, method: Sequence[str]) -> pd.DataFrame:
    """Add COLUMNS to rows with `by_seed`; rows that share `method` are the frameworks of one competitor.

    `against` is the ratio of a row's error to the geometric mean over the frameworks minus 1, paired by seed, with a
    95 % interval (Student's t). Verdicts: within 1e-4 at every seed; within 1 % by two one-sided tests (Schuirmann
    1987); different by more than 1 % after Holm's correction over the rows of a board; else undecided. Empty for a
    method in one framework.
    """
    rows = rows.assign(**dict.fromkeys(COLUMNS[:3], np.nan), verdict="")
    boards = [name for name in method if name in ("task", "quick", "apart")]
    for _, board in rows.groupby(boards):
        found = [one for _, group in board.groupby(list(method)) for one in _against(group)]
        if found:
            rows.loc[[one.row for one in found], COLUMNS] = _judged(found)
    return rows


def _against(group: pd.DataFrame) -> list[Against]:
    logs = log_errors_of(group["by_seed"])[1]
    logs = logs[:, ~np.isnan(logs).any(axis=0)]
    if len(group) < 2 or logs.shape[1] == 0:
        return []
    gaps, seeds = logs - logs.mean(axis=0), logs.shape[1]
    spread = gaps.std(axis=1, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.full(len(group), np.nan)
    return [
        Against(row, float(gap.mean()), float(deviation), seeds - 1, float(np.abs(gap).max()))
        for row, gap, deviation in zip(group.index, gaps, spread, strict=True)
    ]


def _judged(found: Sequence[Against]) -> np.ndarray:
    """Return COLUMNS of each."""
    mean, deviation, freedom, largest = (np.array(column, dtype=float) for column in list(zip(*found, strict=True))[1:])
    margin = np.log1p(MARGIN)
    with np.errstate(divide="ignore", invalid="ignore"):
        one_sided, two_sided = (special.stdtrit(freedom, 1 - LEVEL / sides) * deviation for sides in (1, 2))
        t = np.maximum(np.abs(mean) - margin, 0) / deviation
        p_values = np.where(freedom < 1, 1.0, np.where(deviation > 0, 2 * special.stdtr(freedom, -t), 1.0))
    differs = (holm(p_values) < LEVEL) & (np.abs(mean) > margin)
    verdict = np.where(differs, DIFFERS, np.where(np.abs(mean) + one_sided < margin, EQUAL, UNDECIDED))
    verdict = np.where(largest < COPY, SAME, verdict)
    ends = [np.expm1(value) for value in (mean, mean - two_sided, mean + two_sided)]
    return np.array([*ends, verdict], dtype=object).T

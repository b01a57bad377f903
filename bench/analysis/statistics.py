"""Which rows can be told apart: functions of arrays.

The smallest differences that seeds can show, and what they cannot, are in docs/protocol.md.
"""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd
from scipy import special

LEVEL = 0.05  # of false differences on a board, all pairs together
CONFIDENCE = 0.95


def ranks(means: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The ranks [R] of rows by their mean errors [R] and errors [R, seeds], NaN where a row lacks a seed.

    A row's rank is 1 plus the number of rows that are better than it: beyond chance where the two share at least two
    seeds, else by their means. It is never smaller than that of a row with a smaller mean, so that those which cannot
    be told apart from the best of them share a rank.
    """
    smaller = means[:, None] < means
    tested, apart = told_apart(errors)
    better = smaller & (apart | ~tested)
    order = np.argsort(means, kind="stable")
    found = np.empty(len(means), dtype=int)
    found[order] = np.maximum.accumulate(1 + better.sum(axis=0)[order])
    return found


def told_apart(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each pair of rows [R, R]: whether it could be tested, and whether it can be told apart.

    Student's t over the differences, paired by seed, two-sided; Holm's correction over all pairs that share at least
    two seeds (Holm 1979): the chance of any false difference on the board is at most LEVEL.
    """
    known = (~np.isnan(errors)).astype(float)
    tested = np.triu(known @ known.T >= 2, k=1)
    # row by row: all pairs at once would need a copy of the errors for each row
    p_values = [paired_t(errors[row] - errors[others]) for row, others in enumerate(tested) if others.any()]
    apart = np.zeros_like(tested)
    apart[tested] = holm(np.concatenate([*p_values, np.empty(0)])) < LEVEL
    return tested | tested.T, apart | apart.T


def holm(p_values: np.ndarray) -> np.ndarray:
    """The p-values [P], corrected for there being so many (Holm 1979): below LEVEL are those that are significant."""
    if not len(p_values):
        return p_values
    from statsmodels.stats.multitest import multipletests  # half a second, for boards with several seeds alone

    gc.freeze()  # multipletests collects garbage first: each time through every record that has been read
    try:
        corrected: np.ndarray = multipletests(p_values, LEVEL, method="holm")[1]
    finally:
        gc.unfreeze()
    return corrected


def paired_t(differences: np.ndarray) -> np.ndarray:
    """Two-sided p-values [P] of differences [P, seeds], NaN where there is none: that their mean is zero."""
    count = (~np.isnan(differences)).sum(axis=1)
    mean, deviation = np.nanmean(differences, axis=1), np.nanstd(differences, axis=1, ddof=1)
    # methods without chance differ by the same amount for every seed, but for rounding: for certain, or not at all
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean) / (deviation / np.sqrt(count)))
    p_values: np.ndarray = 2 * special.stdtr(count - 1, -t)
    return p_values


def half_width(count: pd.Series, deviation: pd.Series) -> pd.Series:
    """Half of the mean's 95 % interval, t(97.5 %, n - 1) s / sqrt(n); NaN for one value."""
    # Student's quantile without scipy.stats, which takes longer to import than a board to render
    quantile = special.stdtrit((count - 1).where(count > 1), (1 + CONFIDENCE) / 2)
    half: pd.Series[float] = quantile * deviation / np.sqrt(count)
    return half

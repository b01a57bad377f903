"""Two methods compared on the same blocks of windows."""

from __future__ import annotations

import math

import numpy as np

from bench.schema.record import Run


def blocks_of(run: Run) -> np.ndarray:
    """Return the run's error in each block of validation windows; empty where its series are not from a file."""
    return np.array(run.by_block or [])


def paired(best: np.ndarray, other: np.ndarray) -> float:
    """Return the p-value of a paired t test of errors on the same blocks; 1 where there is too little to test."""
    from scipy import stats

    differences = other - best
    if len(differences) < 2 or not differences.any():
        return 1.0
    if differences.std() <= 1e-9 * abs(differences.mean()):
        return 0.0  # the same everywhere: no chance in it
    return float(stats.ttest_1samp(differences, 0).pvalue)


def upper_ratio(best: np.ndarray, other: np.ndarray, confidence: float = 0.95) -> float:
    """Return the one-sided upper bound of other's mean error over best's, from errors paired by block.

    By the t interval of Fieller (1954) for a ratio of means: the largest r at which a one-sided test of
    mean(other - r * best) = 0 does not reject. Infinite for fewer than two blocks, or where `best` may be 0.
    """
    from scipy import stats

    count = len(best)
    if count < 2 or not best.mean() > 0:
        return 1.0 if count and np.array_equal(best, other) else math.inf
    critical = float(stats.t.ppf(confidence, count - 1)) ** 2 / count
    covariance = np.cov(best, other)
    a = best.mean() ** 2 - critical * covariance[0, 0]
    b = best.mean() * other.mean() - critical * covariance[0, 1]
    c = other.mean() ** 2 - critical * covariance[1, 1]
    if a <= 0:
        return math.inf
    return float((b + math.sqrt(max(b * b - a * c, 0.0))) / a)

"""Prediction intervals: from the errors seen to bounds around a forecast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class IntervalForecast(NamedTuple):
    """Forecasts beyond the end of each series: [S, steps, D], own units; no interval (NaN) where none was measured."""

    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def quantiles(errors: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Between which errors [N, H, D] `level` percent of the next ones lie, [H, D] each, from the N seen.

    Of N exchangeable errors and the next one, each rank is as likely: rank (N + 1) alpha / 2 bounds the lower tail. Few
    windows have no such rank, then the extreme ones bound it, and hold less than they say. No error at all is always
    between them: a method that is off in one direction gets an interval longer on that side, not beside its forecast.
    """
    ordered = np.sort(errors, axis=0)
    tail = (1 - level / 100) / 2
    rank = max(int(np.floor((len(errors) + 1) * tail)), 1)
    return np.minimum(ordered[rank - 1], 0.0), np.maximum(ordered[-rank], 0.0)


def padded(bound: np.ndarray, steps: int) -> np.ndarray:
    """Error quantiles [H, D] for so many steps: NaN beyond H, where none was measured."""
    missing = np.full((max(steps - len(bound), 0), bound.shape[1]), np.nan)
    return np.concatenate([bound[:steps], missing])

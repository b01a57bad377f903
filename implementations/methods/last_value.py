"""Repeat the last value: the baseline that every other method has to beat.

    y_{T+h} = y_T                                                   for every step h ahead

The best forecast of a random walk: the "naive" one of Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
3rd edition, section 5.2. Departs from the reference on ten steps: there the last *target* is repeated, which no
forecaster can know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from implementations.forecaster import check_steps, check_windows
from implementations.statistical import RowForecaster, RowForecasts, without_bounds


class LastValue(RowForecaster):
    """The last value of each channel, repeated."""

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """There is nothing to learn; raises ValueError for a wrong shape, a NaN or an infinity."""
        check_windows(history, future)
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Repeat the last of history [N, T, D]: [N, steps, D] float32. Raises ValueError for bad input."""
        check_windows(history)
        check_steps(steps)
        return np.repeat(history[:, -1:].astype(np.float32), steps, axis=1)

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Repeat each row's last value."""
        return without_bounds(np.array([np.full(steps, row[-1]) for row in rows], dtype=np.float64))

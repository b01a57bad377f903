"""Repeat the last value: the baseline that every other method has to beat.

    y_{T+h} = y_T                                                   for every step h ahead

The best forecast of a random walk: the "naive" one of Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
3rd edition, section 5.2. Departs from the notes on ten steps: there the last *target* is repeated, which no forecaster
can know.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows


class LastValue(Forecaster):
    """The last value of each channel, repeated."""

    takes_levels: ClassVar[bool] = True

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

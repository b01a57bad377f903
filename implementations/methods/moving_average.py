"""Simple exponential smoothing: an average of all past values, whose weights fall by one factor from step to step back.

    l_1 = y_1,   l_t = alpha y_t + (1 - alpha) l_{t-1}              so y_{t-k} weighs alpha (1 - alpha)^k in l_t
    y_{T+h} = l_T                                                   for every step h ahead

Holt 1957, reprinted doi:10.1016/j.ijforecast.2003.09.015; by statsforecast's SimpleExponentialSmoothing, as its
WindowAverage has no weights. The reference only names a weighted moving average; where a series has no noise to smooth,
alpha ends near 1 and the forecast near `last_value`'s. Unless set, alpha is the value from 0.01 to 0.99 with
the least one-step error on the series itself (SimpleExponentialSmoothingOptimized).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from implementations.forecaster import check_steps, check_windows
from implementations.statistical import (
    RowForecaster,
    RowForecasts,
    forecast_each,
    numerical_warnings_off,
    without_bounds,
)


class MovingAverage(RowForecaster):
    """An exponentially weighted moving average of each channel, repeated.

    alpha: the weight of the last value, above 0 and at most 1; None: fitted to each series.
    """

    alpha: float | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.alpha, int | float) and not isinstance(self.alpha, bool)
        if self.alpha is not None and not (number and 0 < self.alpha <= 1):
            name = self.name or "moving_average"
            raise ValueError(f"{name}.alpha: got {self.alpha!r}, needed a number above 0 and at most 1, or None")

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Load the library: alpha belongs to each series. Raises ValueError for a wrong shape, a NaN or an infinity."""
        check_windows(history, future)
        start = time.perf_counter()
        import statsforecast.models  # noqa: F401

        self.seconds = {"build": time.perf_counter() - start}
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Average history [N, T, D]: [N, steps, D] float32. Raises ValueError for bad input."""
        check_windows(history)
        check_steps(steps)
        model = self._model()
        return forecast_each(history, lambda series: model.forecast(y=series, h=steps)["mean"])

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Average each row in its own units."""
        model = self._model()
        with numerical_warnings_off():
            made = [model.forecast(y=np.asarray(row, dtype=np.float64), h=steps)["mean"] for row in rows]
        return without_bounds(np.array(made, dtype=np.float64))

    def _model(self) -> Any:
        from statsforecast.models import SimpleExponentialSmoothing, SimpleExponentialSmoothingOptimized

        return SimpleExponentialSmoothingOptimized() if self.alpha is None else SimpleExponentialSmoothing(self.alpha)

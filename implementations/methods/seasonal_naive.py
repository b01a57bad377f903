"""The seasonal naive forecast: each step as it was a season before.

    y_{T+h} = y_{T+h-m k},   k = ceil(h / m)          m: steps in a season; with m = 1 the last value, repeated

Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd edition, section 5.2. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from implementations.forecaster import check_steps, check_windows
from implementations.statistical import RowForecaster, RowForecasts, without_bounds


class SeasonalNaive(RowForecaster):
    """The last season of each channel, repeated. season_length: steps in a season."""

    season_length: int = 1

    def __post_init__(self) -> None:
        if type(self.season_length) is not int or self.season_length < 1:
            name = self.name or "seasonal_naive"
            raise ValueError(f"{name}.season_length: got {self.season_length!r}, needed a whole number of at least 1")

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """There is nothing to learn; raises ValueError for bad input, or a history shorter than a season."""
        check_windows(history, future)
        self._check_length(history)
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Repeat the last season of history [N, T, D]: [N, steps, D] float32. Raises ValueError for bad input."""
        check_windows(history)
        check_steps(steps)
        self._check_length(history)
        season = history[:, -self.season_length :].astype(np.float32)
        return np.ascontiguousarray(season[:, np.arange(steps) % self.season_length])

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Repeat each row's last season, or its last value where it has no whole season."""
        seasons = (row[-self.season_length :] if len(row) >= self.season_length else row[-1:] for row in rows)
        return without_bounds(np.array([np.resize(season, steps) for season in seasons], dtype=np.float64))

    def _check_length(self, history: np.ndarray) -> None:
        if history.shape[1] < self.season_length:
            raise ValueError(f"history: got {history.shape[1]} steps, needed at least a season of {self.season_length}")

"""Forecasts from all of a series before the origin, in its own units: what naive and classical methods are made for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from implementations.forecaster import Forecaster
from implementations.statistical import RowForecaster

NONE = np.empty((0, 3), dtype=np.int64)


class WholeSeries(NamedTuple):
    """All values before the last origin of each series, and from where to where each forecast may look."""

    values: np.ndarray = np.empty((0, 1))  # [M, D] float64: one series after another
    scales: np.ndarray = np.empty((2, 0, 1))  # [2, S, D]: centre and spread of each series
    validation: np.ndarray = NONE  # [N, 3]: where in `values` a series begins, the origin, and which series it is
    test: np.ndarray = NONE

    def suits(self, forecaster: Forecaster) -> bool:
        """Tell whether there are any, and the method takes rows of any length."""
        return len(self.validation) > 0 and isinstance(forecaster, RowForecaster)

    def forecast(self, forecaster: Forecaster, places: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 from each place, on the scale of the windows."""
        assert isinstance(forecaster, RowForecaster)
        channels = self.values.shape[1]
        rows = [self.values[begin:end, channel] for begin, end, _ in places for channel in range(channels)]
        made = forecaster.forecast_rows(rows, steps).mean.reshape(len(places), channels, steps).swapaxes(1, 2)
        centre, spread = (scale[places[:, 2]][:, None] for scale in self.scales)
        return np.ascontiguousarray((made - centre) / spread, dtype=np.float32)

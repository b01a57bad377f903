"""For methods that treat every channel of every series on its own: a series is forecast alone as in any batch."""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows


def forecast_each(history: np.ndarray, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply rule, float64 [T] -> [steps], to each channel of history [N, T, D]: [N, steps, D] float32."""
    series, _, channels = history.shape
    forecasts = np.stack([rule(row) for row in rows(history)])
    return np.ascontiguousarray(forecasts.reshape(series, channels, -1).swapaxes(1, 2), dtype=np.float32)


def rows(history: np.ndarray) -> np.ndarray:
    """All channels of all series [N, T, D] as float64 rows [N * D, T]: a copy, so the input stays as it is."""
    return np.array(history.swapaxes(1, 2), dtype=np.float64, order="C").reshape(-1, history.shape[1])


class StatsForecast(Forecaster):
    """A model of statsforecast, chosen and fitted anew for each channel of each series when that is forecast.

    season_length: steps in a season, 1 for none.
    """

    takes_levels: ClassVar[bool] = True

    season_length: int = 1

    def __post_init__(self) -> None:
        if type(self.season_length) is not int or self.season_length < 1:
            raise ValueError(
                f"{self.name}.season_length: got {self.season_length!r}, needed a whole number, at least 1"
            )

    @abstractmethod
    def model(self) -> Any:
        """A fresh model of statsforecast."""

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Load the library: models belong to each series. Raises ValueError for bad input."""
        check_windows(history, future)
        start = time.perf_counter()
        self.model()
        self.seconds = {"build": time.perf_counter() - start}
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Fit each series of history [N, T, D], forecast [N, steps, D] float32. Raises ValueError for bad input."""
        check_windows(history)
        check_steps(steps)
        with numerical_warnings_off():
            return forecast_each(history, lambda series: self.forecast_one(series, steps))

    def forecast_one(self, series: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [steps] after one series [T]; its last value where it is constant: there is nothing to fit."""
        if np.ptp(series) == 0:
            return np.full(steps, series[-1])
        forecasts: np.ndarray = self.model().forecast(y=series, h=steps)["mean"]
        return forecasts if np.isfinite(forecasts).all() else np.full(steps, series[-1])


@contextmanager
def numerical_warnings_off() -> Iterator[None]:
    """Silence the optimiser: a fit that fails is seen by its forecasts, which are checked."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield

"""For methods that treat every channel of every series on its own: a series is forecast alone as in any batch.

R rows (one channel of one series each, of any lengths), H steps ahead, L levels of intervals.
"""

from __future__ import annotations

import copy
import os
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows

PARALLEL = 16  # rows that are worth starting processes for


class RowForecasts(NamedTuple):
    """Forecasts [R, H] in the rows' own units, and bounds [L, R, H] at each level; L = 0 without intervals."""

    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Intervals(NamedTuple):
    """Forecasts [N, steps, D] float32 after windows, and their bounds at one level."""

    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class RowForecaster(Forecaster):
    """A method that forecasts rows of any lengths from all of their values, in their own units, without training."""

    takes_levels: ClassVar[bool] = True
    #: whether it fits a model that has intervals
    has_intervals: ClassVar[bool] = False

    @abstractmethod
    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Forecast [R, steps] float64 after each row [any length]; levels in percent.

        Bounds are empty, [0, R, steps], where the method gives no intervals.
        """

    def predict_intervals(self, history: np.ndarray, steps: int, level: int) -> Intervals:
        """Forecast after windows [N, T, D] with the bounds of a level, percent, where the method has intervals.

        The forecasts are those of `predict_ahead`, as far as a method with other models for windows says so.
        """
        made = self.forecast_rows(list(rows(history)), steps, [level])
        shape = (len(history), history.shape[2], steps)
        mean, lower, upper = (
            np.ascontiguousarray(part.reshape(shape).swapaxes(1, 2), dtype=np.float32)
            for part in (made.mean, made.lower[0], made.upper[0])
        )
        return Intervals(mean, lower, upper)


def without_bounds(forecasts: np.ndarray) -> RowForecasts:
    """Return forecasts [R, H] of a method that has no intervals."""
    none = np.empty((0, *forecasts.shape))
    return RowForecasts(forecasts, none, none)


def forecast_each(history: np.ndarray, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply rule, float64 [T] -> [steps], to each channel of history [N, T, D]: [N, steps, D] float32."""
    series, _, channels = history.shape
    forecasts = np.stack([rule(row) for row in rows(history)])
    return np.ascontiguousarray(forecasts.reshape(series, channels, -1).swapaxes(1, 2), dtype=np.float32)


def intervals_of_each(history: np.ndarray, rule: Callable[[np.ndarray], Sequence[np.ndarray]]) -> Intervals:
    """Apply rule, float64 [T] -> forecast, lower and upper bound [steps], to each channel of history [N, T, D].

    Where one of them is not finite, all are the last value.
    """

    def joined(row: np.ndarray) -> np.ndarray:
        made = np.concatenate(rule(row))
        return made if np.isfinite(made).all() else np.full(len(made), row[-1])

    return Intervals(*np.split(forecast_each(history, joined), 3, axis=1))


def rows(history: np.ndarray) -> np.ndarray:
    """Return all channels of all series [N, T, D] as float64 rows [N * D, T]: a copy, so the input stays as it is."""
    return np.array(history.swapaxes(1, 2), dtype=np.float64, order="C").reshape(-1, history.shape[1])


class StatsForecast(RowForecaster):
    """Base of statsforecast's models: select and fit one for each channel of each series at forecast time.

    season_length: steps in a season, 1 for none.
    """

    has_intervals: ClassVar[bool] = True

    season_length: int = 1

    def __post_init__(self) -> None:
        if type(self.season_length) is not int or self.season_length < 1:
            raise ValueError(
                f"{self.name}.season_length: got {self.season_length!r}, needed a whole number, at least 1"
            )

    @abstractmethod
    def model(self) -> Any:
        """Return a fresh model of statsforecast."""

    def row_model(self, positive: bool) -> Any:
        """Return a fresh model for whole rows in their own units; positive: all their values are above 0."""
        return self.model()

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Fit each row, all rows of a kind at once; the last value where nothing can be fitted."""

        def make(season: int, positive: bool) -> Any:
            one = copy.copy(self)
            one.season_length = season
            return one.row_model(positive)

        return forecast_batches(make, self.season_length, rows, steps, levels)

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

    def predict_intervals(self, history: np.ndarray, steps: int, level: int) -> Intervals:
        """Fit each series of history [N, T, D] once, for its forecasts and their bounds."""

        def bounded(series: np.ndarray) -> Sequence[np.ndarray]:
            if np.ptp(series) == 0:
                return [np.full(steps, series[-1])] * 3
            made = self.model().forecast(y=series, h=steps, level=[level])
            return [made[name] for name in ("mean", f"lo-{level}", f"hi-{level}")]

        with numerical_warnings_off():
            return intervals_of_each(history, bounded)

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


def forecast_batches(
    make: Callable[[int, bool], Any], season: int, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float]
) -> RowForecasts:
    """Forecast rows by statsforecast, in one batch for each kind: long enough for a season or not, positive or not.

    make: a model of statsforecast from the steps in a season and whether all values are above 0.
    """
    bounds = np.empty((2 * len(levels) + 1, len(rows), steps))
    kinds: dict[tuple[int, bool], list[int]] = {}
    for place, row in enumerate(rows):
        bounds[:, place] = row[-1]
        if np.ptp(row) > 0 and len(row) > 2:
            fits = season if len(row) > 2 * season + 2 else 1
            kinds.setdefault((fits, bool(row.min() > 0)), []).append(place)
    for kind, places in kinds.items():
        bounds[:, places] = batch(make(*kind), [rows[place] for place in places], steps, levels)
    invalid = ~np.isfinite(bounds).all(axis=(0, 2))
    bounds[:, invalid] = np.array([row[-1] for row in rows])[None, invalid, None]
    return RowForecasts(bounds[0], bounds[1 : len(levels) + 1], bounds[len(levels) + 1 :])


def batch(model: Any, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float]) -> np.ndarray:
    """Return mean, lower and upper bounds [1 + 2 L, R, steps] of a model fitted to each row; naive where it fails."""
    import pandas as pd
    from statsforecast import StatsForecast as Batches
    from statsforecast.models import Naive

    model.alias, levels = "model", [int(level) if float(level).is_integer() else level for level in levels]
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(rows)), [len(row) for row in rows]),
            "ds": np.concatenate([np.arange(len(row)) for row in rows]),
            "y": np.concatenate(rows).astype(np.float64),
        }
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    jobs = min(cores, len(rows) // PARALLEL + 1)
    with numerical_warnings_off():
        batches = Batches(models=[model], freq=1, n_jobs=jobs, fallback_model=Naive())
        made = batches.forecast(df=table, h=steps, level=cast(Any, levels or None))
    names = ["model", *(f"model-{side}-{level}" for side in ("lo", "hi") for level in levels)]
    found: np.ndarray = made[names].to_numpy().T.reshape(len(names), len(rows), steps)
    return found

"""A method fitted to a file's series, which forecasts after any step of them, in their own units.

S series, L steps known, T history, H or `steps` ahead, D channels, V levels of intervals.

Row methods (`implementations.statistical.RowForecaster`: naive and classical ones) forecast each channel from all that
is known, and need no training. All others learn from windows of T + H steps, scaled, with differences taken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import implementations
from bench.data.transforms import Part, Scale, Scaling, differenced, scale_of
from bench.errors import UsageError
from bench.schema.series import Preparation
from implementations import METHODS, Forecaster, backends
from implementations.forecaster import Setting
from implementations.registry import Method
from implementations.statistical import RowForecaster

FLAT = 1e4  # spreads that a level is above 0: from there on changes are taken as such
PREFERRED = ("numpy", "torch", "keras-jax", "keras")  # by how soon a process is ready


class Training(NamedTuple):
    """What is to be trained."""

    method: str
    backend: str
    seed: int
    settings: dict[str, Setting]
    source: str | None  # of a method from outside


class Prediction(NamedTuple):
    """Forecasts [N, steps, D] in own units, and the method's own bounds [V, N, steps, D]; V = 0 where it has none."""

    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class Predictor:
    """A fitted forecaster; scaling: what it was trained with, None for a row method."""

    forecaster: Forecaster
    how: Preparation
    scaling: Scaling | None

    @property
    def needed(self) -> int:
        """How many steps have to be known."""
        return 1 if self.scaling is None else self.how.history + sum(self.how.lags)

    def predict(
        self, known: Sequence[np.ndarray], series: Sequence[int], steps: int, levels: Sequence[float] = ()
    ) -> Prediction:
        """Forecast after each array [L, D] of known values; series: which of those trained on it is.

        Raises UsageError where the method cannot, or its forecasts are not finite.
        """
        with in_words(self.forecaster.name):
            if isinstance(self.forecaster, RowForecaster):
                made = predict_rows(self.forecaster, known, steps, levels)
            else:
                made = self.predict_windows(known, np.asarray(series, dtype=np.int64), steps)
        if not np.isfinite(made.forecast).all():
            raise UsageError(f"{self.forecaster.name} diverged: its forecasts are not finite")
        return made

    def predict_windows(self, known: Sequence[np.ndarray], series: np.ndarray, steps: int) -> Prediction:
        """Forecast from the last T steps, scaled; there are no own bounds."""
        assert self.scaling is not None
        part = Part(np.stack([values[-self.needed :] for values in known]), series)
        levels = self.forecaster.takes_levels
        history = np.ascontiguousarray(self.scaling.seen(part, levels)[:, -self.how.history :])
        forecasts = self.scaling.restored(checked(self.forecaster.predict_ahead(history, steps), steps), part, levels)
        none = np.empty((0, *forecasts.shape))
        return Prediction(forecasts, none, none)


def checked(forecasts: np.ndarray, steps: int) -> np.ndarray:
    """Return the forecasts. Raises ValueError for what is no array, and for another number of steps."""
    if not isinstance(forecasts, np.ndarray):
        raise ValueError(f"got forecasts of type {type(forecasts).__name__}, expected an array [N, H, D]")
    if forecasts.ndim != 3 or forecasts.shape[1] != steps:
        raise ValueError(f"got forecasts {list(forecasts.shape)}, expected {steps} steps")
    return forecasts


def predict_rows(
    forecaster: RowForecaster, known: Sequence[np.ndarray], steps: int, levels: Sequence[float]
) -> Prediction:
    """Forecast each channel [L] on its own."""
    channels = known[0].shape[1]
    rows = [np.ascontiguousarray(values[:, channel]) for values in known for channel in range(channels)]
    centre = np.array([centre_of(row) if forecaster.has_intervals else 0.0 for row in rows])[:, None]
    made = forecaster.forecast_rows([row - one for row, one in zip(rows, centre, strict=True)], steps, levels)

    def by_channel(rows: np.ndarray) -> np.ndarray:
        rows = rows + centre
        return rows.reshape(*rows.shape[:-2], len(known), channels, steps).swapaxes(-1, -2)

    return Prediction(*map(by_channel, made))


def centre_of(row: np.ndarray) -> float:
    """Return the mean of a row [L] that hardly changes in comparison with it, else 0.

    statsforecast gives bounds in 32 bits, which would lose such changes; whether they are in proportion to the level
    makes no difference there.
    """
    mean = float(row.mean())
    return mean if 0 < row.std() < abs(mean) / FLAT else 0.0


def soonest(method: str) -> str:
    """Return the installed backend of the method that starts soonest. Raises UsageError where none is installed."""
    offered = implementations.backends_of(method)
    found = next((one for one in PREFERRED if one in offered and backends.installed(one)), None)
    if found is None:
        raise UsageError(f"{method}: none of its backends is installed: {', '.join(offered)}")
    return found


def make(what: Training) -> Forecaster:
    """Return a fresh forecaster. Raises UsageError for settings that it refuses."""
    backends.load(what.backend).seed(what.seed)
    try:
        return implementations.make(what.method, what.backend, what.seed, **what.settings)
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from None


def fit(known: Sequence[np.ndarray], names: Sequence[str], how: Preparation, what: Training) -> Predictor:
    """Train on all that is known [L, D] of each series. Raises UsageError where nothing is long enough for a window."""
    forecaster = make(what)
    if isinstance(forecaster, RowForecaster):
        return Predictor(forecaster, how, None)
    scaling = scaling_of(known, names, how)
    part = training_windows(known, how)
    if not len(part.series):
        longest = max(map(len, known))
        raise UsageError(f"{what.method}: no series is long enough to learn from: got {longest} steps, needed "
                         f"{how.length} = {how.history} (--history) + {how.ahead} (--ahead)")  # fmt: skip
    seen = scaling.seen(part, forecaster.takes_levels)
    end = seen.shape[1] - how.ahead
    history, future = seen[:, end - how.history : end].copy(), seen[:, end:].copy()
    forecaster.places = np.stack([part.series, part.starts], axis=1)
    with in_words(what.method):
        forecaster.fit(history, future)
    return Predictor(forecaster, how, scaling)


@contextlib.contextmanager
def in_words(method: str) -> Iterator[None]:
    """Turn what a method raises for bad data, or when it diverges, into a UsageError.

    A user's method may raise anything; what else one of ours raises is a fault of ours.
    """
    try:
        yield
    except (ValueError, FloatingPointError) as error:
        raise UsageError(f"{method}: {' '.join(str(error).split())}") from None
    except Exception as error:
        if isinstance(METHODS.get(method), Method):
            raise
        raise UsageError(f"{method}: {type(error).__name__}: {' '.join(str(error).split())}") from None


def training_windows(known: Sequence[np.ndarray], how: Preparation) -> Part:
    """Return every `stride`-th window of each series that is long enough."""
    values, series, starts = [], [], []
    for number, one in enumerate(known):
        if len(one) >= how.length:
            cut = np.lib.stride_tricks.sliding_window_view(one, how.length, axis=0)[:: how.stride]
            values.append(cut.swapaxes(1, 2))
            series.append(np.full(len(cut), number))
            starts.append(how.stride * np.arange(len(cut)))
    if not values:
        return Part(np.empty((0, how.length, known[0].shape[1])), np.empty(0, dtype=np.int64))
    return Part(np.concatenate(values), np.concatenate(series), np.concatenate(starts))


def scaling_of(known: Sequence[np.ndarray], names: Sequence[str], how: Preparation) -> Scaling:
    """Return centre and spread of each series, and of its differences."""
    lags = tuple(how.lags)
    changes = [differenced(values[None], lags)[0] for values in known]
    whole = [change if len(change) else np.zeros((1, known[0].shape[1])) for change in changes]
    return Scaling(tuple(names), lags, scale_of(known), scale_of(whole))


def extended(scaling: Scaling, known: Sequence[np.ndarray], names: Sequence[str], how: Preparation) -> Scaling:
    """Return the scaling with further series, scaled by their own values."""
    more = scaling_of(known, names, how)

    def joined(first: Scale, second: Scale) -> Scale:
        return Scale(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))

    levels, differences = joined(scaling.levels, more.levels), joined(scaling.differences, more.differences)
    return Scaling((*scaling.names, *names), scaling.lags, levels, differences)

"""What is done to series before a method sees them, and undone to its forecasts: differences and scaling.

N windows, C steps before the history that differences reach back to, T history, H ahead, D channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Part(NamedTuple):
    """Windows in the data's own units, and which series each comes from."""

    values: np.ndarray  # [N, C + T + H, D] float64
    series: np.ndarray  # [N]
    starts: np.ndarray = np.empty(0, dtype=np.int64)  # [N]: where in its series each window begins


class Parts(NamedTuple):
    """Three sets of windows; what one forecasts, no earlier one has seen."""

    train: Part
    validation: Part
    test: Part


class Scale(NamedTuple):
    """Centre and spread of each series in its training part, [S, 1, D]."""

    centre: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Scaling:
    """What is done to each series before a method sees it, and undone to its forecasts."""

    names: tuple[str, ...]  # of the series
    lags: tuple[int, ...]
    levels: Scale  # of the series as they are
    differences: Scale  # of what is left when all differences are taken

    def shown(self, values: np.ndarray, series: int, levels: bool) -> np.ndarray:
        """Return a whole series [L, D] as a method sees it, float32: [L, D], or [L - C, D] with differences taken."""
        scale = self.levels if levels else self.differences
        taken = values if levels else differenced(values[None], self.lags)[0]
        scaled: np.ndarray = (taken - scale.centre[series]) / scale.spread[series]
        return scaled.astype(np.float32)

    def seen(self, part: Part, levels: bool) -> np.ndarray:
        """Return windows as a method sees them, float32: with differences taken, unless it takes levels."""
        if levels:
            return scaled(part, self.levels).astype(np.float32)
        return scaled(part._replace(values=differenced(part.values, self.lags)), self.differences).astype(np.float32)

    def restored(self, forecasts: np.ndarray, known: Part, levels: bool) -> np.ndarray:
        """Return forecasts [N, steps, D] in the data's own units, float64.

        `known` is what they were made from, in them.
        """
        scale = self.levels if levels else self.differences
        own = forecasts.astype(np.float64) * scale.spread[known.series] + scale.centre[known.series]
        return own if levels else summed(own, known.values, self.lags)


def differenced(values: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """Return values [N, L, D] minus those a lag before, for one lag after another: [N, L - sum(lags), D]."""
    for lag in lags:
        values = values[:, lag:] - values[:, :-lag]
    return values


def summed(forecasts: np.ndarray, known: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """Add differences [N, steps, D] to what is known [N, L, D], or was forecast before: the inverse."""
    if not lags:
        return forecasts
    lag, *rest = lags
    changes = summed(forecasts, differenced(known, [lag]), rest)
    whole = np.concatenate([known[:, -lag:], changes], axis=1)
    for step in range(lag, whole.shape[1]):
        whole[:, step] += whole[:, step - lag]
    return whole[:, lag:]


def scaled(part: Part, scale: Scale) -> np.ndarray:
    """Return windows minus the centre of their series, over its spread."""
    centred: np.ndarray = (part.values - scale.centre[part.series]) / scale.spread[part.series]
    return centred


def scale_of(training: Sequence[np.ndarray]) -> Scale:
    """Return mean and standard deviation of each series [L, D].

    A spread of 1 where all values are equal, or none is there.
    """
    training = [values if len(values) else np.zeros((1, values.shape[1])) for values in training]
    centre = np.stack([values.mean(axis=0, keepdims=True) for values in training])
    spread = np.stack([values.std(axis=0, keepdims=True) for values in training])
    tiny = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)  # what rounding leaves of a constant
    return Scale(centre, np.where(tiny, 1.0, spread))


def naive_error(values: np.ndarray, season: int, power: int = 1) -> np.ndarray:
    """Return mean |y_t - y_{t-m}|^power of one series [L, D]: [1, D], what MASE divides by (Hyndman & Koehler 2006)."""
    if len(values) <= season:
        return np.zeros((1, values.shape[1]))  # no scale
    changes: np.ndarray = (np.abs(differenced(values[None], [season])[0]) ** power).mean(axis=0, keepdims=True)
    return changes

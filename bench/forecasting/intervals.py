"""Prediction intervals around forecasts, from a calibration.

S series, H steps ahead, D channels, V levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.forecasting.calibration import FALLBACK, Calibration, change_of, levels_of
from bench.forecasting.predictor import Prediction


class IntervalForecast(NamedTuple):
    """Forecasts beyond the end of each series [S, steps, D], own units, and bounds [V, S, steps, D] of each level."""

    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    levels: tuple[float, ...]  # percent


def supported(calibration: Calibration, levels: Sequence[float]) -> tuple[float, ...]:
    """Return the levels that the errors can tell.

    Instead of one that is too high the next lower of the usual ones, if any.
    """
    found: list[float] = []
    for level in levels:
        lower = [one for one in FALLBACK if one < level and one <= calibration.largest]
        given = level if level <= calibration.largest else max(lower, default=None)
        found += [given] if given is not None and given not in found else []
    return tuple(found)


def around(
    calibration: Calibration, made: Prediction, known: Sequence[np.ndarray], places: Sequence[int | None],
    season: int, levels: Sequence[float],
) -> IntervalForecast:  # fmt: skip
    """Return bounds around forecasts. places: which of the calibrated series each is; None for a new one."""
    from scipy import stats

    steps = made.forecast.shape[1]
    widths = np.array(
        [scale_now(calibration, values, place, season) for values, place in zip(known, places, strict=True)]
    )
    growth = longer(calibration, steps)
    lower, upper = [], []
    for place, level in enumerate(levels):
        quantile = calibration.quantile(level)
        if calibration.own:
            factor = widths[:, None] * quantile / float(stats.norm.ppf(0.5 + level / 200))
            lower.append(made.forecast + factor * (made.lower[place] - made.forecast))
            upper.append(made.forecast + factor * (made.upper[place] - made.forecast))
        else:
            half = quantile * widths[:, None] * growth[None, :, None]
            lower.append(made.forecast - half)
            upper.append(made.forecast + half)
    shape = (len(levels), *made.forecast.shape)
    return IntervalForecast(
        made.forecast, np.array(lower).reshape(shape), np.array(upper).reshape(shape), tuple(levels)
    )


def longer(calibration: Calibration, steps: int) -> np.ndarray:
    """Return how errors grow over so many steps: beyond those measured, by the power law."""
    growth = np.array(calibration.growth)
    further = np.arange(len(growth) + 1, steps + 1) / len(growth)
    return np.concatenate([growth[:steps], growth[-1] * further**calibration.exponent])


def scale_now(calibration: Calibration, values: np.ndarray, place: int | None, season: int) -> np.ndarray:
    """Return the size of errors [D] after values [L, D]: moved with the level as far as errors go with it."""
    if calibration.own:
        return np.full(values.shape[1], calibration.pooled)
    if place is None:
        return calibration.pooled * change_of(values, season)
    size: np.ndarray = np.array(calibration.scale[place]) * moved(calibration, values, place, season)
    return size


def moved(calibration: Calibration, values: np.ndarray, place: int, season: int) -> np.ndarray:
    """By how much errors [D] are larger at the level where the values [L, D] end; 1 where a level is not above 0."""
    before, now = np.array(calibration.level[place]), levels_of(values, season)[-1]
    both = (before > 0) & (now > 0)
    ratio: np.ndarray = (np.where(both, now, 1.0) / np.where(both, before, 1.0)) ** calibration.power
    return ratio

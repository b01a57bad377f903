"""Naive2, the benchmark of the M competitions: the last value, its season taken off and put back where there is one.

Makridakis, Spiliotis & Assimakopoulos 2020, doi:10.1016/j.ijforecast.2019.04.014, as in their M4-methods repository.
"""

from __future__ import annotations

import numpy as np

SIGNIFICANT = 1.645  # standard errors: a two-sided 10 %
PERIODS = 3  # that a series has to have


def naive2(values: np.ndarray, season: int, steps: int) -> np.ndarray:
    """Forecast [steps] after one series [L]: its last value, seasonally adjusted where a test finds a season."""
    if season < 2 or not shows_season(values, season) or values.min() <= 0:  # nothing to divide by
        return np.full(steps, values[-1])
    indices = seasonal_indices(values, season)
    length = len(values)
    adjusted = values[-1] / indices[(length - 1) % season]
    forecasts: np.ndarray = adjusted * indices[np.arange(length, length + steps) % season]
    return forecasts


def shows_season(values: np.ndarray, season: int) -> bool:
    """Tell whether the autocorrelation at the season's lag exceeds 1.645 standard errors after Bartlett."""
    if len(values) < PERIODS * season:
        return False
    centred = values - values.mean()
    power = float(centred @ centred)
    if power == 0:
        return False
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, season + 1)]) / power
    error = np.sqrt((1 + 2 * (correlations[:-1] ** 2).sum()) / len(values))
    return bool(abs(correlations[-1]) > SIGNIFICANT * error)


def seasonal_indices(values: np.ndarray, season: int) -> np.ndarray:
    """Estimate the indices [season] of a multiplicative season: mean ratios to a centred moving average, of mean 1."""
    even = season % 2 == 0
    weights = np.array([0.5, *[1.0] * (season - 1), 0.5] if even else [1.0] * season) / season
    trend = np.convolve(values, weights, "valid")
    first = season // 2
    ratios = values[first : first + len(trend)] / trend
    phases = np.arange(first, first + len(trend)) % season
    indices = np.bincount(phases, ratios, season) / np.bincount(phases, minlength=season)
    scaled: np.ndarray = indices / indices.mean()
    return scaled

"""Rolling origins: forecasts made inside each series as if it ended there, and what came then.

E origins, H steps ahead, D channels, V levels. Beyond the end of a series, and where a value was filled in, the truth
is NaN: an origin two steps before the end still tests two steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.data.series import Series
from bench.forecasting.predictor import Predictor, Training, fit, make
from bench.schema.series import Preparation
from implementations.statistical import RowForecaster

REFITS = 30  # fits of classical models over all series together
MOST_REFITS = 6  # for each series
CHEAP = 4000  # origins of methods that fit nothing, over all series together
ENOUGH = 10.0  # errors that do not overlap: what a part held back for origins has to give, more for high levels
MOST = 0.45  # of a series that is held back at most


class Origins(NamedTuple):
    """Forecasts after the first `known` steps of a series, and the truth."""

    series: np.ndarray  # [E]
    known: np.ndarray  # [E]
    forecast: np.ndarray  # [E, H, D]
    truth: np.ndarray  # [E, H, D]
    lower: np.ndarray  # [V, E, H, D], the method's own bounds; V = 0: none
    upper: np.ndarray


def backtest(series: Sequence[Series], how: Preparation, what: Training, levels: Sequence[float]) -> Origins:
    """Forecast from rolling origins.

    Row methods are refitted at each origin to all values before it; methods that learn from windows are trained once,
    on the values before all origins. Empty where every series is too short.
    """
    forecaster = make(what)
    if isinstance(forecaster, RowForecaster):
        places = refit_origins(series, how) if forecaster.has_intervals else cheap_origins(series, how)
        return forecast_at(Predictor(forecaster, how, None), series, places, how.ahead, levels)
    cuts = cuts_of(series, how, levels)
    if max(cuts) < how.length:
        return empty(how.ahead, series[0].values.shape[1])
    known = [one.values[:cut] for one, cut in zip(series, cuts, strict=True)]
    shorter = as_many_steps(what, known, [one.values for one in series], how)
    predictor = fit(known, [one.name for one in series], how, shorter)
    every = [(number, step) for number, one in enumerate(series) for step in range(cuts[number], len(one.values))]
    return forecast_at(predictor, series, thinned(every, CHEAP), how.ahead, levels)


def as_many_steps(
    what: Training, known: Sequence[np.ndarray], whole: Sequence[np.ndarray], how: Preparation
) -> Training:
    """Return the training with more epochs, so that a network takes as many steps on fewer windows as it will on all.

    A network that has learnt for less long is worse, and intervals from its errors would be too wide.
    """
    epochs = what.settings.get("epochs")
    if not isinstance(epochs, int):
        return what
    before, after = (sum(max(0, len(one) - how.length + 1) for one in values) for values in (known, whole))
    return what._replace(settings={**what.settings, "epochs": round(epochs * after / before)})


def refit_origins(series: Sequence[Series], how: Preparation) -> list[tuple[int, int]]:
    """Return a few origins of each of a sample of series, H steps apart where that is possible, the last ones."""
    chosen = sample(series, REFITS)
    count = min(MOST_REFITS, max(1, REFITS // len(chosen)))
    season = how.season or 1
    found = []
    for number in chosen:
        length = len(series[number].values)
        first = max(2 * season + season // 2, length // 3, 8)
        step = max(1, min(how.ahead, (length - first) // count))
        last = length - how.ahead if length - first >= count * how.ahead else length - min(how.ahead, 2 * step)
        found += [(number, known) for known in range(last, first - 1, -step)[:count]]
    return found


def cheap_origins(series: Sequence[Series], how: Preparation) -> list[tuple[int, int]]:
    """Return every origin after the first season."""
    first = how.season or 1
    every = [(number, step) for number, one in enumerate(series) for step in range(first, len(one.values))]
    return thinned(every, CHEAP)


def sample(series: Sequence[Series], count: int) -> list[int]:
    """Return which series, at most `count`: by a digest of their values, so that their order plays no part."""
    digests = [hashlib.sha256(np.ascontiguousarray(one.values).tobytes()).digest() for one in series]
    return sorted(sorted(range(len(series)), key=digests.__getitem__)[:count])


def thinned(places: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return every k-th origin, counted from the end of each series, so that at most so many are left."""
    every = -(-len(places) // most)
    ends = {number: step for number, step in places}
    return [(number, step) for number, step in places if (ends[number] - step) % every == 0]


def cuts_of(series: Sequence[Series], how: Preparation, levels: Sequence[float] = ()) -> list[int]:
    """Return where the origins of each series begin: as late as enough errors allow, at most 45 % of it held back.

    A level of 95 percent takes 19 errors, and one to spare.
    """
    enough = max([ENOUGH, *(level / (100 - level) + 1 for level in levels)])
    lengths = np.array([len(one.values) for one in series])
    most = (MOST * lengths).astype(int)
    held = np.minimum(how.ahead, most)
    while independent(held, how.ahead) < enough and (held < most).any():
        held = np.minimum(held + 1, most)
    return [int(length - part) for length, part in zip(lengths, held, strict=True)]


def independent(held: np.ndarray, ahead: int) -> float:
    """Return how many errors without overlap so many origins at each series' end give, mean over steps."""
    steps = np.arange(1, ahead + 1)
    return float((np.maximum(held[:, None] - steps + 1, 0) / steps).mean(axis=1).sum())


def forecast_at(
    predictor: Predictor, series: Sequence[Series], places: Sequence[tuple[int, int]], ahead: int,
    levels: Sequence[float],
) -> Origins:  # fmt: skip
    """Forecast at each place (series, steps known) from which the method can."""
    places = [place for place in places if place[1] >= predictor.needed]
    if not places:
        return empty(ahead, series[0].values.shape[1])
    which = np.array([number for number, _ in places])
    known = [series[number].values[:step] for number, step in places]
    made = predictor.predict(known, which.tolist(), ahead, levels)
    truth = np.full(made.forecast.shape, np.nan)
    for row, (number, step) in enumerate(places):
        one = series[number]
        after = np.where(one.imputed[step : step + ahead], np.nan, one.values[step : step + ahead])
        truth[row, : len(after)] = after
    return Origins(which, np.array([step for _, step in places]), made.forecast, truth, made.lower, made.upper)


def empty(ahead: int, channels: int) -> Origins:
    """No origin at all."""
    none, bounds = np.empty((0, ahead, channels)), np.empty((0, 0, ahead, channels))
    return Origins(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), none, none, bounds, bounds)

"""Forecast beyond the end of a file's series with a fitted model, and say where it is out of its depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bench.data.series import SeriesSet
from bench.errors import UsageError
from bench.forecasting import intervals
from bench.forecasting.calibration import change_of, levels_of
from bench.forecasting.intervals import IntervalForecast
from bench.forecasting.model import Model
from bench.forecasting.predictor import Predictor, extended

FAR = 4.0  # spreads from the training values: a level further out is warned of


class Ahead(NamedTuple):
    """Forecasts with intervals, and what a person has to know of them."""

    made: IntervalForecast
    warnings: tuple[str, ...]


def ahead(model: Model, found: SeriesSet, steps: int, non_negative: bool = False) -> Ahead:
    """Forecast beyond the end of every series.

    Raises UsageError for other channels or another rhythm than the model was trained on, and for series too short.
    """
    check(model, found)
    kept, season = model.kept, model.kept.preparation.season or 1
    known = [one.values for one in found.series]
    places = [kept.names.index(one.name) if one.name in kept.names else None for one in found.series]
    predictor, numbers = for_new(model, found, places)
    levels = intervals.supported(kept.calibration, kept.asked)
    made = intervals.around(
        kept.calibration, predictor.predict(known, numbers, steps, levels), known, places, season, levels
    )
    far = distances(model, known, places, season)
    made = widened(made, wider_by(model, known, places, season, far))
    return Ahead(not_negative(made) if non_negative else made, tuple(warnings(found, places, far)))


def check(model: Model, found: SeriesSet) -> None:
    """Raise UsageError unless the series have the model's channels and rhythm, and are long enough."""
    kept = model.kept
    if found.channels != kept.channels:
        got, needed = ", ".join(found.channels), ", ".join(kept.channels)
        raise UsageError(f"{found.file}: got channels {got}, the model was trained on {needed}")
    if found.calendar.name != kept.rhythm:
        raise UsageError(f"{found.file}: its values come {found.calendar.name}, the model was trained on values that "
                         f"come {kept.rhythm}")  # fmt: skip
    for one in found.series:
        if len(one.values) < model.predictor.needed:
            raise UsageError(f"{found.file}: the series {one.name!r} has {len(one.values)} steps, needed "
                             f"{model.predictor.needed}")  # fmt: skip


def for_new(model: Model, found: SeriesSet, places: Sequence[int | None]) -> tuple[Predictor, list[int]]:
    """Return the predictor with new series, scaled by their own values, and the number of each series."""
    predictor, how = model.predictor, model.kept.preparation
    new = [one for one, place in zip(found.series, places, strict=True) if place is None]
    if predictor.scaling is not None and new:
        scaling = extended(predictor.scaling, [one.values for one in new], [one.name for one in new], how)
        predictor = replace(predictor, scaling=scaling)
    following = iter(range(len(model.kept.names), len(model.kept.names) + len(new)))
    return predictor, [next(following) if place is None else place for place in places]


def distances(model: Model, known: Sequence[np.ndarray], places: Sequence[int | None], season: int) -> np.ndarray:
    """Return how many spreads the last level of each series is from what it was in training, [S, D].

    0 for new series.
    """
    centre, spread = (np.array(part) for part in model.kept.usual)
    found = np.zeros((len(known), len(model.kept.channels)))
    for number, (values, place) in enumerate(zip(known, places, strict=True)):
        if place is not None:
            found[number] = np.abs(levels_of(values, season)[-1] - centre[place]) / spread[place]
    return found


def wider_by(
    model: Model, known: Sequence[np.ndarray], places: Sequence[int | None], season: int, far: np.ndarray
) -> np.ndarray:
    """By how much to widen the intervals of series [S, D] whose level is far from the training values.

    By as much as their changes have grown, and once more for every doubling of the distance.
    """
    calibration = model.kept.calibration
    factors = np.ones(far.shape)
    for number, (values, place) in enumerate(zip(known, places, strict=True)):
        if place is not None and (far[number] > FAR).any():
            before = np.array(calibration.change[place])
            grown = change_of(values, season) / np.where(before > 0, before, np.inf)
            grown = np.maximum(grown / intervals.moved(calibration, values, place, season), 1.0)
            doublings = np.log2(np.maximum(far[number] / FAR, 1.0))
            factors[number] = np.where(far[number] > FAR, grown * (1 + doublings), 1.0)
    return factors


def widened(made: IntervalForecast, factors: np.ndarray) -> IntervalForecast:
    """Return bounds further from the forecast by factors [S, D]."""
    lower, upper = (made.forecast + factors[:, None] * (bounds - made.forecast) for bounds in (made.lower, made.upper))
    return made._replace(lower=lower, upper=upper)


def not_negative(made: IntervalForecast) -> IntervalForecast:
    """Return forecasts and bounds of what cannot be below 0."""
    forecast, lower, upper = (np.maximum(part, 0.0) for part in made[:3])
    return made._replace(forecast=forecast, lower=lower, upper=upper)


def warnings(found: SeriesSet, places: Sequence[int | None], far: np.ndarray) -> list[str]:
    """Return what a person has to know: levels far from those of the training, and series that are new."""
    said = []
    off = [one.name for one, distance in zip(found.series, far, strict=True) if (distance > FAR).any()]
    if off:
        said.append(f"{named(off)} lie{'' if len(off) > 1 else 's'} up to {far.max():.0f} spreads from the values "
                    "that the model was trained on: intervals are widened; train again to rely on them")  # fmt: skip
    new = [one.name for one, place in zip(found.series, places, strict=True) if place is None]
    if new:
        said.append(
            f"the model was not trained on {named(new)}: scaled by {'their' if len(new) > 1 else 'its'} own values"
        )
    return said


def named(names: Sequence[str]) -> str:
    """Return series in words."""
    if not names[0]:
        return "the series"
    shown = ", ".join(map(repr, names[:3]))
    return f"the series {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""How well a method forecasts series: at rolling origins, which may decide, and over the last H steps, which may not.

S series, E origins, H steps ahead, D channels. Errors are absolute, over the mean absolute change of each series: MASE.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from bench.data.series import Series
from bench.errors import UsageError
from bench.forecasting.backtest import Origins, forecast_at, sample
from bench.forecasting.calibration import change_of
from bench.forecasting.predictor import Predictor, Training, fit, make
from bench.schema.series import Preparation
from implementations.statistical import RowForecaster

SHARE = 0.6  # of a series that lies before all origins, at least
ORIGINS = 8  # of a single series
IN_ALL = 60  # origins of several series together, at least two of each
SERIES = 30  # that are forecast at rolling origins
TESTED = 100  # series whose last H steps are forecast
WINDOWS = 4000  # that a network learns from at most in a race


class Plan(NamedTuple):
    """Where forecasts are made: pairs of a series and the steps known, and where each series' training part ends."""

    origins: list[tuple[int, int]]
    tests: list[tuple[int, int]]
    cuts: list[int]  # [S]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a method did, where there is an error: some truth is known, and the series changes before."""

    series: list[int]  # of each origin
    known: list[int]
    scores: list[float]  # MASE at each origin
    tested: list[int]  # series
    test_scores: list[float]  # MASE over the last H steps of each
    test_mae: float | None  # own units; None where all of the last H steps were filled in
    seconds: float  # to fit to all but the last H steps, and to forecast


def plan(series: Sequence[Series], how: Preparation) -> Plan:
    """Choose origins in the last part of each series, the last H steps aside; constant series have no error to compare.

    Raises UsageError where no series is long enough to be forecast after more than half of it, and where all of those
    are constant.
    """
    long = [number for number, one in enumerate(series) if len(one.values) - how.ahead >= 4]
    if not long:
        raise UsageError(f"the series are too short to compare methods: needed at least {how.ahead + 4} steps")
    changing = [number for number in long if changes(series[number], how.ahead)]
    if not changing:
        raise UsageError(f"no series changes before its last {how.ahead} steps: no error tells methods apart")
    chosen = [changing[place] for place in sample([series[number] for number in changing], SERIES)]
    count = ORIGINS if len(series) == 1 else max(2, math.ceil(IN_ALL / len(chosen)))
    lengths = [len(one.values) - how.ahead for one in series]
    cuts = [max(math.ceil(SHARE * length), length - count * how.ahead) if length >= 4 else max(length, 0)
            for length in lengths]  # fmt: skip
    origins = []
    for number in chosen:
        cut, length = cuts[number], lengths[number]
        last = length - how.ahead if length - cut >= 2 * how.ahead else length - max(1, how.ahead // 2)
        places = np.unique(np.linspace(cut, max(cut, last), count).round().astype(int))
        origins += [(number, int(known)) for known in places]
    tested = sample([series[number] for number in changing], TESTED)
    tests = [(changing[place], lengths[changing[place]]) for place in tested]
    return Plan(origins, tests, cuts)


def changes(one: Series, ahead: int) -> bool:
    """Return whether the series changes before its last `ahead` steps."""
    before = one.values[: max(len(one.values) - ahead, 1)]
    return bool((before != before[0]).any())


def fitting(how: Preparation, planned: Plan, fit_history: bool) -> Preparation:
    """Return the preparation with a history that every origin has, and so many windows as a race has time for."""
    extra = sum(how.lags)
    shortest = min(known for _, known in [*planned.origins, *planned.tests])
    typical = float(np.median([planned.cuts[number] for number, _ in planned.origins]))
    possible = min(int((typical - extra - how.ahead) * 2 // 3), shortest - extra)
    wanted = max(how.history, 2 * (how.season or 0))
    history = max(1, min(wanted, possible)) if fit_history else how.history
    windows = sum(max(0, cut - extra - history - how.ahead) for cut in planned.cuts) / how.stride
    return msgspec.structs.replace(how, history=history, stride=how.stride * max(1, math.ceil(windows / WINDOWS)))


def evaluate(series: Sequence[Series], how: Preparation, what: Training, planned: Plan) -> Evaluation:
    """Forecast at all places. Raises UsageError where the method cannot, or diverges."""
    early = [replace(one, values=one.values[: -how.ahead], imputed=one.imputed[: -how.ahead])
             if len(one.values) > how.ahead else one for one in series]  # fmt: skip
    names = [one.name for one in series]
    forecaster = make(what)
    by_rows = isinstance(forecaster, RowForecaster)
    before = [one.values[:cut] for one, cut in zip(series, planned.cuts, strict=True)]
    first = Predictor(forecaster, how, None) if by_rows else fit(before, names, how, what)
    validation = forecast_at(first, early, planned.origins, how.ahead, ())
    if len(validation.series) < len(planned.origins):
        raise UsageError(f"{what.method}: it needs {first.needed} steps, and {len(planned.origins)} origins have fewer")
    start = time.perf_counter()
    whole = first if by_rows else fit([one.values for one in early], names, how, what)
    test = forecast_at(whole, series, planned.tests, how.ahead, ())
    seconds = time.perf_counter() - start
    change = np.array([unit_of(one.values, how.season or 1) for one in early])
    errors, test_errors = scores(validation, change), scores(test, change)
    there, tested = np.isfinite(errors), np.isfinite(test_errors)
    absolute = np.abs(test.truth - test.forecast)
    return Evaluation(
        series=validation.series[there].tolist(), known=validation.known[there].tolist(), scores=errors[there].tolist(),
        tested=test.series[tested].tolist(), test_scores=test_errors[tested].tolist(),
        test_mae=float(np.nanmean(absolute)) if np.isfinite(absolute).any() else None, seconds=seconds,
    )  # fmt: skip


def unit_of(values: np.ndarray, season: int) -> np.ndarray:
    """Return the mean absolute change [D] over a season, by which errors are divided.

    Over a step where seasons repeat.
    """
    change = change_of(values, season)
    return np.where(change > 0, change, change_of(values, 1))


def scores(origins: Origins, change: np.ndarray) -> np.ndarray:
    """Return the mean absolute error at each origin over its series' mean change.

    NaN where nothing is known or changes.
    """
    unit = np.where(change > 0, change, np.nan)[origins.series][:, None]
    errors = np.abs(origins.truth - origins.forecast) / unit
    there = np.isfinite(errors)
    counts = there.sum(axis=(1, 2))
    means = np.where(there, errors, 0.0).sum(axis=(1, 2)) / np.maximum(counts, 1)
    found: np.ndarray = np.where(counts > 0, means, np.nan)
    return found

"""Train a method on a file's series: errors and intervals from rolling origins, then a fit to everything.

S series, T history, H steps ahead, D channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from bench import metrics
from bench.data.series import SeriesSet
from bench.data.splits import check
from bench.data.transforms import scale_of
from bench.errors import UsageError
from bench.forecasting import calibration
from bench.forecasting.backtest import Origins, backtest, cuts_of
from bench.forecasting.model import Model, SavedModel, listed, weights_digest
from bench.forecasting.predictor import Training, fit, make
from bench.schema.series import Preparation
from implementations.statistical import RowForecaster


class Errors(msgspec.Struct, frozen=True):
    """Errors at rolling origins, in own units; None where they are not defined."""

    origins: int
    rmse: float
    mae: float
    smape: float
    mase: float | None
    skill: float | None  # percent of the squared error of the seasonal naive forecast saved, spreads as units


def train(found: SeriesSet, how: Preparation, what: Training, levels: Sequence[float]) -> tuple[Model, Errors | None]:
    """Measure the method's errors at rolling origins, then fit it to all there is. Errors: None without any origin.

    Raises UsageError for options out of range, for series too short for a window, and where the method diverges.
    """
    check(how)
    if not isinstance(make(what), RowForecaster):
        check_lengths(found, how)
    known, names = [one.values for one in found.series], [one.name for one in found.series]
    season = how.season or 1
    origins = backtest(found.series, how, what, levels)
    measured_errors = calibration.calibrate(origins, known, season, levels)
    predictor = fit(known, names, how, what)
    usual = scale_of(known)
    kept = SavedModel(
        preparation=how,
        channels=found.channels,
        names=tuple(names),
        rhythm=found.calendar.name,
        usual=listed(usual),
        levels=listed(predictor.scaling.levels) if predictor.scaling else None,
        differences=listed(predictor.scaling.differences) if predictor.scaling else None,
        calibration=measured_errors,
        asked=tuple(levels),
        source=what.source,
        weights=weights_digest(predictor.forecaster),
    )
    measured = errors_of(origins, known, season, usual.spread[:, 0]) if len(origins.series) else None
    return Model(predictor, kept), measured


def with_fitting_history(found: SeriesSet, how: Preparation, levels: Sequence[float]) -> Preparation:
    """Return the preparation with a history of 50 steps or two seasons, as far as most series allow."""
    check(how)
    extra = sum(how.lags)
    possible = int(np.median([(cut - extra - how.ahead) * 2 // 3 for cut in cuts_of(found.series, how, levels)]))
    shortest = min(len(one.values) for one in found.series) - extra
    wanted = max(how.history, 2 * (how.season or 0))
    return msgspec.structs.replace(how, history=max(1, min(wanted, possible, shortest)))


def check_lengths(found: SeriesSet, how: Preparation) -> None:
    """Raise UsageError, with what would do, for a series that cannot be forecast, and where none can be learnt from."""
    needed, extra = how.history + sum(how.lags), sum(how.lags)
    lags = f" + {extra} for differences" if extra else ""
    one = min(found.series, key=lambda one: len(one.values))
    name = f"the series {one.name!r}" if one.name else "the series"
    if len(one.values) < needed:
        possible = len(one.values) - extra
        hint = f": --history {possible} is possible" if possible >= 1 else ""
        raise UsageError(f"{found.file}: {name} is too short: got {len(one.values)} steps, needed {needed} to forecast "
                         f"from: {how.history} (--history){lags}{hint}")  # fmt: skip
    longest = max(len(one.values) for one in found.series)
    if longest < how.length:
        possible = longest - how.ahead - extra
        hint = f": --history {possible} is possible" if possible >= 1 else ""
        raise UsageError(f"{found.file}: {name} is too short: got {longest} steps, needed {how.length} to learn from = "
                         f"{how.history} (--history) + {how.ahead} (--ahead){lags}{hint}")  # fmt: skip


def errors_of(origins: Origins, known: Sequence[np.ndarray], season: int, spread: np.ndarray) -> Errors | None:
    """Return the errors where the truth is known; spread [S, D] puts series on one footing for the skill."""
    there = np.isfinite(origins.truth)
    if not there.any():
        return None
    steps = origins.truth.shape[1]
    naive = np.stack([
        repeated(known[number][:step], season, steps)
        for number, step in zip(origins.series, origins.known, strict=True)
    ])  # fmt: skip
    got, truth = origins.forecast[there], origins.truth[there]
    unit = np.broadcast_to(spread[origins.series][:, None], there.shape)[there]
    own, reference = metrics.mse(got / unit, truth / unit), metrics.mse(naive[there] / unit, truth / unit)
    change = np.array([calibration.change_of(values, season) for values in known])
    scale = np.broadcast_to(change[origins.series][:, None], there.shape)[there]
    return Errors(
        origins=len(origins.series),
        rmse=metrics.mse(got, truth) ** 0.5,
        mae=metrics.mae(got, truth),
        smape=metrics.smape(got, truth),
        mase=metrics.mase(got, truth, scale),
        skill=100 * (1 - own / reference) if reference else None,
    )


def repeated(known: np.ndarray, season: int, steps: int) -> np.ndarray:
    """Repeat the last season of known values [L, D], or the last value where there is none: [steps, D]."""
    last = known[-season:] if len(known) >= season else known[-1:]
    return last[np.arange(steps) % len(last)]

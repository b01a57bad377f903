"""Train a method on a file's series, measure its errors, and forecast beyond the end of each series."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import implementations
from bench import metrics
from bench.data.datasets import SeriesData
from bench.data.series import SeriesSet
from bench.data.splits import prepare
from bench.data.transforms import Part, Scale
from bench.errors import UsageError
from bench.forecasting.intervals import IntervalForecast, padded, quantiles
from bench.forecasting.model import Model, SavedModel
from bench.schema.series import Preparation
from implementations import backends
from implementations.forecaster import Setting


class Training(NamedTuple):
    """What is to be trained."""

    method: str
    backend: str
    seed: int
    settings: dict[str, Setting]
    source: str | None  # of a method from outside
    level: float  # of the intervals, percent


def train(found: SeriesSet, how: Preparation, what: Training) -> tuple[Model, str]:
    """Fit the method on all but the last steps, measure its errors on those, and say how large they are."""
    prepared = prepare(found, how, test=False)
    backend = backends.load(what.backend)
    backend.seed(what.seed)
    try:
        forecaster = implementations.make(what.method, what.backend, what.seed, **what.settings)
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from None
    data = SeriesData(found, prepared, forecaster.takes_levels)
    try:
        forecaster.fit(*data.split.train, validation=data.split.validation)
        validation = forecaster.predict_ahead(data.split.validation.history, how.ahead)
    except (ValueError, FloatingPointError) as error:
        raise UsageError(f"{what.method}: {' '.join(str(error).split())}") from None
    got, truth = data.compared("validation", validation)
    if not np.isfinite(got).all():
        raise UsageError(f"{what.method} diverged: its forecasts are not finite")
    lower, upper = quantiles(truth - got, what.level)
    scaling = prepared.scaling
    kept = SavedModel(
        preparation=how,
        channels=found.channels,
        names=scaling.names,
        levels=listed(scaling.levels),
        differences=listed(scaling.differences),
        lower=lower.tolist(),
        upper=upper.tolist(),
        level=what.level,
        windows=len(truth),
        source=what.source,
    )
    return Model(forecaster, kept), report(data, validation)


def listed(scale: Scale) -> Any:
    """Centre and spread [S, 1, D] as lists."""
    return scale.centre[:, 0].tolist(), scale.spread[:, 0].tolist()


def report(data: SeriesData, validation: np.ndarray) -> str:
    """The validation errors in own units, and against the seasonal naive forecast of the same windows."""
    how, part = data.prepared.preparation, data.prepared.parts.validation
    got, truth = data.restored("validation", validation), data.prepared.truth(part)
    season = how.season or 1
    known = data.prepared.known(part).values
    naive = known[:, -season:][:, np.arange(how.ahead) % season]  # what is known is longer than a season
    spread = data.prepared.scaling.levels.spread[part.series]
    own, reference = (metrics.mse(forecasts / spread, truth / spread) for forecasts in (got, naive))
    skill = f"{round(100 * (1 - own / reference))} %" if reference else "not defined, as that makes no error"
    name = "seasonal naive" if how.season else "naive"
    mase = metrics.mase(got, truth, data.prepared.naive[part.series])
    errors = f"RMSE {metrics.mse(got, truth) ** 0.5:.4g}, MAE {metrics.mae(got, truth):.4g}"
    errors += f", sMAPE {metrics.smape(got, truth):.1f} %" + (f", MASE {mase:.3f}" if mase is not None else "")
    return f"{len(truth)} validation windows: {errors}; skill against the {name} forecast {skill}"


def ahead(model: Model, found: SeriesSet, steps: int) -> IntervalForecast:
    """Forecast beyond the end of every series. Raises UsageError for series or channels that it does not know."""
    kept, how = model.kept, model.kept.preparation
    if found.channels != kept.channels:
        got, needed = ", ".join(found.channels), ", ".join(kept.channels)
        raise UsageError(f"{found.file}: got channels {got}, the model was trained on {needed}")
    unknown = [one.name for one in found.series if one.name not in kept.names]
    if unknown:
        raise UsageError(f"{found.file}: the model was not trained on the series {unknown[0]!r}")
    needed_steps = sum(how.lags) + how.history
    for one in found.series:
        if len(one.values) < needed_steps:
            raise UsageError(
                f"{found.file}: the series {one.name!r} has {len(one.values)} steps, needed {needed_steps}"
            )
    values = np.stack([one.values[-needed_steps:] for one in found.series])
    known = Part(values, np.array([kept.names.index(one.name) for one in found.series]))
    history = np.ascontiguousarray(model.scaling.seen(known, model.levels)[:, -how.history :])
    forecasts = model.scaling.restored(model.forecaster.predict_ahead(history, steps), known, model.levels)
    spread = model.scaling.levels.spread[known.series]
    lower, upper = (forecasts + spread * padded(np.array(bound), steps) for bound in (kept.lower, kept.upper))
    return IntervalForecast(forecasts, lower, upper)

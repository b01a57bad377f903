"""`python -m bench forecast`: train on a file's series, forecast beyond their end, with intervals; keep the model.

train or load -> Model -> ahead -> rows -> CSV, table, picture
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

import implementations
from bench import metrics
from bench.data.datasets import FromFile
from bench.data.prepare import Part, Scale, Scaling, prepare
from bench.data.series import SeriesSet
from bench.errors import UsageError
from bench.records import files
from bench.reporting.markdown import clean
from bench.schema.series import Preparation
from implementations import Forecaster, backends
from implementations.forecaster import Setting

SAVED = "forecast.json"  # beside what the forecaster itself saves
SHOWN = 24  # rows that are printed
DIGITS = 6  # significant ones of a forecast
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the beginning of one


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a saved model needs beside the forecaster: how to read a file, scaling, errors."""

    preparation: Preparation
    channels: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[list[list[float]], list[list[float]]]  # centre and spread, [S][D]
    differences: tuple[list[list[float]], list[list[float]]]
    lower: list[list[float]]  # [H][D]: quantiles of validation errors, in spreads
    upper: list[list[float]]
    level: float  # percent
    windows: int
    source: str | None  # where a method from outside came from


@dataclass(frozen=True)
class Model:
    """A fitted forecaster and all it takes to forecast a file's series in their own units."""

    forecaster: Forecaster
    kept: Kept

    @property
    def levels(self) -> bool:
        """Whether the method is given series without differences taken."""
        return self.forecaster.takes_levels

    @property
    def scaling(self) -> Scaling:
        """Each series' own."""

        def scale(pair: tuple[list[list[float]], list[list[float]]]) -> Scale:
            return Scale(*(np.array(values)[:, None, :] for values in pair))

        lags = tuple(self.kept.preparation.lags)
        return Scaling(self.kept.names, lags, scale(self.kept.levels), scale(self.kept.differences))


class Ahead(NamedTuple):
    """Forecasts beyond the end of each series: [S, steps, D], own units; no interval (NaN) where none was measured."""

    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


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
    data = FromFile(found, prepared, forecaster.takes_levels)
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
    kept = Kept(
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


def quantiles(errors: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Between which errors [N, H, D] `level` percent of the next ones lie, [H, D] each, from the N seen.

    Of N exchangeable errors and the next one, each rank is as likely: rank (N + 1) alpha / 2 bounds the lower tail. Few
    windows have no such rank, then the extreme ones bound it, and hold less than they say. No error at all is always
    between them: a method that is off in one direction gets an interval longer on that side, not beside its forecast.
    """
    ordered = np.sort(errors, axis=0)
    tail = (1 - level / 100) / 2
    rank = max(int(np.floor((len(errors) + 1) * tail)), 1)
    return np.minimum(ordered[rank - 1], 0.0), np.maximum(ordered[-rank], 0.0)


def report(data: FromFile, validation: np.ndarray) -> str:
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


def ahead(model: Model, found: SeriesSet, steps: int) -> Ahead:
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
    return Ahead(forecasts, lower, upper)


def padded(bound: np.ndarray, steps: int) -> np.ndarray:
    """Error quantiles [H, D] for so many steps: NaN beyond H, where none was measured."""
    missing = np.full((max(steps - len(bound), 0), bound.shape[1]), np.nan)
    return np.concatenate([bound[:steps], missing])


def rows(found: SeriesSet, how: Preparation, made: Ahead) -> tuple[list[str], list[list[str]]]:
    """The forecast as a long table: series and channel only where there are several."""
    several, channels = len(found.series) > 1 or bool(found.series[0].name), len(found.channels) > 1
    header = [inert(how.group or "series")] * several + [inert(time_header(how, found))] + ["channel"] * channels
    lines = []
    for place, one in enumerate(found.series):
        for step in range(made.forecast.shape[1]):
            time = found.calendar.at(one.end + step)
            for channel, name in enumerate(found.channels):
                cells = [made_by[place, step, channel] for made_by in made]
                named = [[inert(one.name)] * several, [time], [inert(name)] * channels]
                lines.append([*itertools.chain(*named), *map(number, cells)])
    return [*header, "forecast", "lower", "upper"], lines


def inert(name: str) -> str:
    """A name from a file as text that no terminal obeys and no spreadsheet computes: it gets an apostrophe in front."""
    text = clean(name)
    with contextlib.suppress(ValueError):
        float(text)
        return text
    return f"'{text}" if text.startswith(FORMULA) else text


def time_header(how: Preparation, found: SeriesSet) -> str:
    """What the column of times is called."""
    return "step" if found.calendar.kind == "rows" else how.time or "time"


def number(value: float) -> str:
    """A forecast with enough digits; empty where there is none."""
    return "" if np.isnan(value) else f"{value:.{DIGITS}g}"


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write the table. Raises UsageError where the path cannot be written."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *lines])
    files.replace(path, buffer.getvalue().encode())


def printed(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first rows as a table in plain text."""
    from tabulate import tabulate

    yield tabulate(lines[:SHOWN], header, disable_numparse=True, colalign=["left"] * (len(header) - 3) + ["right"] * 3)
    if len(lines) > SHOWN:
        yield f"... and {len(lines) - SHOWN} rows more"


def save(model: Model, folder: Path) -> None:
    """Write the model to a folder that is new or empty. Raises UsageError where it cannot."""
    try:
        model.forecaster.save(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"--save {str(folder)!r}: {files.reason_of(error)}") from None
    files.replace(folder / SAVED, msgspec.json.format(msgspec.json.encode(model.kept), indent=1))


def load(folder: Path) -> Model:
    """The model in a folder. Raises UsageError where there is none that can be read."""
    try:
        kept = msgspec.json.decode((folder / SAVED).read_bytes(), type=Kept)
        saved = msgspec.json.decode((folder / "forecaster.json").read_bytes())
        if saved["method"] not in implementations.METHODS:
            source = kept.source or saved["method"]
            raise UsageError(f"--model {str(folder)!r}: its method is not of this repository: add --method {source}")
        backends.load(saved["backend"])
        return Model(implementations.load(folder), kept)
    except UsageError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--model {str(folder)!r} is no model that `forecast --save` wrote: "
                         f"{files.reason_of(error)}") from None  # fmt: skip

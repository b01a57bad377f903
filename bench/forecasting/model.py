"""A fitted method with all it takes to forecast a file's series; kept in a folder and read from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import implementations
from bench.data.transforms import Scale, Scaling
from bench.errors import UsageError
from bench.forecasting.calibration import Calibration
from bench.forecasting.predictor import Predictor
from bench.records import files
from bench.schema.series import Preparation
from implementations import Forecaster, backends
from implementations.statistical import RowForecaster

SAVED = "forecast.json"  # next to what the forecaster itself saves

BySeries = list[list[float]]  # [S][D]


class SavedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a saved model needs besides the forecaster: how to read a file, scaling, intervals."""

    preparation: Preparation
    channels: tuple[str, ...]
    names: tuple[str, ...]
    rhythm: str  # how often values come, in words
    usual: tuple[BySeries, BySeries]  # centre and spread of each series
    levels: tuple[BySeries, BySeries] | None  # what a method that learns from windows sees: centre and spread
    differences: tuple[BySeries, BySeries] | None
    calibration: Calibration
    asked: tuple[float, ...]  # levels of the intervals, percent
    source: str | None  # where a method from outside came from
    weights: str  # the sha256 of what was learnt: another network's file is found out


@dataclass(frozen=True)
class Model:
    """A fitted method and what is kept with it."""

    predictor: Predictor
    kept: SavedModel


def listed(scale: Scale) -> tuple[BySeries, BySeries]:
    """Return centre and spread [S, 1, D] as lists."""
    return scale.centre[:, 0].tolist(), scale.spread[:, 0].tolist()


def scale_from(pair: tuple[BySeries, BySeries]) -> Scale:
    """Return the inverse of `listed`."""
    return Scale(*(np.array(values)[:, None, :] for values in pair))


def save(model: Model, folder: Path) -> None:
    """Write the model to a folder that is new or empty. Raises UsageError where it cannot."""
    try:
        model.predictor.forecaster.save(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"--save {str(folder)!r}: {files.reason_of(error)}") from None
    files.replace(folder / SAVED, msgspec.json.format(msgspec.json.encode(model.kept), indent=1))


def load(folder: Path) -> Model:
    """Read the model in a folder. Raises UsageError where there is none that is whole, finite and consistent."""
    try:
        kept = msgspec.json.decode((folder / SAVED).read_bytes(), type=SavedModel)
        check(kept)
        saved = msgspec.json.decode((folder / "forecaster.json").read_bytes())
        if implementations.current_name(saved["method"]) not in implementations.METHODS:
            source = kept.source or saved["method"]
            raise UsageError(f"--model {str(folder)!r}: its method is not of this repository: add --method {source}")
        backends.load(saved["backend"])
        forecaster = implementations.load(folder)
        check_weights(forecaster, kept.weights)
    except UsageError:
        raise
    except Exception as error:  # a framework raises whatever it likes for a damaged file
        raise UsageError(f"--model {str(folder)!r} is not a model that `forecast --save` wrote: "
                         f"{files.reason_of(error)}") from None  # fmt: skip
    return Model(Predictor(forecaster, kept.preparation, scaling_from(kept, forecaster)), kept)


def scaling_from(kept: SavedModel, forecaster: Forecaster) -> Scaling | None:
    """Return the scaling of a method that learns from windows."""
    if isinstance(forecaster, RowForecaster) or kept.levels is None or kept.differences is None:
        return None
    lags = tuple(kept.preparation.lags)
    return Scaling(kept.names, lags, scale_from(kept.levels), scale_from(kept.differences))


def check(kept: SavedModel) -> None:
    """Raise ValueError unless every array is finite and has a value for each series and channel."""
    shape = len(kept.names), len(kept.channels)
    calibration = kept.calibration
    arrays = {"usual": kept.usual, "levels": kept.levels, "differences": kept.differences}
    by_series = {name: part for name, pair in arrays.items() if pair for part in pair}
    by_series |= {name: getattr(calibration, name) for name in ("scale", "change", "level")}
    for name, values in by_series.items():
        array = np.array(values, dtype=np.float64) if len(set(map(len, values))) == 1 else np.empty(0)
        if array.shape != shape:
            raise ValueError(f"{name}: needed a number for each of {shape[0]} series and {shape[1]} channels")
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: got a number that is not finite")
    numbers = [*calibration.growth, *calibration.tails.values(), calibration.pooled, calibration.freedom]
    if not np.isfinite(numbers).all() or len(calibration.growth) != kept.preparation.ahead:
        raise ValueError(f"calibration: needed {kept.preparation.ahead} finite numbers")


def check_weights(forecaster: Forecaster, expected: str) -> None:
    """Raise ValueError for weights that are not finite, or not those that were kept."""
    for place, weights in enumerate(forecaster.weights()):
        if np.issubdtype(weights.dtype, np.floating) and not np.isfinite(weights).all():
            raise ValueError(f"its network has weights that are not finite (array {place})")
    if weights_digest(forecaster) != expected:
        raise ValueError("it has the weights of another network")


def weights_digest(forecaster: Forecaster) -> str:
    """Return the sha256 of shapes and values of all that was learnt."""
    found = hashlib.sha256()
    for weights in forecaster.weights():
        found.update(f"{weights.shape}".encode())
        found.update(np.ascontiguousarray(weights).tobytes())
    return found.hexdigest()

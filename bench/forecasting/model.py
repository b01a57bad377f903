"""A fitted forecaster with all it takes to forecast a file's series; kept in a folder and read from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import implementations
from bench.data.transforms import Scale, Scaling
from bench.errors import UsageError
from bench.records import files
from bench.schema.series import Preparation
from implementations import Forecaster, backends

SAVED = "forecast.json"  # next to what the forecaster itself saves


class SavedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a saved model needs besides the forecaster: how to read a file, scaling, errors."""

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
    kept: SavedModel

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
        kept = msgspec.json.decode((folder / SAVED).read_bytes(), type=SavedModel)
        saved = msgspec.json.decode((folder / "forecaster.json").read_bytes())
        if implementations.current_name(saved["method"]) not in implementations.METHODS:
            source = kept.source or saved["method"]
            raise UsageError(f"--model {str(folder)!r}: its method is not of this repository: add --method {source}")
        backends.load(saved["backend"])
        return Model(implementations.load(folder), kept)
    except UsageError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--model {str(folder)!r} is no model that `forecast --save` wrote: "
                         f"{files.reason_of(error)}") from None  # fmt: skip

"""The data of a task: windows to learn from, and what turns forecasts into errors.

open_data(task) -> Drawn      made by a generator, the same to the last digit wherever it runs
                -> FromFile   series of a file, scaled and differenced, errors in its own units too
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from bench import metrics
from bench.data import bundled, windows
from bench.data.bundled import PREFIX
from bench.data.prepare import Prepared, prepare
from bench.data.series import SeriesSet, read_series
from bench.data.windows import Split
from bench.errors import UsageError
from bench.records.repository import Original, Truth
from bench.tasks import Task

PartName = Literal["validation", "test"]
Pair = tuple[np.ndarray, np.ndarray]  # forecasts and the truth, of one shape

EXAMPLES = 3  # windows whose forecasts go into the record, for the pictures


def generate_time_series(count: int, length: int, random: np.random.RandomState) -> np.ndarray:
    """Two sine waves of random frequency and offset plus uniform noise: [count, length, 1] float32 (notes, Data).

    `random` is NumPy's legacy generator: its stream is frozen, and the notes' figures were drawn from it.
    """
    frequency1, frequency2, offset1, offset2 = random.rand(4, count, 1)
    time = np.linspace(0, 1, length)
    series = 0.5 * np.sin((time - offset1) * (frequency1 * 10 + 10))
    series += 0.2 * np.sin((time - offset2) * (frequency2 * 20 + 20))
    series += 0.1 * (random.rand(count, length) - 0.5)
    return series[..., np.newaxis].astype(np.float32)


def sines(task: Task) -> np.ndarray:
    """The notes' data for a task, or the first of those of the task that it is within: [N, T + H, 1] float32."""
    drawn = (task.within or task).count
    series = generate_time_series(drawn, task.history + task.ahead, np.random.RandomState(task.seed))
    return series[: task.count]


DATASETS: dict[str, Callable[[Task], np.ndarray]] = {"sines": sines}


def load(task: Task) -> np.ndarray:
    """The task's series, [N, T + H, D] float32."""
    return DATASETS[task.dataset](task)


@dataclass(frozen=True)
class Drawn:
    """Series from a generator: methods see them as they are, and errors are those of the forecasts."""

    task: Task

    @cached_property
    def series(self) -> np.ndarray:
        """[N, T + H, D] float32."""
        return load(self.task)

    @property
    def digest(self) -> str:
        """The sha256 of the series: other data is another run."""
        return digest(self.series)

    @cached_property
    def split(self) -> Split:
        """What a method sees."""
        return windows.cut(self.series, self.task)

    def compared(self, part: PartName, forecasts: np.ndarray) -> Pair:
        """Forecasts [N, H, D] of a part and the truth, as their errors count."""
        return forecasts, getattr(self.split, part).future

    def original(self, validation: np.ndarray, test: np.ndarray) -> Original | msgspec.UnsetType:
        """There are no other units."""
        return msgspec.UNSET

    def examples(self, forecasts: np.ndarray) -> np.ndarray:
        """The forecasts [N, H, D] of a few validation series, first channel: [EXAMPLES, H]."""
        return forecasts[:EXAMPLES, :, 0]

    @property
    def truth(self) -> Truth | msgspec.UnsetType:
        """The series can be drawn again: nothing to be kept."""
        return msgspec.UNSET


@dataclass(frozen=True)
class FromFile:
    """Series of a file. levels: what the method sees has no differences taken, as it models them itself."""

    found: SeriesSet
    prepared: Prepared
    levels: bool = False

    @property
    def digest(self) -> str:
        """The sha256 of all windows in own units, and of which series they come from."""
        return digest(*(array for part in self.prepared.parts for array in part))

    @cached_property
    def split(self) -> Split:
        """What a method sees: scaled by the training part."""
        return self.prepared.split(self.levels)

    def restored(self, part: PartName, forecasts: np.ndarray) -> np.ndarray:
        """Forecasts [N, H, D] of a part in own units."""
        windows = getattr(self.prepared.parts, part)
        return self.prepared.scaling.restored(forecasts, self.prepared.known(windows), self.levels)

    def compared(self, part: PartName, forecasts: np.ndarray) -> Pair:
        """Forecasts [N, H, D] of a part and the truth, each series over its spread: no large one drowns others."""
        windows = getattr(self.prepared.parts, part)
        spread = self.prepared.scaling.levels.spread[windows.series]
        return self.restored(part, forecasts) / spread, self.prepared.truth(windows) / spread

    def original(self, validation: np.ndarray, test: np.ndarray) -> Original:
        """Errors in own units, and MASE: relative to the seasonal naive forecast in the training part."""
        errors: dict[str, Any] = self._errors("validation", validation)
        errors |= {f"test_{name}": value for name, value in self._errors("test", test).items()}
        return Original(**errors, by_block=self.by_block(validation))

    def by_block(self, validation: np.ndarray) -> list[float]:
        """Squared errors of validation forecasts, one mean for windows that begin within H steps of one series.

        Windows overlap, so their errors go together; those of different blocks nearly do not.
        """
        got, truth = self.compared("validation", validation)
        errors = np.mean((got - truth) ** 2, axis=(1, 2))
        series, how = self.prepared.parts.validation.series, self.prepared.preparation
        first = np.searchsorted(series, series)  # windows of one series follow each other
        block = (np.arange(len(series)) - first) // -(-how.ahead // how.stride)
        _, member = np.unique(np.stack([series, block]), axis=1, return_inverse=True)
        means = np.bincount(member, errors) / np.bincount(member)
        return [float(f"{value:.6g}") for value in means]

    def _errors(self, part: PartName, forecasts: np.ndarray) -> dict[str, float | None]:
        windows = getattr(self.prepared.parts, part)
        got, truth = self.restored(part, forecasts), self.prepared.truth(windows)
        return {
            "rmse": metrics.mse(got, truth) ** 0.5,
            "mae": metrics.mae(got, truth),
            "smape": metrics.smape(got, truth),
            "mase": metrics.mase(got, truth, self.prepared.naive[windows.series]),
        }

    @cached_property
    def shown(self) -> np.ndarray:
        """Which validation windows are the examples: spread over the whole part."""
        count = len(self.prepared.parts.validation.series)
        return np.unique(np.linspace(0, count - 1, EXAMPLES).round().astype(int))

    def examples(self, forecasts: np.ndarray) -> np.ndarray:
        """The forecasts [N, H, D] of a few validation windows in own units, first channel: [EXAMPLES, H]."""
        return self.restored("validation", forecasts)[self.shown, :, 0]

    @property
    def truth(self) -> Truth:
        """What the examples forecast, and what the data is."""
        part, history = self.prepared.parts.validation, self.prepared.preparation.history
        known, future = self.prepared.known(part), self.prepared.truth(part)
        return Truth(
            history=known.values[self.shown, -history:, 0].tolist(),
            future=future[self.shown, :, 0].tolist(),
            imputed=self.found.imputed,
            description=self.describe(),
        )

    def describe(self) -> str:
        """The data in words: how much of what, how often, how many windows."""
        parts = self.prepared.parts
        counts = ", ".join(f"{len(part.series)} {name}" for name, part in zip(parts._fields, parts, strict=True))
        return f"{self.found.describe()}, windows: {counts}"


def open_data(task: Task, files: Mapping[str, str], levels: bool = False) -> Drawn | FromFile:
    """The task's data; `files` says where the file of series lies on this machine."""
    if task.series is None:
        return Drawn(task)
    if task.series.file.startswith(PREFIX):
        found = read_series(bundled.content(task.series.file), task.series)
        return FromFile(replace(found, file=task.name), prepare(found, task.series), levels)
    if "series" not in files:
        raise UsageError(f"{task.name}: its series are in {task.series.file}: name it with --data")
    found = read_series(Path(files["series"]), task.series)
    return FromFile(found, prepare(found, task.series), levels)


def digest(*arrays: np.ndarray) -> str:
    """The sha256 over shapes, types and values, in hexadecimal."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(f"{array.dtype.str}{array.shape}".encode())
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()

"""The data of a task: windows to learn from, and what turns forecasts into errors.

open_data(task) -> GeneratedData  made by a generator
                -> SeriesData     series of a file, scaled and differenced, errors in its own units too
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import msgspec
import numpy as np

from bench.data import bundled, generators, windows
from bench.data.digests import digest as digest
from bench.data.series import SeriesSet, read_series
from bench.data.splits import Prepared, long_enough, prepare
from bench.data.transforms import Part
from bench.data.windows import Split
from bench.errors import UsageError
from bench.metrics import Compared
from bench.schema.record import Truth
from bench.schema.series import STATSMODELS
from bench.tasks import Task
from implementations.kinds import FORECAST

PartName = Literal["validation", "test"]
Pair = tuple[np.ndarray, np.ndarray]  # forecasts and the truth, of one shape
VALUES = 2**17  # of forecasts that are compared at a time
DIGITS = 7  # significant ones of the series in a record
EXAMPLES = 3  # windows whose forecasts go into the record, for the pictures


@dataclass(frozen=True)
class GeneratedData:
    """Series from a generator: methods see them as they are, and errors are those of the forecasts."""

    task: Task

    @property
    def kind(self) -> str:
        """What is asked of the series."""
        return self.task.kind

    @cached_property
    def series(self) -> np.ndarray:
        """[N, T + H, D] float32."""
        return generators.load(self.task)

    @property
    def digest(self) -> str:
        """The sha256 of the series: other data is another run.

        The further test series do not count: records that were not scored on them keep their keys, and `test_series`
        of a record says whether it was.
        """
        return digest(self.series)

    @cached_property
    def split(self) -> Split:
        """What a method sees."""
        split = windows.cut(self.series, self.task)
        if not self.task.further_test:
            return split
        further = generators.load_further(self.task)
        return split._replace(test=windows.appended(split.test, further))

    @property
    def test_series(self) -> int:
        """How many series the test part has."""
        return len(self.split.test.history)

    def compared(self, part: PartName, forecasts: np.ndarray) -> Iterator[Compared]:
        """Yield forecasts [N, H, D] of a part and the truth, as their errors count."""
        yield Compared(forecasts, getattr(self.split, part).future)

    def examples(self, forecasts: np.ndarray) -> np.ndarray:
        """Return the forecasts [N, H, D] of a few validation series, first channel: [EXAMPLES, H]."""
        return forecasts[:EXAMPLES, :, 0]

    @property
    def truth(self) -> Truth | msgspec.UnsetType:
        """The series can be drawn again: nothing to be kept."""
        return msgspec.UNSET


@dataclass(frozen=True)
class InUnits(Compared):
    """Forecasts and the truth in the data's own units, and the spread [N, 1, D] of each window's series."""

    spread: np.ndarray = field(default_factory=lambda: np.ones(1))


@dataclass(frozen=True)
class SeriesData:
    """Series of a file. levels: what the method sees has no differences taken, as it models them itself."""

    found: SeriesSet
    prepared: Prepared
    levels: bool = False
    kind: ClassVar[str] = FORECAST

    @property
    def digest(self) -> str:
        """The sha256 of all windows in own units, and of which series they come from.

        Where windows leave values out, the whole series count too: scales are taken from all of them. The windows of
        every step hold each value, so those keep the digest that they always had, as do the benchmark's own files.
        """
        how = self.prepared.preparation
        arrays = [array for part in self.prepared.parts for array in (part.values, part.series)]
        old = how.file.startswith(STATSMODELS) and not how.at_origins
        if old or (max(how.stride, how.scored_stride) == 1 and not how.whole_history):
            return digest(*arrays)
        return digest(*arrays, *(np.asarray(one.values) for one in self.found.series))

    @cached_property
    def split(self) -> Split:
        """What a method sees: scaled by the training part."""
        return self.prepared.split(self.levels)

    def restored(self, part: PartName, forecasts: np.ndarray) -> np.ndarray:
        """Return forecasts [N, H, D] of a part in own units."""
        return self._restored(getattr(self.prepared.parts, part), forecasts)

    def _restored(self, windows: Part, forecasts: np.ndarray) -> np.ndarray:
        return self.prepared.scaling.restored(forecasts, self.prepared.known(windows), self.levels)

    def compared(self, part: PartName, forecasts: np.ndarray) -> Iterator[Compared]:
        """Yield forecasts [N, H, D] of a part and the truth, each series over its spread: no large one drowns others.

        A few windows at a time, as are those in own units.
        """
        for one in self.original(part, forecasts):
            yield Compared(one.forecast / one.spread, one.truth / one.spread)

    def original(self, part: PartName, forecasts: np.ndarray, bounds: Pair | None = None) -> Iterator[InUnits]:
        """Yield forecasts [N, H, D] of a part, with bounds or without, and the truth in own units.

        Naive errors of series.
        """
        whole, prepared = getattr(self.prepared.parts, part), self.prepared
        step = max(1, VALUES // max(1, forecasts[:1].size))
        if prepared.preparation.at_origins:  # few, and ratios of means over all of them cannot be put together of parts
            step = len(forecasts)
        for start in range(0, len(forecasts), step):
            chosen = slice(start, start + step)
            windows = Part(*(array[chosen] for array in whole))
            lower, upper = (self._restored(windows, one[chosen]) for one in bounds) if bounds else (None, None)
            yield InUnits(
                self._restored(windows, forecasts[chosen]),
                prepared.truth(windows),
                prepared.naive_of(windows),
                prepared.naive_of(windows, power=2),
                None if lower is None or upper is None else (lower, upper),
                prepared.naive2_of(windows),
                spread=prepared.scaling.levels.spread[windows.series],
            )

    @cached_property
    def shown(self) -> np.ndarray:
        """Which validation windows are the examples: spread over the whole part."""
        count = len(self.prepared.parts.validation.series)
        return np.unique(np.linspace(0, count - 1, EXAMPLES).round().astype(int))

    def examples(self, forecasts: np.ndarray) -> np.ndarray:
        """Return the forecasts [N, H, D] of a few validation windows in own units, first channel: [EXAMPLES, H]."""
        windows = Part(*(array[self.shown] for array in self.prepared.parts.validation))
        return self._restored(windows, forecasts[self.shown])[..., 0]

    @property
    def test_series(self) -> msgspec.UnsetType:
        """Its digest covers the test part: nothing else has to say which one it is."""
        return msgspec.UNSET

    @property
    def truth(self) -> Truth:
        """What the examples forecast, and what the data is."""
        part, history = self.prepared.parts.validation, self.prepared.preparation.history
        known, future = self.prepared.known(part), self.prepared.truth(part)
        return Truth(
            history=plain(known.values[self.shown, -history:, 0]),
            future=plain(future[self.shown, :, 0]),
            imputed=self.found.imputed,
            description=self.describe(),
        )

    def describe(self) -> str:
        """Return the data in words: how much of what, how often, how many windows."""
        parts = self.prepared.parts
        counts = ", ".join(f"{len(part.series)} {name}" for name, part in zip(parts._fields, parts, strict=True))
        season = f"season of {self.prepared.preparation.season} steps" if self.prepared.preparation.season else ""
        return ", ".join(filter(None, [self.found.describe(), f"windows: {counts}", self.prepared.describe(), season]))


def plain(values: np.ndarray) -> list[list[float]]:
    """Return values [N, L] with the digits that a picture can show."""
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in values]


def place_of(task: str) -> str:
    """Return under which name the place of a task's file is handed on."""
    return f"series of {task}"


def open_data(task: Task, files: Mapping[str, str], levels: bool = False) -> GeneratedData | SeriesData:
    """Return the task's data; `files` says where the file of series lies on this machine."""
    if task.series is None:
        return GeneratedData(task)
    if task.series.bundled:
        found = bundled.read(task.series)
        return SeriesData(replace(found, file=task.name), prepare(found, task.series), levels)
    place = files.get(place_of(task.name)) or files.get("series")
    if place is None:
        raise UsageError(f"{task.name}: its series are in {task.series.file}: name it with --data")
    found = long_enough(read_series(Path(place), task.series), task.series)
    return SeriesData(found, prepare(found, task.series), levels)

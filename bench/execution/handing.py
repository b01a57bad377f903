"""What a method is given of a task's data, and what is kept back: the futures that a row is ranked by."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

import implementations
from bench.data import datasets
from bench.data.datasets import GeneratedData, SeriesData
from bench.data.series_tasks import task_of
from bench.data.windows import Windows
from bench.execution import arrays
from bench.execution.arrays import Layout
from bench.execution.orders import Handout
from bench.execution.whole_series import WholeSeries
from bench.machine.system.files import freeze, new_unnamed
from bench.schema.record import Spec
from bench.tasks import Task
from implementations.statistical import RowForecaster

SPLIT_OFF = 20  # of so many training series, one is watched by a method from outside instead of a validation series

Data = GeneratedData | SeriesData
Change = Callable[[Task], Task]  # another draw, say


class DataSource:
    """The data of specs, opened once and kept for the runs that follow."""

    def __init__(self, files: Mapping[str, str], change: Change | None = None) -> None:
        self.files, self.change = files, change
        self.lock = threading.Lock()
        self.known: dict[object, Data] = {}
        self.handed: dict[object, tuple[Data, int, list[Layout]]] = {}

    def hand_out(self, spec: Spec) -> tuple[Data, int, list[Layout]]:
        """Return the spec's data, and what its method is given of it: a handle of a file, and what lies there.

        Raises ValueError when the series are not those that the spec was made for.
        """
        data = self.open(spec)
        key = (id(data), bool(spec.source) and watches(spec.method), takes_rows(spec.method))
        with self.lock:
            if key not in self.handed:
                handle = new_unnamed()
                layouts = arrays.write(handle, handout(spec, data).arrays, views=True)
                freeze(handle)
                self.handed[key] = (data, handle, layouts)
            return self.handed[key]

    def close(self) -> None:
        """Let go of the files handed out."""
        with self.lock:
            for _, handle, _ in self.handed.values():
                os.close(handle)
            self.handed.clear()

    def open(self, spec: Spec) -> Data:
        """Return the spec's data. Raises ValueError when the series are not those that the spec was made for."""
        levels = spec.method in implementations.METHODS and implementations.class_of(spec.method).takes_levels
        key = (spec.task, spec.quick, spec.data_sha256, levels)
        with self.lock:
            if key not in self.known:
                self.known[key] = self._read(spec, levels)
            return self.known[key]

    def _read(self, spec: Spec, levels: bool) -> Data:
        task = task_of(spec)
        if task is None:
            raise ValueError(f"{spec.task}: unknown task")
        data = datasets.open_data(self.change(task) if self.change else task, self.files, levels)
        if self.change is None and data.digest != spec.data_sha256:
            raise ValueError(f"{task.name}: its series are not those that the job was planned for")
        return data


def new_draw(task: Task) -> Task:
    """Return the same task on series of another seed, unknown before; a task on a file's series as it is."""
    return task if task.series else replace(task, seed=secrets.randbelow(2**31))


def handout(spec: Spec, data: Data) -> Handout:
    """Return what the spec's method is given.

    A method from outside watches a part that is split off its training series.
    """
    train, validation, test = data.split
    watched, places = validation, places_of(data)
    if spec.source and watches(spec.method):
        train, watched = split_off(train)
        places = places[: len(train.history)]
    whole = whole_series(spec, data)
    return Handout(*train, *watched, validation.history, test.history, places, *whole)


def takes_rows(method: str) -> bool:
    """Return whether a method forecasts rows of any length."""
    return method in implementations.METHODS and issubclass(implementations.class_of(method), RowForecaster)


def whole_series(spec: Spec, data: Data) -> WholeSeries:
    """Return all of each series before its last origin, where the task says so and the method can use it."""
    if not (takes_rows(spec.method) and isinstance(data, SeriesData) and data.prepared.preparation.whole_history):
        return WholeSeries()
    prepared = data.prepared
    reach = prepared.preparation.length - prepared.preparation.ahead
    parts = prepared.parts.validation, prepared.parts.test
    last = np.zeros(len(prepared.series), dtype=np.int64)
    for part in parts:
        np.maximum.at(last, part.series, part.starts + reach)
    begins = np.concatenate([[0], np.cumsum(last)])
    values = np.concatenate([one.values[:end] for one, end in zip(prepared.series, last, strict=True)])
    places = (np.stack([begins[part.series], begins[part.series] + part.starts + reach, part.series], 1)
              for part in parts)  # fmt: skip
    levels = prepared.scaling.levels
    return WholeSeries(values, np.stack([levels.centre[:, 0], levels.spread[:, 0]]), *places)


def places_of(data: Data) -> np.ndarray:
    """Return where each training window of a file is, [N, 2]: its series, and the step that it begins at."""
    if not isinstance(data, datasets.SeriesData):
        return np.empty((0, 2), dtype=np.int64)
    part = data.prepared.parts.train
    return np.stack([part.series, part.starts], axis=1)


def watches(method: str) -> bool:
    """Return whether the method's fit takes a pair to watch: most do."""
    maker = implementations.METHODS.get(method)
    return getattr(maker, "takes_validation", True)


def split_off(train: Windows) -> tuple[Windows, Windows]:
    """Return the training windows but the last ones, and those."""
    count = max(1, len(train.history) // SPLIT_OFF)
    kept = max(1, len(train.history) - count)
    first, last = (
        Windows(*(np.ascontiguousarray(array[part]) for array in train)) for part in (slice(kept), slice(-count, None))
    )
    return first, last

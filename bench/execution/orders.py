"""What passes between the harness and a worker: the order with its arrays, what was measured, and marks in between.

GIVEN   a file without a name: the windows of the order, no future among them that a row is ranked by
LEFT    another: first the order, then what came out, times, curve and forecasts; the harness computes every error
MARKS   a pipe: a letter goes out as each part is done
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

import implementations
from bench.execution import arrays
from bench.execution.arrays import Layout
from bench.execution.whole_series import WholeSeries
from bench.records.codec import key_of
from bench.schema.record import SCHEMA, Run, Spec
from bench.text import clean

LONG = 10_000  # characters of a reason that are looked at
OUT_OF_MEMORY = re.compile(r"MemoryError|OutOfMemory|ResourceExhausted|RESOURCE_EXHAUSTED|bad_alloc|allocate memory")
BOUNDS = ("lower", "upper")  # arrays: of the test forecasts, of methods with intervals
#: what a worker writes to the harness as it goes: the data is read, fit is over, the first forecast is made, and all
READY, FITTED, FORECAST, REPEATED = b"dfpr"
EPOCH = ord("e")  # an epoch of a network is over: for whoever watches; no time is taken from it
DONE = ord("o")  # the result is left, and the worker waits for another order
LARGEST = 2**24  # bytes of an order
WHOLE = ("values", "scales", "validation_places", "test_places")
NO_SERIES = WholeSeries()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the instructions for a worker."""

    spec: Spec
    spawned_ns: int  # perf_counter_ns, a clock that all processes share
    started_at: str
    workers: int  # how many run at once on this machine
    ahead: int = 0  # H, the steps to forecast, or how much is asked otherwise
    kind: str = "forecast"  # of question, see implementations.kinds
    given: list[Layout] = []  # the windows
    files: dict[str, str] = {}  # where on this machine lies what the spec names: a method
    cached: bool = True  # whether it may use the cache of compiled programs
    stays: bool = False  # whether the worker is to wait for another order when it has done this one
    pack: tuple[int, ...] = ()  # the seeds that are trained side by side, the spec's among them; none: it alone


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a worker's report on its job; separate files hold its arrays."""

    status: Literal["ok", "diverged", "failed", "oom"]
    reason: str | None = None
    seconds: dict[str, float] = {}  # by phase
    samples: dict[str, list[float]] = {}
    curve: dict[str, list[float]] | None = None
    trained_outputs: bool = False  # its outputs are its own, on the scale that it is trained on
    parameters: int | None = None
    weights: str | None = None  # their digest
    threads: int = 0
    affinity: int = 0  # cores that it may run on
    device: str = "cpu"
    calibration: float = 0.0  # seconds, see machine.calibration
    seen: dict[str, float] = {}  # of the machine, during fit
    closed: bool = True  # whether it could not write to the results folder
    arrays: list[Layout] = []  # forecasts, test; outputs and places where the method is trained on more than forecasts


class Handout(NamedTuple):
    """What a method is given: windows to learn from, a pair to watch, and histories to forecast; all read-only."""

    history: np.ndarray  # [N, T, D]
    future: np.ndarray  # [N, H, D]
    watched_history: np.ndarray
    watched_future: np.ndarray
    validation_history: np.ndarray
    test_history: np.ndarray
    places: np.ndarray = np.empty((0, 2), dtype=np.int64)  # [N, 2]: of a file, the series and the step it begins at
    #: see WholeSeries: empty unless the task asks for it
    values: np.ndarray = NO_SERIES.values
    scales: np.ndarray = NO_SERIES.scales
    validation_places: np.ndarray = NO_SERIES.validation
    test_places: np.ndarray = NO_SERIES.test

    @property
    def whole(self) -> WholeSeries:
        """All of each series before the origins."""
        return WholeSeries(self.values, self.scales, self.validation_places, self.test_places)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """By name; histories that are those of the watched pair once."""
        arrays = self._asdict()
        if self.validation_history is self.watched_history:
            del arrays["validation_history"]
        absent = {*(() if len(self.places) else ["places"]), *(() if len(self.validation_places) else WHOLE)}
        return {name: array for name, array in arrays.items() if name not in absent}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Handout:
        """Return what `arrays` gave, read-only."""
        for array in arrays.values():
            array.setflags(write=False)
        return cls(**{"validation_history": arrays["watched_history"], **arrays})


def folder_of(spec: Spec) -> dict[str, str]:
    """Return where the model that a spec names lies, as a worker finds it; empty for methods without one."""
    named = not spec.source and implementations.needs_folder(spec.method)
    return {"folder": os.path.abspath(str(spec.settings["folder"]))} if named else {}


def send_order(left: int, order: Order) -> None:
    """Put the order where the worker leaves its result."""
    arrays.describe_as(left, msgspec.json.encode(order))


def receive_order(left: int) -> Order:
    """Read the order and make room for the result."""
    order = msgspec.json.decode(arrays.description(left, LARGEST), type=Order)
    os.ftruncate(left, 0)
    return order


def ending(text: str) -> tuple[Literal["oom", "failed"], str]:
    """Return status and reason of a run that ended with these words."""
    reason = one_line(text)
    return ("oom" if OUT_OF_MEMORY.search(reason) else "failed"), reason


def one_line(text: str) -> str:
    """Return a text fit for a record: one line that prints, of at most 200 characters, of paths the last part only."""
    return clean(re.sub(r"(?<![\w.])/(?:[^\s/'\":]+/)+", "", text[:LONG]))


def head(order: Order) -> dict[str, Any]:
    """Return the fields of a Run that are known before it begins."""
    return {"schema": SCHEMA, "key": key_of(order.spec), "spec": order.spec, "started_at": order.started_at}


def unfinished(order: Order, status: Any, reason: str, environment: dict[str, Any]) -> Run:
    """Make the record of a run without a result."""
    return Run(
        **head(order),
        status=status,
        reason=reason,
        metrics=None,
        seconds=None,
        samples=None,
        timing_valid=False,
        timing_reason=f"the run is {status}",
        curve=None,
        parameters=None,
        digest=None,
        examples=None,
        environment=environment,
    )


def now() -> str:
    """Return the time of day in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")

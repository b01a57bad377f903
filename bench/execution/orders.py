"""What passes between the harness and a worker: the order with its arrays, what was measured, and marks in between.

FOLDER/order.json, FOLDER/*.npy      the order and the windows that go with it: no future that a row is ranked by
FOLDER/measured.json, FOLDER/*.npy   what came out: times, curve, forecasts; the harness computes every error
FOLDER/work                          where the worker runs, and its temporary files
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from bench.records.codec import key_of
from bench.schema.record import SCHEMA, Run, Spec
from bench.text import clean

OUT_OF_MEMORY = re.compile(r"MemoryError|OutOfMemory|ResourceExhausted|RESOURCE_EXHAUSTED|bad_alloc|allocate memory")
ORDER, MEASURED = "order.json", "measured.json"
#: what a worker writes to the harness as it goes: the data is read, fit is over, the first forecast is made, and all
READY, FITTED, FORECAST, REPEATED = b"dfpr"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told."""

    spec: Spec
    spawned_ns: int  # perf_counter_ns, a clock that all processes share
    started_at: str
    workers: int  # how many run at once on this machine
    ahead: int = 0  # H, the steps to forecast
    files: dict[str, str] = {}  # where on this machine lies what the spec names: a method


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of its job; its arrays lie in files of their own."""

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


class Handout(NamedTuple):
    """What a method is given: windows to learn from, a pair to watch, and histories to forecast; all read-only."""

    history: np.ndarray  # [N, T, D]
    future: np.ndarray  # [N, H, D]
    watched_history: np.ndarray
    watched_future: np.ndarray
    validation_history: np.ndarray
    test_history: np.ndarray


def write_handout(folder: Path, handout: Handout) -> None:
    """Write each array to a file; histories that are those of the watched pair once."""
    for name, array in handout._asdict().items():
        if name != "validation_history" or array is not handout.watched_history:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)


def read_handout(folder: Path) -> Handout:
    """Read what `write_handout` wrote."""
    arrays: dict[str, np.ndarray] = {}
    for name in Handout._fields:
        path = folder / f"{name}.npy"
        if name == "validation_history" and not path.exists():
            arrays[name] = arrays["watched_history"]
            continue
        arrays[name] = np.load(path, allow_pickle=False)
        arrays[name].setflags(write=False)
    return Handout(**arrays)


def ending(text: str) -> tuple[Literal["oom", "failed"], str]:
    """Status and reason of a run that ended with these words."""
    reason = one_line(text)
    return ("oom" if OUT_OF_MEMORY.search(reason) else "failed"), reason


def one_line(text: str) -> str:
    """Return a text fit for a record: one line that prints, of at most 200 characters, of paths the last part only."""
    return clean(re.sub(r"(?<![\w.])/(?:[^\s/'\":]+/)+", "", text))


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

"""What a worker is told, and the record of one that did not finish."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench.records.codec import key_of
from bench.schema.record import SCHEMA, Run, Spec
from bench.text import clean

OUT_OF_MEMORY = re.compile(r"MemoryError|OutOfMemory|ResourceExhausted|RESOURCE_EXHAUSTED|bad_alloc|allocate memory")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told."""

    spec: Spec
    spawned_ns: int  # perf_counter_ns, a clock that all processes share
    started_at: str
    workers: int  # how many run at once on this machine
    files: dict[str, str] = {}  # where on this machine lies what the spec names: series, a method


def ending(text: str) -> tuple[str, str]:
    """Status and reason of a run that ended with these words."""
    reason = one_line(text)
    return ("oom" if OUT_OF_MEMORY.search(reason) else "failed"), reason


def one_line(text: str) -> str:
    """A text fit for a record: one line that prints, of at most 200 characters, of paths the last part only."""
    return clean(re.sub(r"(?<![\w.])/(?:[^\s/'\":]+/)+", "", text))


def head(order: Order) -> dict[str, Any]:
    """The fields of a Run that are known before it begins."""
    return {"schema": SCHEMA, "key": key_of(order.spec), "spec": order.spec, "started_at": order.started_at}


def unfinished(order: Order, status: Any, reason: str, environment: dict[str, Any]) -> Run:
    """The record of a run without a result."""
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
    """The time of day in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")

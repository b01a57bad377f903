"""The child process: one job in, one record out, `python -m bench.execution.worker FOLDER`.

The folder is the process's own: order.json says what to do, run.json will hold the record. What the method or its
framework prints goes elsewhere and cannot spoil it. Nothing heavy is imported before the clock runs.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.records.repository import SCHEMA, Run, Spec, key_of
from bench.reporting.markdown import clean

OUT_OF_MEMORY = re.compile(r"MemoryError|OutOfMemory|ResourceExhausted|RESOURCE_EXHAUSTED|bad_alloc|allocate memory")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told."""

    spec: Spec
    spawned_ns: int  # perf_counter_ns, a clock that all processes share
    started_at: str
    workers: int  # how many run at once on this machine
    files: dict[str, str] = {}  # where on this machine lies what the spec names: series, a method


def main() -> None:
    """Do the order in the folder named on the command line."""
    entered = time.perf_counter_ns()
    threading.Thread(target=end_with_the_harness, daemon=True).start()
    folder = Path(sys.argv[1])
    order = msgspec.json.decode((folder / "order.json").read_bytes(), type=Order)
    run = work(order, entered)
    (folder / "run.json").write_bytes(msgspec.json.encode(run))


def end_with_the_harness() -> None:
    """Wait until the harness is gone, however it went, and go too: its end of standard input closes with it."""
    while os.read(sys.stdin.fileno(), 1):
        continue
    os.killpg(0, signal.SIGKILL)


def work(order: Order, entered: int) -> Run:
    """The record of the order, whatever becomes of it."""
    from bench.execution.measure import Clock, InvalidOutput, measure
    from bench.machine import environment as machine

    clock = Clock(order.spawned_ns)
    clock.add("start", (entered - order.spawned_ns) / 1e9)
    clock.add("import", (time.perf_counter_ns() - entered) / 1e9)
    try:
        fields = measure(order.spec, clock, order.files)
    except FloatingPointError as error:
        return unfinished(order, "diverged", one_line(str(error)), machine.fingerprint())
    except InvalidOutput as error:
        return unfinished(order, "failed", str(error), machine.fingerprint())
    except Exception as error:
        traceback.print_exc()
        return unfinished(order, *ending(f"{type(error).__name__}: {error}"), machine.fingerprint())
    fields["environment"]["workers"] = order.workers
    return Run(**head(order), status="ok", reason=None, seconds=clock.seconds, **fields)


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


if __name__ == "__main__":
    main()

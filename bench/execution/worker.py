"""The child process: one job in, one record out, `python -m bench.execution.worker FOLDER`.

The folder is the process's own: order.json says what to do, run.json will hold the record. What the method or its
framework prints goes elsewhere and cannot spoil it. Nothing heavy is imported before the clock runs.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import msgspec

from bench.execution.orders import Order, ending, head, one_line, unfinished
from bench.schema.record import Run


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


if __name__ == "__main__":
    main()

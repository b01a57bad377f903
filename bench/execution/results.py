"""The record of a job, from what its worker left and how it ended."""

from __future__ import annotations

import msgspec

from bench.execution import arrays
from bench.execution.handing import Data
from bench.execution.orders import Measured, Order, ending, one_line, unfinished
from bench.execution.outputs import Diverged, InvalidOutput
from bench.execution.scoring import InvalidTimes, score
from bench.execution.supervision import Supervisor
from bench.machine import environment
from bench.machine.system.cores import pinned
from bench.machine.system.processes import KILL, is_ended_by
from bench.records import stores
from bench.records.files import reason_of
from bench.schema.record import Run


def read(order: Order, left: int, core: int, data: Data, supervisor: Supervisor) -> Run | str:
    """Return the record of what a worker left, whatever becomes of the process afterwards; else why there is none."""
    measured = left_by(left)
    if isinstance(measured, str):
        return measured
    with pinned(core):
        return result(order, measured, left, data, supervisor)


def left_by(left: int) -> Measured | str:
    """Return what a worker left, or why there is nothing to be read."""
    try:
        return msgspec.json.decode(arrays.description(left, stores.LARGEST), type=Measured)
    except FileNotFoundError:
        return "exited 0 without a result"
    except (ValueError, OSError, RecursionError) as error:
        return one_line(f"its result is not a record: {reason_of(error)}")


def result(order: Order, measured: Measured, left: int, data: Data, supervisor: Supervisor) -> Run:
    """Return the record of a job whose worker came to an end of it."""
    if measured.status != "ok":
        return unfinished(order, measured.status, one_line(measured.reason or ""), environment.fingerprint())
    try:
        made = arrays.read(left, measured.arrays)
        return score(order, measured, made, data, supervisor.watched)
    except Diverged as error:
        return unfinished(order, "diverged", one_line(str(error)), environment.fingerprint())
    except (InvalidOutput, InvalidTimes) as error:
        return failed(order, error)
    except (ValueError, OSError, TypeError, RecursionError) as error:
        return failed(order, ValueError(f"its result is not a record: {error}"))


def failed(order: Order, error: Exception) -> Run:
    """Return the record of a job that has no result for this reason."""
    return unfinished(order, "failed", one_line(str(error)), environment.fingerprint())


def outcome(supervisor: Supervisor, oom: bool) -> tuple[str, str] | None:
    """Return status and reason of a worker that left nothing; None when its exit promises something."""
    code = supervisor.process.returncode
    if code == -KILL and oom:
        return "oom", "killed by the kernel: out of memory"
    if name := is_ended_by(code):
        return "failed", f"killed by {name}"
    return ending(f"exit status {code}: {supervisor.last_line()}") if code else None

"""The node's end: run one job as this machine would, on a core that no other run has."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.errors import UsageError
from bench.execution import cores
from bench.execution.cluster.installation import installation
from bench.execution.limits import Limits
from bench.execution.pool import WorkerPool
from bench.machine import environment, threads
from bench.schema.record import Spec

if TYPE_CHECKING:
    from distributed import Worker

PAUSE = 0.1  # seconds between a node's looks whether the task is still wanted


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a node gets: the job, its limits, and the names of the files sent with it."""

    spec: Spec
    timeout: float  # seconds
    memory: int | None  # bytes
    files: dict[str, str]  # name in the order -> file name, in the order of the contents
    installation: dict[str, str]  # the client's, see `installation`


class Refused(RuntimeError):
    """The node cannot do what the client asks for: says which node, and why."""


def attempt(ticket: bytes, *contents: bytes) -> bytes:
    """Run one job on this node; returns its record. Raises Refused where the node is not as the client expects."""
    from distributed import get_worker

    worker = get_worker()
    order = msgspec.json.decode(ticket, type=Ticket)
    check_equal(order.installation, worker.address)
    lost = watch(worker)
    with cores.held(threads.cores(), lost) as core:
        if core is None:
            raise reschedule()
        try:
            pool = WorkerPool(Limits(worker.state.nthreads, order.timeout, order.memory), held=[core])
            pool.files = unpack(pool.folder, order.files, contents)
            pool.data.files = pool.files
        except (OSError, UsageError) as error:
            raise Refused(f"{worker.address}: {error}") from None
        with stopped_when(lost, pool):
            return msgspec.json.encode(pool.run(order.spec))


def check_equal(asked: Mapping[str, str], address: str) -> None:
    """Raise Refused for another installation than the client's."""
    here = installation()
    for name in ("aheadbench", "distributed"):
        if here[name] != asked[name]:
            raise Refused(f"node {address} has {name} {here[name]}, this machine {asked[name]}: install the same")
    if here["code"] != asked["code"]:
        commit = environment.commit()
        where = f"commit {commit['commit']}{', changed' if commit['dirty'] else ''}" if commit["commit"] else "other"
        raise Refused(f"node {address} has other code of aheadbench {here['aheadbench']} ({where}): install the same")


def watch(worker: Worker) -> Callable[[], bool]:
    """Say whether nobody waits for this thread's task: it was cancelled, the client has gone, the node closes."""
    from distributed.core import Status

    key = worker.get_current_task()

    def lost() -> bool:
        task = worker.state.tasks.get(key)
        wanted = task is not None and task.state != "cancelled"
        return not wanted or worker.status not in (Status.running, Status.paused)

    return lost


@contextlib.contextmanager
def stopped_when(lost: Callable[[], bool], pool: WorkerPool) -> Iterator[None]:
    """Kill the pool's run as soon as it is lost, leave nothing of it in the end; then there is no result."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(PAUSE):
            if lost():
                pool.stop()
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    except RuntimeError:  # stopped before it began
        if not pool.over.is_set():
            raise
    finally:
        over.set()
        watcher.join()
        killed = pool.over.is_set()
        pool.stop()
        pool.close()
    if killed:
        raise reschedule()


def reschedule() -> Exception:
    """Return what tells the scheduler that a task has no result here, should anybody still want one."""
    from distributed import Reschedule

    return Reschedule()


def unpack(folder: Path, names: Mapping[str, str], contents: Sequence[bytes]) -> dict[str, str]:
    """Write the files that came with a job, each under its own name; returns where each lies."""
    places = {}
    for number, (name, content) in enumerate(zip(names, contents, strict=True)):
        place = folder / f"file{number}" / Path(names[name]).name
        place.parent.mkdir()
        place.write_bytes(content)
        places[name] = str(place)
    return places

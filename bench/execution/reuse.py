"""Workers that serve several runs of one method and backend, one after another: imports are paid for once.

Only a run that ended well leaves its worker for the next one, and only where it left no process behind; a run that ends
otherwise in a worker that has served others before is made again in a fresh one. So a fault stays with the run that has
it. Results are equal bit for bit. So are times within noise, in Keras and for fits of seconds (docs/performance.md has
the measurements); shorter ones lack what a process's first epoch takes more. Of those, and in other frameworks, the
first runs of a campaign have fresh workers, so that a row has its times, and times in used workers are not ranked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.execution import packs
from bench.execution.orders import Order, send_order
from bench.execution.supervision import GRACE, Supervisor
from bench.machine.system.memory import tree
from bench.machine.system.processes import CAN_FORK
from bench.schema.record import Run, Spec

MOST = 25  # runs of one worker: what each leaves in memory adds up
OF_A_WORKER = 1 + CAN_FORK  # processes: the worker, and its keeper where it has one
SERVED = "its worker had served other runs before"
BEFORE = "served_before"  # in a record's environment: how many runs its worker had served
EQUAL = ("keras", "keras-jax")  # backends where later runs of a process take as long as its first
SHORT = 3.0  # seconds of fit: the 20 to 30 ms that a process's first epoch takes more are a hundredth of it
TIMED = 3  # runs with fresh workers, of those whose times in used ones do not rank: as many as a row needs

Kind = tuple[object, ...]  # what the runs of a worker have in common


def kind_of(spec: Spec) -> Kind:
    """Return what a worker is for: a method and a backend with their defaults, a device, and the data it has."""
    return spec.method, spec.backend, spec.native, spec.cuda, spec.task, spec.quick, spec.data_sha256


def kind_of_order(order: Order, reuse: bool) -> Kind | None:
    """Return what the worker of an order is for: a pack alone, or what `kind_of` says; None for this order alone."""
    if order.pack:
        return (*kind_of(order.spec), packs.all_but_seed(order.spec), order.pack)
    return kind_of(order.spec) if reuse and not order.spec.source else None


@dataclass
class Worker:
    """A process that does one order, or several."""

    supervisor: Supervisor
    folder: Path  # where it runs; its name marks the worker's processes
    left: int  # where it finds its orders and leaves its results
    calls: int  # tells it that there is another order
    kind: Kind
    pack: int = 0  # seeds that it trains at once, each an order of its own
    served: int = 1

    def begin_again(self, order: Order) -> None:
        """Send the worker another order."""
        self.served += 1
        self.supervisor.begin_again(order.spawned_ns)
        os.ftruncate(self.left, 0)
        send_order(self.left, order)
        with contextlib.suppress(BrokenPipeError):  # it has ended meanwhile: whoever waits for it will see
            os.write(self.calls, b"o")

    def dismiss(self) -> None:
        """End a worker that waits."""
        self.end()
        os.close(self.left)

    def end(self) -> None:
        """Leave nothing of its processes, nor of what they wrote."""
        os.close(self.calls)
        if self.supervisor.done:  # it ends by itself when it hears of no other order
            self.supervisor.give(GRACE)
        self.supervisor.end(self.folder.name)
        shutil.rmtree(self.folder, ignore_errors=True)


class IdleWorkers:
    """The workers that wait, at most one for each core."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: dict[int, Worker] = {}
        self.fresh: Counter[Kind] = Counter()  # runs that were the first of their worker

    def take(self, core: int, kind: Kind | None) -> Worker | None:
        """Take the worker that waits on the core; one of another kind is ended first, and there is none."""
        with self.lock:
            worker = self.waiting.pop(core, None)
        if worker is None or (worker.kind == kind and not worker.supervisor.reap()):
            return worker
        worker.dismiss()
        return None

    def leave(self, core: int, worker: Worker, run: Run) -> bool:
        """Let the worker wait for the next run, unless that needs a fresh one, or processes are left behind."""
        alone = len(tree(worker.supervisor.process.pid)) == OF_A_WORKER
        with self.lock:
            self.fresh[worker.kind] += worker.served == 1
            wanted = keeps_pace(run) or self.fresh[worker.kind] >= TIMED or worker.pack
        if not wanted or worker.served >= max(MOST, worker.pack) or not alone or worker.supervisor.reap():
            return False
        with self.lock:
            self.waiting[core] = worker
        return True

    def end(self) -> None:
        """End all that wait."""
        with self.lock:
            waiting = list(self.waiting.values())
            self.waiting.clear()
        for worker in waiting:
            worker.dismiss()


def keeps_pace(run: Run) -> bool:
    """Say whether a run's times are the same in a worker that has served others."""
    return run.spec.backend in EQUAL and (run.seconds or {}).get("fit", 0.0) >= SHORT


def marked(run: Run, served: int) -> Run:
    """Return the run with how many its worker had served before; its times do not rank where that may change them."""
    run = msgspec.structs.replace(run, environment={**run.environment, BEFORE: served})
    if keeps_pace(run):
        return run
    reason = "; ".join(filter(None, [run.timing_reason, SERVED]))
    return msgspec.structs.replace(run, timing_valid=False, timing_reason=reason)

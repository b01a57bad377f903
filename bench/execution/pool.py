"""The workers of one machine: each job in a fresh process, on a core and in a folder that no other job has."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.errors import UsageError
from bench.execution import compilation, cores, janitor, packs, provenance, results, reuse, user_methods
from bench.execution.activity import Activities, Activity
from bench.execution.arrays import Handle
from bench.execution.coordination import Busy
from bench.execution.handing import Data, DataSource
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.orders import Order, folder_of, now, send_order, unfinished
from bench.execution.supervision import GRACE, Supervisor, close_input
from bench.machine import environment, resources, threads
from bench.machine.system.cores import pin, pinned
from bench.machine.system.files import free_bytes, new_unnamed, temporary_in
from bench.machine.system.processes import HAS_PROC, KILL, OWN_GROUP, for_child, signal_group
from bench.records.codec import key_of
from bench.records.files import reason_of
from bench.records.locks import NoLocks
from bench.schema.record import Run, Spec

BUSY_PAUSE = 0.2  # seconds until a job that another campaign is at is looked at again
LEAST_FREE = 2**20  # bytes of the temporary folder: with less, a failure is its fault
TELLING = ("PWD", "OLDPWD")  # variables that say where the campaign runs: no worker's business


class ChangedCode(UsageError):
    """Runs of one campaign would be of different code."""


class WorkerPool:
    """The workers of one machine: who has which core, and which processes are alive."""

    def __init__(
        self,
        limits: Limits,
        files: Mapping[str, str] | None = None,
        held: Sequence[int] = (),
        data: DataSource | None = None,
        activities: Activities | None = None,
    ) -> None:
        """held: cores that the caller holds already; else each run takes one that is free."""
        compilation.trim()
        self.activities: Activities = {} if activities is None else activities
        self.limits, self.files, self.held = limits, dict(files or {}), held
        self.idle = reuse.IdleWorkers()
        self.packs: dict[str, tuple[int, ...]] = {}  # the seeds trained side by side, by the key of each of their runs
        self.codes: dict[tuple[str, str], str] = {}  # by method and backend
        self.data = data or DataSource(self.files)
        self.lock = threading.Lock()
        self.alive: set[subprocess.Popen[bytes]] = set()
        self.over = threading.Event()
        self.mark, self.numbers = secrets.token_hex(8), itertools.count(1)
        self.folder, self.janitor = new_folder(self.mark)

    def attempt(self, job: Job, locks: NoLocks) -> Run | None:
        """Run the job unless another campaign has; raises Busy, after a moment, while another is at it."""
        if not locks.take(job.key):
            self.over.wait(BUSY_PAUSE)
            raise Busy
        return None if locks.is_done(job.name) else self.run(job.spec)

    def run(self, spec: Spec) -> Run:
        """Run one job in a new process and a new folder, which is removed afterwards.

        Raises UsageError where the machine and not the job failed: a temporary folder that is full or missing.
        """
        if self.held:
            return self.run_on(spec, self.held[0])
        key = key_of(spec)
        self.activities[key] = Activity(spec)
        try:
            with cores.held(threads.cores(), self.over.is_set) as core:
                if core is None:
                    raise RuntimeError("the campaign is over")
                return self.run_on(spec, core)
        finally:
            self.activities.pop(key, None)  # `repeat` runs a job twice at once

    def run_on(self, spec: Spec, core: int) -> Run:
        """Return the same, on this core."""
        order = Order(
            spec=spec,
            spawned_ns=0,
            started_at=now(),
            workers=self.limits.workers,
            files={name: path for name, path in self.files.items() if name == spec.method} | folder_of(spec),
            pack=self.packs.get(key_of(spec), ()),
        )
        try:
            user_methods.know(spec, self.files)
            code = self.check_code(spec)
            data, given, layouts = self.data.hand_out(spec)
        except ChangedCode:
            raise
        except (ValueError, UsageError) as error:
            return results.failed(order, error)
        try:
            asked = {"ahead": data.split.test.future.shape[1], "kind": data.kind}
            order = msgspec.structs.replace(order, given=layouts, **asked)
            run = packs.marked(self.with_cache(order, core, data, given), order.pack)
        except OSError as error:
            raise UsageError(f"temporary folder {str(self.folder)!r}: {reason_of(error)}: no run can be made") from None
        self.check_code(spec)
        if order.pack and not run.is_final:  # its other seeds are run one after another
            self.packs = {key: pack for key, pack in self.packs.items() if pack is not order.pack}
        if run.status == "failed":
            self.check_room()
        return msgspec.structs.replace(run, code=code)

    def check_code(self, spec: Spec) -> str:
        """Return the digest of the spec's code. Raises UsageError once it is another than when the campaign began."""
        code = provenance.code_of(spec, self.files)
        if self.codes.setdefault((spec.method, spec.backend), code) != code:
            word = f"the code of {spec.method} on {spec.backend} was changed while it ran"
            raise ChangedCode(f"{word}: the same command goes on with the new code")
        return code

    def check_room(self) -> None:
        """Raise UsageError where the temporary folder is full or gone: what failed may have failed for that."""
        try:
            free = free_bytes(self.folder)
        except OSError as error:
            raise UsageError(f"temporary folder {str(self.folder)!r}: {reason_of(error)}") from None
        if free < LEAST_FREE:
            raise UsageError(
                f"temporary folder {str(self.folder)!r}: {os.strerror(errno.ENOSPC)}: TMPDIR names another"
            )

    def with_cache(self, order: Order, core: int, data: Data, given: int) -> Run:
        """Return the record of the order.

        A run that fails with the cache of compiled programs is made again without it.
        """
        seen = None if order.pack else compilation.seen(order.spec)
        run = self.supervise(order, core, data, given)
        if seen is None or run.status != "failed":
            return compilation.marked(run, seen)
        run = self.supervise(msgspec.structs.replace(order, cached=False), core, data, given)
        if run.status == "ok":  # so a program in the cache is damaged: TensorFlow fails then
            compilation.forget(order.spec)
        return run

    def supervise(self, order: Order, core: int, data: Data, given: int) -> Run:
        """Have a worker on the core do the order: a new one, or one that waits where workers are used again."""
        kind = reuse.kind_of_order(order, self.limits.reuse)
        order = msgspec.structs.replace(order, stays=kind is not None)
        if waiting := self.idle.take(core, kind):
            run = self.attend(order, core, data, given, waiting)
            if run.status == "ok" or (order.pack and run.is_final):
                return run if order.pack else reuse.marked(run, waiting.served - 1)
        return self.attend(order, core, data, given)

    def attend(self, order: Order, core: int, data: Data, given: int, waiting: reuse.Worker | None = None) -> Run:
        """Wait until a worker has done the order, ends or passes a limit, and score what it left."""
        kills = resources.oom_kills()
        order = msgspec.structs.replace(order, spawned_ns=time.perf_counter_ns())
        worker = waiting or self.start(core, order, given)
        supervisor, kept = worker.supervisor, False
        found: Run | str = ""
        if waiting:
            waiting.begin_again(order)
        if activity := self.activities.get(key_of(order.spec)):
            activity.start(supervisor.watched)
        try:
            ended = supervisor.wait(self.limits.timeout, self.limits.memory)
            if supervisor.done:
                found = results.read(order, worker.left, core, data, supervisor)
                good = isinstance(found, Run) and (found.status == "ok" or bool(order.pack and found.is_final))
                kept = isinstance(found, Run) and good and self.idle.leave(core, worker, found)
        finally:
            if not kept:
                worker.end()
                with self.lock:
                    self.alive.discard(supervisor.process)
        if not kept:
            with Handle(worker.left):
                found = found or results.read(order, worker.left, core, data, supervisor)
        if isinstance(found, Run):
            return compilation.checked(found, supervisor.printed())
        ended = ended or results.outcome(supervisor, resources.oom_kills() > kills)
        return unfinished(order, *(ended or ("failed", found)), environment.fingerprint())

    def start(self, core: int, order: Order, given: int) -> reuse.Worker:
        """Start a worker in a new process group, pinned from its first instruction: it inherits this thread's core."""
        folder, left = self.folder / f"{self.mark}.{next(self.numbers)}", new_unnamed()
        folder.mkdir()
        send_order(left, order)
        cache = compilation.variables(order.spec) if order.cached else {}
        variables = {**threads.environment_variables(order.spec.cuda), **cache}
        variables = {name: value for name, value in variables.items() if name not in TELLING}
        read_only = [str(path) for path in self.limits.read_only if not self.folder.is_relative_to(path)]
        ours, theirs = os.pipe()
        called, calls = os.pipe()
        with self.lock, pinned(core), Handle(theirs), Handle(called):
            if self.over.is_set():
                os.close(ours)
                os.close(calls)
                raise RuntimeError("the campaign is over")
            names, passing = for_child([given, left, theirs, called])
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.execution.worker", *names, *read_only],
                cwd=folder,
                env={**variables, janitor.VARIABLE: folder.name, **temporary_in(folder)},
                stdin=subprocess.PIPE,  # open as long as this process lives: how the keeper knows
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **OWN_GROUP,
                **passing,
            )
            pin(process.pid, core)
            self.alive.add(process)
        supervisor = Supervisor(process, ours, order.spawned_ns)
        kind = reuse.kind_of_order(order, reuse=True) or ()
        return reuse.Worker(supervisor, folder, left, calls, kind, len(order.pack))

    def stop(self) -> None:
        """End what is alive and start nothing more."""
        with self.lock:
            self.over.set()
            alive = list(self.alive)
        for process in alive:
            close_input(process)
        end = time.monotonic() + GRACE
        while any(process.returncode is None for process in alive) and time.monotonic() < end:
            time.sleep(0.01)
        for process in alive:
            if process.returncode is None:
                signal_group(process, KILL)

    def close(self) -> None:
        """Have the janitor clean up, as it would had this process been killed; or do it, had the janitor been."""
        self.idle.end()
        self.janitor.communicate()
        self.data.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def new_folder(mark: str) -> tuple[Path, subprocess.Popen[bytes]]:
    """Make a folder for temporary files, and start the janitor that removes it. Raises UsageError."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="aheadbench-"))
        return folder, start_janitor(mark, folder)
    except OSError as error:
        raise UsageError(f"no temporary files, or no processes, can be had: {reason_of(error)}") from None


def start_janitor(mark: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the process that cleans up behind this one, however it ends."""
    bare = ["-S"] if HAS_PROC else []  # else it needs psutil
    return subprocess.Popen(
        [sys.executable, *bare, "-m", janitor.__name__, mark, str(folder)],
        cwd=folder.anchor,
        env=threads.environment_variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **OWN_GROUP,
    )

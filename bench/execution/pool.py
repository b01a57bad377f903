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
from typing import Self

import msgspec

from bench.errors import UsageError
from bench.execution import arrays, compilation, cores, janitor, provenance, user_methods
from bench.execution.activity import Activities, Activity
from bench.execution.coordination import Busy
from bench.execution.handing import Data, DataSource
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.orders import Measured, Order, ending, now, one_line, send_order, unfinished
from bench.execution.outputs import Diverged, InvalidOutput
from bench.execution.scoring import InvalidTimes, score
from bench.execution.supervision import GRACE, Supervisor, close_input
from bench.machine import environment, resources, threads
from bench.machine.system.cores import pin, pinned
from bench.machine.system.files import free_bytes, new_unnamed, temporary_in
from bench.machine.system.processes import HAS_PROC, KILL, OWN_GROUP, for_child, is_ended_by, signal_group
from bench.records import stores
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
        self.codes: dict[tuple[str, str], str] = {}  # by method and backend
        self.data = data or DataSource(self.files)
        self.lock = threading.Lock()
        self.alive: set[subprocess.Popen[bytes]] = set()
        self.over = threading.Event()
        self.mark, self.numbers = secrets.token_hex(8), itertools.count(1)
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="aheadbench-"))
            self.janitor = start_janitor(self.mark, self.folder)
        except OSError as error:
            raise UsageError(f"no temporary files, or no processes, can be had: {reason_of(error)}") from None

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
        """The same, on this core."""
        order = Order(
            spec=spec,
            spawned_ns=0,
            started_at=now(),
            workers=self.limits.workers,
            files={name: path for name, path in self.files.items() if name == spec.method},
        )
        folder = self.folder / f"{self.mark}.{next(self.numbers)}"
        try:
            user_methods.know(spec, self.files)
            code = self.check_code(spec)
            data, given, layouts = self.data.hand_out(spec)
        except ChangedCode:
            raise
        except (ValueError, UsageError) as error:
            return failed(order, error)
        try:
            folder.mkdir()
            warm = compilation.is_warm(spec)
            order = msgspec.structs.replace(order, given=layouts, ahead=data.split.test.future.shape[1])
            run = self.supervise(order, folder, core, data, given)
        except OSError as error:
            raise UsageError(f"temporary folder {str(self.folder)!r}: {reason_of(error)}: no run can be made") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.check_code(spec)
        if run.status == "failed":
            self.check_room()
        return msgspec.structs.replace(compilation.marked(run, warm), code=code)

    def check_code(self, spec: Spec) -> str:
        """The digest of the spec's code. Raises UsageError once it is another than when the campaign began."""
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

    def supervise(self, order: Order, folder: Path, core: int, data: Data, given: int) -> Run:
        """Start a worker on the core, wait until it ends or passes a limit, and score what it left."""
        kills = resources.oom_kills()
        order = msgspec.structs.replace(order, spawned_ns=time.perf_counter_ns())
        with Handle(new_unnamed()) as left:
            supervisor = self.start(folder, core, order, given, left.number)
            if activity := self.activities.get(key_of(order.spec)):
                activity.start(supervisor.watched)
            try:
                ended = supervisor.wait(self.limits.timeout, self.limits.memory)
            finally:
                supervisor.end(folder.name)
                with self.lock:
                    self.alive.discard(supervisor.process)
            measured = left_by(left.number)
            if isinstance(measured, Measured):  # complete, whatever became of the process afterwards
                with pinned(core):
                    return result(order, measured, left.number, data, supervisor)
        ended = ended or outcome(supervisor, resources.oom_kills() > kills)
        return unfinished(order, *(ended or ("failed", measured)), environment.fingerprint())

    def start(self, folder: Path, core: int, order: Order, given: int, left: int) -> Supervisor:
        """Start a worker in a new process group, pinned from its first instruction: it inherits this thread's core."""
        send_order(left, order)
        variables = {**threads.environment_variables(order.spec.cuda), **compilation.variables(order.spec)}
        variables = {name: value for name, value in variables.items() if name not in TELLING}
        read_only = [str(path) for path in self.limits.read_only if not self.folder.is_relative_to(path)]
        ours, theirs = os.pipe()
        with self.lock, pinned(core), Handle(theirs):
            if self.over.is_set():
                os.close(ours)
                raise RuntimeError("the campaign is over")
            names, passing = for_child([given, left, theirs])
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
        return Supervisor(process, ours, order.spawned_ns)

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
        self.janitor.communicate()
        self.data.close()
        shutil.rmtree(self.folder, ignore_errors=True)


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


class Handle:
    """An open file, closed at the end of a block."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.number)


def left_by(left: int) -> Measured | str:
    """What a worker left, or why there is nothing to be read."""
    try:
        return msgspec.json.decode(arrays.description(left, stores.LARGEST), type=Measured)
    except FileNotFoundError:
        return "exited 0 without a result"
    except (ValueError, OSError, RecursionError) as error:
        return one_line(f"its result is not a record: {reason_of(error)}")


def result(order: Order, measured: Measured, left: int, data: Data, supervisor: Supervisor) -> Run:
    """The record of a job whose worker came to an end of it."""
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
    """The record of a job that has no result for this reason."""
    return unfinished(order, "failed", one_line(str(error)), environment.fingerprint())


def outcome(supervisor: Supervisor, oom: bool) -> tuple[str, str] | None:
    """Status and reason of a worker that left nothing; None when its exit promises something."""
    code = supervisor.process.returncode
    if code == -KILL and oom:
        return "oom", "killed by the kernel: out of memory"
    if name := is_ended_by(code):
        return "failed", f"killed by {name}"
    return ending(f"exit status {code}: {supervisor.last_line()}") if code else None

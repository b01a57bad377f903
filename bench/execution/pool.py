"""The workers of one machine: each job in a fresh process, on a core and in a folder that no other job has."""

from __future__ import annotations

import contextlib
import itertools
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.errors import UsageError
from bench.execution import janitor
from bench.execution.coordination import Busy
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.orders import Order, ending, now, one_line, unfinished
from bench.execution.processes import OutputTail, kill, pinned, signal_group
from bench.machine import environment, resources, threads
from bench.records import codec, files, stores
from bench.records.files import reason_of
from bench.records.locks import NoLocks
from bench.schema.record import Run, Spec

SAMPLE = 0.1  # seconds between two looks at a worker's memory
BUSY_PAUSE = 0.2  # seconds until a job that another campaign is at is looked at again


class WorkerPool:
    """The workers of one machine: who has which core, and which processes are alive."""

    def __init__(
        self,
        limits: Limits,
        files: Mapping[str, str] | None = None,
        cores: Sequence[int] | None = None,
    ) -> None:
        self.limits, self.files = limits, dict(files or {})
        self.cores: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core in cores or threads.cores()[: limits.workers]:
            self.cores.put(core)
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
        """One job in a fresh process and a folder of its own, which is gone afterwards."""
        core = self.cores.get()
        order = Order(
            spec=spec,
            spawned_ns=time.perf_counter_ns(),
            started_at=now(),
            workers=self.limits.workers,
            files=self.files,
        )
        mark = f"{self.mark}.{next(self.numbers)}"
        folder = self.folder / mark
        try:
            folder.mkdir()
            return self.supervise(order, folder, core)
        except OSError as error:
            return unfinished(order, "failed", f"could not be started: {reason_of(error)}", environment.fingerprint())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self.cores.put(core)

    def supervise(self, order: Order, folder: Path, core: int) -> Run:
        """Start a worker on the core, wait until it ends or passes a limit, and read what it left."""
        kills = resources.oom_kills()
        (folder / "order.json").write_bytes(msgspec.json.encode(order))
        process = self.start(folder, core, order.spec.cuda)
        try:
            log = OutputTail(process.stdout)
            ended = self.wait(process)
        finally:
            self.end(process, folder.name)
        ended = ended or outcome(process.returncode, log, resources.oom_kills() > kills)
        return (
            take(folder / "run.json", order) if ended is None else unfinished(order, *ended, environment.fingerprint())
        )

    def start(self, folder: Path, core: int, cuda: bool) -> subprocess.Popen[bytes]:
        """A worker in a new process group, pinned from its first instruction: it inherits this thread's core."""
        with self.lock, pinned(core):
            if self.over.is_set():
                raise RuntimeError("the campaign is over")
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.execution.worker", str(folder)],
                cwd=folder,
                env={**threads.environment_variables(cuda), janitor.VARIABLE: folder.name, "TMPDIR": str(folder)},
                stdin=subprocess.PIPE,  # open as long as this process lives: how a worker knows
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.alive.add(process)
            return process

    def wait(self, process: subprocess.Popen[bytes]) -> tuple[str, str] | None:
        """Wait until the worker ends; status and reason when it passes a limit first."""
        end = time.monotonic() + self.limits.timeout
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(left, SAMPLE) if self.limits.memory else left)
                return None
            if self.limits.memory and (used := resources.memory_of(process.pid)) > self.limits.memory:
                return "oom", f"killed at {mebibytes(used)}: the limit is {mebibytes(self.limits.memory)}"
        return "timeout", f"killed after {self.limits.timeout:g} s"

    def end(self, process: subprocess.Popen[bytes], mark: str) -> None:
        """Leave nothing of a worker: not its children, not those that left its group, not its pipe."""
        kill(process)
        janitor.end(mark)
        if process.stdin:
            process.stdin.close()
        with self.lock:
            self.alive.discard(process)

    def stop(self) -> None:
        """Kill what is alive and start nothing more."""
        with self.lock:
            self.over.set()
            alive = list(self.alive)
        for process in alive:
            signal_group(process, signal.SIGKILL)

    def close(self) -> None:
        """Have the janitor clean up, as it would had this process been killed; or do it, had the janitor been."""
        self.janitor.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_janitor(mark: str, folder: Path) -> subprocess.Popen[bytes]:
    """The process that cleans up behind this one, however it ends."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", janitor.__file__, mark, str(folder)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def mebibytes(size: int) -> str:
    """Bytes as a person reads them."""
    return f"{size / 2**20:.0f} MiB"


def outcome(code: int, log: OutputTail, oom: bool) -> tuple[str, str] | None:
    """Status and reason of a worker that left no record; None when its exit promises one."""
    if code == -signal.SIGKILL and oom:
        return "oom", "killed by the kernel: out of memory"
    if code < 0:
        return "failed", f"killed by {signal.Signals(-code).name}"
    return ending(f"exit status {code}: {log.last_line()}") if code else None


def take(path: Path, order: Order) -> Run:
    """The record that a worker left, if it is one and belongs to its order."""
    try:
        run = msgspec.json.decode(files.read(path, stores.LARGEST), type=Run)
        codec.decode(codec.encode(run), codec.path_of(order.spec))
    except FileNotFoundError:
        return unfinished(order, "failed", "exited 0 without a result", environment.fingerprint())
    except (ValueError, OSError, RecursionError) as error:
        reason = one_line(f"its result is not a record: {reason_of(error)}")
        return unfinished(order, "failed", reason, environment.fingerprint())
    if run.spec != order.spec:
        return unfinished(order, "failed", "its result belongs to another job", environment.fingerprint())
    return run

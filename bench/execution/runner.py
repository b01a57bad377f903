"""Run jobs, each in a process of its own on a core of its own; whatever happens there, a record comes back.

Whatever a worker starts carries the run's mark in its environment, and whatever it writes to temporary files lies in
the run's own folder. Both are gone when the run is; when the harness itself is killed, the janitor sees to them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol

import msgspec

from bench.errors import UsageError
from bench.execution import janitor
from bench.execution.jobs import Job
from bench.execution.worker import Order, ending, now, one_line, unfinished
from bench.machine import environment
from bench.records import files, repository, stores
from bench.records.files import reason_of
from bench.records.repository import Run, Spec

GRACE = 1.0  # seconds between SIGTERM and SIGKILL
SAMPLE = 0.1  # seconds between two looks at a worker's memory
BUSY_PAUSE = 0.2  # seconds until a job that another campaign is at is looked at again
LOG = 2**16  # bytes: of what a worker prints, the last so many are kept


class Stopped(Exception):
    """A signal ended the campaign: its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Share(Protocol):
    """How campaigns on the same folder of records keep out of each other's way."""

    def take(self, job: Job) -> bool:
        """Whether this campaign may run the job now: False while another one is at it."""

    def is_done(self, job: Job) -> bool:
        """Whether another campaign has made the job's record since this one was planned."""

    def release(self, job: Job) -> None:
        """The job's record is stored: let others see to it."""


class Alone:
    """No other campaign."""

    def take(self, job: Job) -> bool:
        return True

    def is_done(self, job: Job) -> bool:
        return False

    def release(self, job: Job) -> None:
        return None


class Busy(Exception):
    """Another campaign is at the job."""


def run(
    jobs: Sequence[Job],
    workers: int,
    timeout: float,
    memory: int | None = None,
    share: Share | None = None,
    files: Mapping[str, str] | None = None,
) -> Generator[tuple[Job, Run | None], None, None]:
    """Run the jobs, at most `workers` at once, each at most `timeout` seconds and `memory` bytes.

    files: where on this machine lies what the specs name, as series of the user's own.

    Yields each job with its record as it ends, or with None when another campaign, known through `share`, has run it.
    A job is released when the caller asks for the next one: by then it has stored the record.

    Raises Stopped on SIGINT, SIGTERM and SIGHUP, once every worker is gone. Signals wait in one queue with finished
    runs, so that none strikes while the caller stores a record.
    """
    share = share or Alone()
    campaign = Campaign(workers, timeout, memory, files)
    events: queue.SimpleQueue[Future[Run | None] | int] = queue.SimpleQueue()
    left: dict[Future[Run | None], Job] = {}
    with ThreadPoolExecutor(workers) as pool, signals(events.put, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):

        def submit(job: Job) -> None:
            future = pool.submit(campaign.attempt, job, share)
            left[future] = job
            future.add_done_callback(events.put)

        try:
            for job in jobs:
                submit(job)
            while left:
                event = events.get()
                if isinstance(event, int):
                    raise Stopped(event)
                job = left.pop(event)
                if isinstance(event.exception(), Busy):
                    submit(job)  # behind all others
                    continue
                yield job, event.result()
                share.release(job)
        finally:
            campaign.stop()
            pool.shutdown(cancel_futures=True)
            campaign.close()


@contextlib.contextmanager
def signals(send: Callable[[int], None], *numbers: int) -> Iterator[None]:
    """Send these signals' numbers on, within the block, instead of what they usually do; nohup's stay ignored."""
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, frame: send(number)) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Campaign:
    """The workers of one machine: who has which core, and which processes are alive."""

    def __init__(
        self,
        workers: int,
        timeout: float,
        memory: int | None = None,
        files: Mapping[str, str] | None = None,
        cores: Sequence[int] | None = None,
    ) -> None:
        self.workers, self.timeout, self.memory, self.files = workers, timeout, memory, dict(files or {})
        self.cores: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core in cores or environment.cores()[:workers]:
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

    def attempt(self, job: Job, share: Share) -> Run | None:
        """Run the job unless another campaign has; raises Busy, after a moment, while another is at it."""
        if not share.take(job):
            self.over.wait(BUSY_PAUSE)
            raise Busy
        return None if share.is_done(job) else self.run(job.spec)

    def run(self, spec: Spec) -> Run:
        """One job in a fresh process and a folder of its own, which is gone afterwards."""
        core = self.cores.get()
        order = Order(
            spec=spec, spawned_ns=time.perf_counter_ns(), started_at=now(), workers=self.workers, files=self.files
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
        kills = environment.oom_kills()
        (folder / "order.json").write_bytes(msgspec.json.encode(order))
        process = self.start(folder, core, order.spec.cuda)
        try:
            log = Tail(process.stdout)
            ended = self.wait(process)
        finally:
            self.end(process, folder.name)
        ended = ended or outcome(process.returncode, log, environment.oom_kills() > kills)
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
                env={**environment.environment_variables(cuda), janitor.VARIABLE: folder.name, "TMPDIR": str(folder)},
                stdin=subprocess.PIPE,  # open as long as this process lives: how a worker knows
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.alive.add(process)
            return process

    def wait(self, process: subprocess.Popen[bytes]) -> tuple[str, str] | None:
        """Wait until the worker ends; status and reason when it passes a limit first."""
        end = time.monotonic() + self.timeout
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(left, SAMPLE) if self.memory else left)
                return None
            if self.memory and (used := environment.memory_of(process.pid)) > self.memory:
                return "oom", f"killed at {mebibytes(used)}: the limit is {mebibytes(self.memory)}"
        return "timeout", f"killed after {self.timeout:g} s"

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


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this thread on one core within the block, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the worker and all it started: SIGTERM, a second's grace, SIGKILL."""
    if process.poll() is None:
        signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    signal_group(process, signal.SIGKILL)
    process.wait()


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal to the worker's process group, as long as any of it lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Tail:
    """The end of what a worker prints, read as it comes so that the worker never waits for a full pipe."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.end = b""
        self.thread = threading.Thread(target=self.drain, args=(stream,), daemon=True)
        self.thread.start()

    def drain(self, stream: IO[bytes]) -> None:
        """Read to the end of the stream."""
        with stream:
            while chunk := os.read(stream.fileno(), LOG):
                self.end = (self.end + chunk)[-LOG:]

    def last_line(self) -> str:
        """The last line that is not empty; the stream may be held open by a process that left its group."""
        self.thread.join(GRACE)
        lines = self.end.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing printed")


def outcome(code: int, log: Tail, oom: bool) -> tuple[str, str] | None:
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
        repository.decode(repository.encode(run), repository.path_of(order.spec))
    except FileNotFoundError:
        return unfinished(order, "failed", "exited 0 without a result", environment.fingerprint())
    except (ValueError, OSError, RecursionError) as error:
        reason = one_line(f"its result is not a record: {reason_of(error)}")
        return unfinished(order, "failed", reason, environment.fingerprint())
    if run.spec != order.spec:
        return unfinished(order, "failed", "its result belongs to another job", environment.fingerprint())
    return run

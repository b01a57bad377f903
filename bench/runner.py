"""Run jobs, each in a process of its own on a core of its own; whatever happens there, a record comes back."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import msgspec

from bench import machine
from bench.files import reason_of
from bench.plan import Job
from bench.results import Run, Spec
from bench.worker import Order, now, one_line, unfinished

GRACE = 1.0  # seconds between SIGTERM and SIGKILL
LOG_CHUNKS, CHUNK = 16, 4096  # of what a worker prints, the last 64 KiB are kept


class Stopped(Exception):
    """A signal ended the campaign: its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def run(
    jobs: Sequence[Job], workers: int, timeout: float, files: Mapping[str, str] | None = None
) -> Generator[tuple[Job, Run], None, None]:
    """Run the jobs, at most `workers` at once, each at most `timeout` seconds; yield each with its record as it ends.

    files: where on this machine lies what the specs name, as series of the user's own.

    Raises Stopped on SIGINT and SIGTERM, once every worker is gone. Signals wait in one queue with finished runs, so
    that none strikes while the caller stores a record.
    """
    campaign = Campaign(workers, timeout, files or {})
    events: queue.SimpleQueue[Future[Run] | int] = queue.SimpleQueue()
    with ThreadPoolExecutor(workers) as pool, signals(events.put, signal.SIGINT, signal.SIGTERM):
        left: dict[Future[Run], Job] = {pool.submit(campaign.run, job.spec): job for job in jobs}
        for future in left:
            future.add_done_callback(events.put)
        try:
            while left:
                event = events.get()
                if isinstance(event, int):
                    raise Stopped(event)
                yield left.pop(event), event.result()
        finally:
            campaign.stop()
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def signals(send: Callable[[int], None], *numbers: int) -> Iterator[None]:
    """Send these signals' numbers on, within the block, instead of what they usually do."""
    before = {number: signal.signal(number, lambda number, frame: send(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Campaign:
    """The workers of one machine: who has which core, and which processes are alive."""

    def __init__(self, workers: int, timeout: float, files: Mapping[str, str]) -> None:
        self.workers, self.timeout, self.files = workers, timeout, dict(files)
        self.cores: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core in machine.cores()[:workers]:
            self.cores.put(core)
        self.lock = threading.Lock()
        self.alive: set[subprocess.Popen[bytes]] = set()
        self.stopped = False

    def run(self, spec: Spec) -> Run:
        """One job in a fresh process and a folder of its own, which is gone afterwards."""
        core = self.cores.get()
        order = Order(
            spec=spec, spawned_ns=time.perf_counter_ns(), started_at=now(), workers=self.workers, files=self.files
        )
        try:
            with tempfile.TemporaryDirectory(prefix="aheadbench-", ignore_cleanup_errors=True) as folder:
                return self.supervise(order, Path(folder), core)
        except OSError as error:
            return unfinished(order, "failed", f"could not be started: {reason_of(error)}", machine.fingerprint())
        finally:
            self.cores.put(core)

    def supervise(self, order: Order, folder: Path, core: int) -> Run:
        """Start a worker on the core, wait until it ends or its time is over, and read what it left."""
        kills = machine.oom_kills()
        (folder / "order.json").write_bytes(msgspec.json.encode(order))
        process = self.start(folder, core)
        log = Tail(process.stdout)
        try:
            process.wait(self.timeout)
            ended = outcome(process.returncode, log, machine.oom_kills() > kills)
        except subprocess.TimeoutExpired:
            ended = "timeout", f"killed after {self.timeout:g} s"
        finally:
            self.end(process)
        return take(folder / "run.json", order) if ended is None else unfinished(order, *ended, machine.fingerprint())

    def start(self, folder: Path, core: int) -> subprocess.Popen[bytes]:
        """A worker in a new process group, pinned from its first instruction: it inherits this thread's core."""
        with self.lock, pinned(core):
            if self.stopped:
                raise RuntimeError("the campaign is over")
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", str(folder)],
                cwd=folder,
                env=machine.environment_variables(),
                stdin=subprocess.PIPE,  # open as long as this process lives: how a worker knows
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.alive.add(process)
            return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Leave nothing of a worker: not its children, not its pipe."""
        kill(process)
        if process.stdin:
            process.stdin.close()
        with self.lock:
            self.alive.discard(process)

    def stop(self) -> None:
        """Kill what is alive and start nothing more."""
        with self.lock:
            self.stopped = True
            alive = list(self.alive)
        for process in alive:
            signal_group(process, signal.SIGKILL)


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
        self.chunks: deque[bytes] = deque(maxlen=LOG_CHUNKS)
        self.thread = threading.Thread(target=self.drain, args=(stream,), daemon=True)
        self.thread.start()

    def drain(self, stream: IO[bytes]) -> None:
        """Read to the end of the stream."""
        with stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                self.chunks.append(chunk)

    def last_line(self) -> str:
        """The last line that is not empty; the stream may be held open by a process that left its group."""
        self.thread.join(GRACE)
        lines = b"".join(list(self.chunks)).decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing printed")


def outcome(code: int, log: Tail, oom: bool) -> tuple[str, str] | None:
    """Status and reason of a worker that left no record; None when its exit promises one."""
    if code == -signal.SIGKILL and oom:
        return "oom", "killed by the kernel: out of memory"
    if code < 0:
        return "failed", f"killed by {signal.Signals(-code).name}"
    return ("failed", one_line(f"exit status {code}: {log.last_line()}")) if code else None


def take(path: Path, order: Order) -> Run:
    """The record that a worker left, if it is one and belongs to its order."""
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except FileNotFoundError:
        return unfinished(order, "failed", "exited 0 without a result", machine.fingerprint())
    except msgspec.MsgspecError as error:
        return unfinished(order, "failed", f"its result is not a record: {error}", machine.fingerprint())
    if run.spec != order.spec:
        return unfinished(order, "failed", "its result belongs to another job", machine.fingerprint())
    return run

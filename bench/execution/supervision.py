"""Watch one worker from the harness: its output, its marks, its memory and its end, in one loop without threads."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.execution import janitor
from bench.execution.orders import DONE, EPOCH, FITTED, FORECAST, READY, REPEATED
from bench.machine.system import memory as held
from bench.machine.system.processes import CAN_POLL, HAS_PROC, KILL, cpu_seconds, end_handle, reap, signal_group

GRACE = 1.0  # seconds between SIGTERM and SIGKILL
LOG = 2**16  # bytes: of what a worker prints, the last so many are kept
PARTS = bytes((READY, FITTED, FORECAST, REPEATED))  # the marks of a run that comes to its end
SAMPLE = 0.1  # seconds between two looks at a worker's memory
LONG = 3600.0  # seconds that one wait takes at most: the kernel takes no more than 24 days
SHORT = 0.02  # seconds between two looks whether it has ended, where the system cannot tell


@dataclass
class Watched:
    """What the harness saw of a worker: seconds by its own clock, and the kernel's account of all its processes."""

    wall: float = 0.0  # seconds from its start to its end
    cpu: float = 0.0  # seconds of CPU, of the worker and of all it started
    stamps: dict[int, int] = field(default_factory=dict)  # mark -> perf_counter_ns
    seen: bytes = b""  # its marks as they came, and at most one too many
    epochs: int = 0  # that a network has been trained for

    @property
    def orderly(self) -> bool:
        """Whether each part was marked once, in the order in which they are done: a forged mark is one too many."""
        return self.seen == PARTS

    @property
    def phases(self) -> list[float]:
        """Seconds that build and fit, the first forecast, and its repeats took by the harness' clock."""
        pairs = zip(PARTS, PARTS[1:], strict=False)
        return [(self.stamps.get(end, 0) - self.stamps.get(start, 0)) / 1e9 for start, end in pairs]


class Supervisor:
    """One worker from its start to its end."""

    def __init__(self, process: subprocess.Popen[bytes], marks: int, started_ns: int) -> None:
        self.process, self.marks, self.started_ns = process, marks, started_ns
        self.watched = Watched()
        self.output, self.used = b"", 0.0  # seconds of CPU that earlier orders have used
        assert process.stdout
        self.stdout = process.stdout.fileno()
        self.pidfd = end_handle(process.pid)
        self.readers: list[threading.Thread] = []
        if CAN_POLL:
            self.poll = select.poll()
            for handle in (self.stdout, marks):
                os.set_blocking(handle, False)
                self.poll.register(handle, select.POLLIN)
            if self.pidfd is not None:
                self.poll.register(self.pidfd, select.POLLIN)
        else:
            self.readers = [reading(self.drain), reading(self.stamp)]

    @property
    def done(self) -> bool:
        """Whether the worker has done its order and waits for another one."""
        return DONE in self.watched.stamps

    def begin_again(self, started_ns: int) -> None:
        """Watch the worker at another order."""
        self.watched, self.output, self.started_ns = Watched(), b"", started_ns
        self.used = cpu_seconds(self.process.pid)

    def wait(self, timeout: float, memory: int | None) -> tuple[str, str] | None:
        """Wait until the worker has done its order, or ends; status and reason when it passes a limit first."""
        end = time.monotonic() + timeout
        sampled = time.monotonic()
        while (left := end - time.monotonic()) > 0:
            if self.look(min(left, SAMPLE) if memory else left):
                return None
            if self.done:
                self.watched.wall = (self.watched.stamps[DONE] - self.started_ns) / 1e9
                self.watched.cpu = cpu_seconds(self.process.pid) - self.used
                return None
            if memory and time.monotonic() >= sampled + SAMPLE:
                sampled = time.monotonic()
                if (used := held.of_job(self.process.pid)) > memory:
                    return "oom", f"killed at {mebibytes(used)}: the limit is {mebibytes(memory)}"
        return "timeout", f"killed after {timeout:g} s"

    def look(self, seconds: float) -> bool:
        """Wait for so long at most; whether the worker has ended."""
        if not CAN_POLL:
            return self.look_without_poll(seconds)
        ready = self.poll.poll(1000 * min(seconds, SHORT if self.pidfd is None else LONG))
        for handle, _ in ready:
            if handle == self.stdout:
                self.drain()
            elif handle == self.marks:
                self.stamp()
        return self.reap()

    def look_without_poll(self, seconds: float) -> bool:
        """Do the same where threads read, and where a process that has ended keeps no account."""
        if self.process.returncode is None:
            self.watched.cpu = max(self.watched.cpu, cpu_seconds(self.process.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(min(seconds, SAMPLE))
                self.watched.wall = (time.perf_counter_ns() - self.started_ns) / 1e9
        return self.process.returncode is not None

    def drain(self) -> bool:
        """Read what the worker printed, so that it never waits for a full pipe; keep the end. False: it is closed."""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self.stdout, LOG)
            self.output = (self.output + chunk)[-LOG:]
            if not chunk:
                self.ignore(self.stdout)
                return False
        return True

    def ignore(self, handle: int) -> None:
        """Look no more at what the worker has closed."""
        if CAN_POLL:
            with contextlib.suppress(KeyError):
                self.poll.unregister(handle)

    def stamp(self) -> bool:
        """Take the time of the worker's marks; the first of each counts. False once they are closed."""
        with contextlib.suppress(BlockingIOError):
            marks = os.read(self.marks, LOG)
            now = time.perf_counter_ns()
            for mark in marks:
                self.watched.stamps.setdefault(mark, now)
            self.watched.seen = (self.watched.seen + bytes(one for one in marks if one in PARTS))[: len(PARTS) + 1]
            self.watched.epochs += marks.count(EPOCH)
            if not marks:
                self.ignore(self.marks)
                return False
        return True

    def reap(self) -> bool:
        """Return whether the worker has ended; then with the account of all that it started."""
        if self.process.returncode is not None:
            return True
        if (cpu := reap(self.process)) is None:
            return False
        self.watched.wall = (time.perf_counter_ns() - self.started_ns) / 1e9
        self.watched.cpu = max(self.watched.cpu, cpu)
        return True

    def end(self, mark: str) -> None:
        """Leave nothing of the worker: not its children, not those that left its group, not its pipes."""
        if not self.reap():
            signal_group(self.process, signal.SIGTERM)
            self.give(GRACE)
        close_input(self.process)  # the keeper ends all that is left
        self.give(2 * GRACE)
        if not self.reap() or self.process.returncode < 0:
            signal_group(self.process, KILL)
            self.give(GRACE)
            janitor.end(mark)
        elif not HAS_PROC:  # it had no keeper, or one that adopts nobody
            janitor.end(mark)
        self.close()

    def give(self, seconds: float) -> None:
        """Let the worker end within so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.look(left):
            continue

    def close(self) -> None:
        """Read what is there, and close both pipes, whoever else holds them."""
        for reader in self.readers:
            reader.join(GRACE)
        if any(reader.is_alive() for reader in self.readers):
            return  # a process that escaped holds the pipe: closing it would wait for that one
        if CAN_POLL:
            for _ in range(4):
                self.drain()
            self.stamp()
        assert self.process.stdout
        self.process.stdout.close()
        os.close(self.marks)
        if self.pidfd is not None:
            os.close(self.pidfd)

    def printed(self) -> bytes:
        """Return the end of what the worker has printed, which may wait for another order."""
        if CAN_POLL and self.process.returncode is None:
            self.drain()
        return self.output

    def last_line(self) -> str:
        """Return the last line printed that is not empty."""
        lines = self.output.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing printed")


def reading(read: Callable[[], bool]) -> threading.Thread:
    """Start a thread that reads until there is no more."""

    def run() -> None:
        with contextlib.suppress(OSError):
            while read():
                continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def close_input(process: subprocess.Popen[bytes]) -> None:
    """Tell the keeper that the harness is done with it."""
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()


def mebibytes(size: int) -> str:
    """Return bytes as a person reads them."""
    return f"{size / 2**20:.0f} MiB"

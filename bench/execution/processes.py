"""Processes of a worker's: pinned to a core, ended with all they started, their output kept at its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import IO

GRACE = 1.0  # seconds between SIGTERM and SIGKILL
LOG = 2**16  # bytes: of what a worker prints, the last so many are kept


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


class OutputTail:
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

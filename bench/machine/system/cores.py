"""Cores: which there are, a thread or process held on one, and a name for each that one run at a time can have."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

CAN_PIN = sys.platform == "win32" or hasattr(os, "sched_setaffinity")  # macOS cannot


def available() -> list[int]:
    """List the cores that this process may use, by number."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    if CAN_PIN:
        import psutil

        return sorted(psutil.Process().cpu_affinity())
    return list(range(os.cpu_count() or 1))


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this thread, and each process that it starts, on one core within the block (Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(pid: int, core: int) -> None:
    """Keep a process on one core where `pinned` cannot (Windows)."""
    if CAN_PIN and not hasattr(os, "sched_setaffinity"):
        import psutil

        with contextlib.suppress(psutil.Error, OSError):
            psutil.Process(pid).cpu_affinity([core])


def claim(core: int) -> Callable[[], object] | None:
    """Claim the core for one run of this machine and return what lets it go; None while another run has it.

    The claim ends with the process: a name in the kernel on Linux, a lock on a temporary file elsewhere.
    """
    if sys.platform == "linux":
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0aheadbench.core.{core}")
        except OSError:
            holder.close()
            return None
        return holder.close
    from filelock import FileLock, Timeout

    lock = FileLock(Path(tempfile.gettempdir(), f"aheadbench.core.{core}.lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock.release

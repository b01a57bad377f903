"""Processes of a job's: pinned to a core, signalled together, and the memory that they hold."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

from bench.machine.resources import kibibytes, tree

GRACE = 1.0  # seconds between SIGTERM and SIGKILL


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


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal to the worker's process group, as long as any of it lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def memory_of_job(keeper: int) -> int:
    """The bytes that all processes under a keeper hold for themselves, and what lies in the /dev/shm that they see.

    What they share is counted once; code of libraries is not: it lies in memory once for all runs. 0 where the system
    does not tell.
    """
    pids = [one.pid for one in tree(keeper)[1:]]
    anonymous = shared = 0
    if len(pids) > 1:  # a fork shares its parent's pages; taking them apart is slow, so only where there is one
        anonymous = sum(kibibytes(f"/proc/{pid}/smaps_rollup", "Pss_Anon") for pid in pids)
        shared = sum(kibibytes(f"/proc/{pid}/smaps_rollup", "Pss_Shmem") for pid in pids)
    if not anonymous:
        anonymous = sum(kibibytes(f"/proc/{pid}/status", "RssAnon") for pid in pids)
        shared = sum(kibibytes(f"/proc/{pid}/status", "RssShmem") for pid in pids)
    return max(1024 * shared, shared_files_of(keeper)) + 1024 * anonymous


def shared_files_of(keeper: int) -> int:
    """Return the bytes of files in the job's private /dev/shm; 0 where it has no private one."""
    try:
        if os.readlink(f"/proc/{keeper}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
            return 0
        found = os.statvfs(f"/proc/{keeper}/root/dev/shm")
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize

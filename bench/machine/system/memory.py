"""The memory that the processes of a job hold: from /proc, or from psutil where there is none."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import psutil

from bench.machine.system.processes import CAN_FORK, HAS_PROC


def tree(pid: int) -> list[psutil.Process]:
    """List the process and its descendants; empty once it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def of_job(keeper: int) -> int:
    """Return the bytes that all processes of a job hold for themselves, and what lies in the /dev/shm that they see.

    What they share is counted once; code of libraries is not: it lies in memory once for all runs.
    """
    found = tree(keeper)[1 if CAN_FORK else 0 :]
    if not HAS_PROC:
        return sum(map(unique, found))
    pids = [one.pid for one in found]
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
        found = os.statvfs(Path("/proc", str(keeper), "root", "dev", "shm"))
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def unique(process: psutil.Process) -> int:
    """Return the bytes that would be free without the process, or those in memory; 0 once it is gone."""
    with contextlib.suppress(psutil.Error, AttributeError):
        return int(process.memory_full_info().uss)
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def kibibytes(name: str, *fields: str) -> int:
    """Return the sum of these fields of a kernel's file, in KiB."""
    return sum(map(int, re.findall(rf"^(?:{'|'.join(fields)}):\s+(\d+) kB$", kernel_file(name), re.MULTILINE)))


def kernel_file(name: str) -> str:
    """Return the content of a kernel's file; empty where the kernel has none."""
    try:
        return Path(name).read_text()
    except OSError:
        return ""

"""What processes and containers use: memory of a process tree, CPU quota, throttling, kills for memory."""

from __future__ import annotations

import re
from pathlib import Path

import psutil


def memory_of(pid: int) -> int:
    """Return the bytes that a process and its descendants hold for themselves; 0 once it is gone.

    What they share is counted once. Code of libraries is not counted: it lies in memory once for all runs. psutil has
    no number for that on Linux (its `uss` counts mapped libraries, its `rss - shared` leaves out shared memory).
    """
    pids = [one.pid for one in tree(pid)]
    held = sum(kibibytes(f"/proc/{one}/status", "RssAnon", "RssShmem") for one in pids)
    if len(pids) > 1:  # a fork shares its parent's pages; taking them apart is slow, so only where there is one
        held = sum(kibibytes(f"/proc/{one}/smaps_rollup", "Pss_Anon", "Pss_Shmem") for one in pids) or held
    return held * 1024 or sum(map(resident, tree(pid)))


def tree(pid: int) -> list[psutil.Process]:
    """List the process and its descendants; empty once it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def resident(process: psutil.Process) -> int:
    """Return the bytes of a process that are in memory, on systems without /proc; 0 once it is gone."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def kibibytes(name: str, *fields: str) -> int:
    """The sum of these fields of a kernel's file, in KiB."""
    return sum(map(int, re.findall(rf"^(?:{'|'.join(fields)}):\s+(\d+) kB$", kernel_file(name), re.MULTILINE)))


def oom_kills() -> int:
    """A number that grows when the kernel kills a process for memory, in this container or on this machine."""
    return sum(
        int(count)
        for name in (
            *cgroup_files("memory", "memory.events"),
            *cgroup_files("memory", "memory.oom_control"),
            "/proc/vmstat",
        )
        for count in re.findall(r"^oom_kill (\d+)$", kernel_file(name), re.MULTILINE)
    )


def throttled() -> int:
    """How often the container has been held back for its CPU quota."""
    for name in cgroup_files("cpu", "cpu.stat"):
        found = re.search(r"^nr_throttled (\d+)$", kernel_file(name), re.MULTILINE)
        if found:
            return int(found[1])
    return 0


def cpu_quota() -> float:
    """How many cores' worth of time the container may use; infinity where it is not limited."""
    for name in cgroup_files("cpu", "cpu.max"):
        if found := re.match(r"(\d+) (\d+)$", kernel_file(name)):
            return int(found[1]) / int(found[2])
    for name in cgroup_files("cpu", "cpu.cfs_quota_us"):
        period = kernel_file(name.replace("quota", "period"))
        if (quota := kernel_file(name)).strip().isdecimal() and period.strip().isdecimal():
            return int(quota) / int(period)
    return float("inf")


def cgroup_files(controller: str, file: str) -> list[str]:
    """Where the kernel keeps a control group's file: this process's own group, then the outermost that it can see."""
    groups = re.findall(r"^\d+:([^:]*):(.*)$", kernel_file("/proc/self/cgroup"), re.MULTILINE)
    own = {names: path for names, path in groups}
    version_1 = [path for names, path in own.items() if controller in names.split(",")]
    folders = [f"/sys/fs/cgroup{own.get('', '/')}", *(f"/sys/fs/cgroup/{controller}{path}" for path in version_1)]
    folders += ["/sys/fs/cgroup", f"/sys/fs/cgroup/{controller}"]
    return list(dict.fromkeys(f"{folder.rstrip('/')}/{file}" for folder in folders))


def kernel_file(name: str) -> str:
    """A file of the kernel's, empty where it has none."""
    try:
        return Path(name).read_text()
    except OSError:
        return ""

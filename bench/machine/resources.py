"""What containers use and may use: CPU quota, throttling, kills for memory; nothing is found outside Linux."""

from __future__ import annotations

import re

from bench.machine.system.memory import kernel_file


def oom_kills() -> int:
    """Return a number that grows when the kernel kills a process for memory, in this container or on this machine."""
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
    """Return how often the container has been held back for its CPU quota."""
    for name in cgroup_files("cpu", "cpu.stat"):
        found = re.search(r"^nr_throttled (\d+)$", kernel_file(name), re.MULTILINE)
        if found:
            return int(found[1])
    return 0


def cpu_quota() -> float:
    """Return how many cores' worth of time the container may use; infinity where it is not limited."""
    for name in cgroup_files("cpu", "cpu.max"):
        if found := re.match(r"(\d+) (\d+)$", kernel_file(name)):
            return int(found[1]) / int(found[2])
    for name in cgroup_files("cpu", "cpu.cfs_quota_us"):
        period = kernel_file(name.replace("quota", "period"))
        if (quota := kernel_file(name)).strip().isdecimal() and period.strip().isdecimal():
            return int(quota) / int(period)
    return float("inf")


def cgroup_files(controller: str, file: str) -> list[str]:
    """Return where a control group's file is: of this process's group, then of the outermost that it can see."""
    groups = re.findall(r"^\d+:([^:]*):(.*)$", kernel_file("/proc/self/cgroup"), re.MULTILINE)
    own = {names: path for names, path in groups}
    version_1 = [path for names, path in own.items() if controller in names.split(",")]
    folders = [f"/sys/fs/cgroup{own.get('', '/')}", *(f"/sys/fs/cgroup/{controller}{path}" for path in version_1)]
    folders += ["/sys/fs/cgroup", f"/sys/fs/cgroup/{controller}"]
    return list(dict.fromkeys(f"{folder.rstrip('/')}/{file}" for folder in folders))

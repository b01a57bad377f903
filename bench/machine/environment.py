"""The machine that a run was made on: what it is, what is installed, and whether it was disturbed meanwhile."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("numpy", "scipy", "statsforecast", "tensorflow", "keras", "jax", "jaxlib", "torch")

#: from when on a time says more about the machine than about the method
LEAST_CPU = 0.9  # CPU seconds per second of fit: less, and something else had the core
MOST_CPU = 1.1  # more, and threads were at work that the run should not have
MOST_STEAL = 0.02  # share of time that the hypervisor gave to others
MOST_WAITING = 1.0  # load average beyond the machine's cores
SHORTEST = 0.05  # seconds of fit: below, the clocks' steps are a tenth of what they measure

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",  # the size of JAX's thread pool
}
FIXED = {
    "PYTHONHASHSEED": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # on, the order of sums depends on the CPU's model
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


#: not passed on: the worker chooses its backend itself, and what Dask's nodes set for themselves costs time
OTHERS = ("KERAS_BACKEND", "MALLOC_TRIM_THRESHOLD_")

HIDING = ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS")  # of those, what hides a GPU


def environment_variables(cuda: bool = False) -> dict[str, str]:
    """This process's variables, with those set that give a child one thread and, unless cuda, no GPU."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    inherited = {name: value for name, value in os.environ.items() if name not in OTHERS}
    fixed = {name: value for name, value in FIXED.items() if not (cuda and name in HIDING)}
    return {**inherited, **ONE_THREAD, **fixed, "PYTHONPATH": path}


def has_cuda() -> bool:
    """Whether NVIDIA's driver shows a device; no framework is asked, which would have to be imported."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def cores() -> list[int]:
    """The cores that this process may use, by number."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def fingerprint() -> dict[str, str | int | float | bool | None | dict[str, str]]:
    """What to know beside a time, without host name, user name or paths."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": None,  # hidden from every run, but those that ask for it
        "os": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "packages": packages(),
        **commit(),
    }


CPU_INFO = Path("/proc/cpuinfo")


@cache
def cpu_model() -> str:
    """The CPU's name as its maker gives it; with its family and model where the name has no number.

    Virtual machines call several generations by one name, and times of one do not compare with those of another.
    """
    info = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    told = dict(re.findall(r"^(\S[^\t:]*\S)\s*: (.+)$", info, re.MULTILINE))
    name = told.get("model name", "").strip() or platform.processor() or platform.machine()
    if re.search(r"\d", name) or not {"cpu family", "model"} <= told.keys():
        return name
    return f"{name}, family {told['cpu family']}, model {told['model']}"


@cache
def packages() -> dict[str, str]:
    """The versions of what the forecasts depend on, as far as it is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> dict[str, str | bool | None]:
    """The commit of the code, and whether the code differs from it; None outside a checkout."""
    if git("rev-parse", "--show-toplevel") != str(ROOT.resolve()):
        return {"commit": None, "dirty": None}
    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "bench", "implementations"))}


def git(*arguments: str) -> str | None:
    """What git answers about the code's folder; None where it cannot."""
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def memory_of(pid: int) -> int:
    """The bytes that a process and its descendants hold for themselves; 0 where the system does not tell.

    What they share is counted once. Code of libraries is not counted: it lies in memory once for all runs.
    """
    pids = list(tree(pid))
    held = sum(kibibytes(f"/proc/{one}/status", "RssAnon", "RssShmem") for one in pids)
    if len(pids) > 1:  # a fork shares its parent's pages; taking them apart is slow, so only where there is one
        held = sum(kibibytes(f"/proc/{one}/smaps_rollup", "Pss_Anon", "Pss_Shmem") for one in pids) or held
    return held * 1024


def tree(pid: int) -> Iterator[int]:
    """The process and its descendants, the latter as far as the kernel lists children."""
    yield pid
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in kernel_file(f"/proc/{pid}/task/{thread}/children").split():
                yield from tree(int(child))


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


def cpu_times() -> Mapping[str, float]:
    """Seconds of all cores since boot, by use."""
    return psutil.cpu_times()._asdict()


@dataclass
class Watch:
    """Watches this process and the machine from here on, to tell whether seconds measured meanwhile can be trusted."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)
    times: Mapping[str, float] = field(default_factory=cpu_times)
    throttled: int = field(default_factory=throttled)
    switches: int = field(default_factory=lambda: psutil.Process().num_ctx_switches().involuntary)

    def observe(self) -> dict[str, float]:
        """What happened since: shares of time, counts, and the load average of the last minute."""
        wall, times = time.perf_counter() - self.wall, cpu_times()
        passed = sum(times.values()) - sum(self.times.values())
        return {
            "fit_seconds": wall,
            "fit_cores": (time.process_time() - self.cpu) / wall,
            "steal": (times.get("steal", 0.0) - self.times.get("steal", 0.0)) / passed if passed > 0 else 0.0,
            "load": os.getloadavg()[0],
            "throttled": throttled() - self.throttled,
            "involuntary_switches": psutil.Process().num_ctx_switches().involuntary - self.switches,
        }


def disturbance(seen: Mapping[str, float], threads: int, affinity: int, cuda: bool = False) -> str | None:
    """Why the seconds cannot be trusted, in words; None when they can. With cuda, a core may wait for the device."""
    long, cores = seen["fit_seconds"] >= SHORTEST, os.cpu_count() or 1
    causes = {
        f"{threads} threads instead of 1": threads != 1,
        f"not pinned: {affinity} cores to run on": affinity != 1,
        f"only {seen['fit_cores']:.0%} of a core during fit": long and seen["fit_cores"] < LEAST_CPU and not cuda,
        f"{seen['fit_cores']:.1f} cores in use during fit": long and seen["fit_cores"] > MOST_CPU,
        f"{seen['steal']:.0%} of the time stolen by the hypervisor": seen["steal"] > MOST_STEAL,
        f"throttled {seen['throttled']:.0f} times": seen["throttled"] > 0,
        f"load average {seen['load']:.1f} on {cores} cores": seen["load"] > cores + MOST_WAITING,
    }
    return "; ".join(cause for cause, holds in causes.items() if holds) or None

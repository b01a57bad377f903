"""The machine that a run was made on: what it is, and what is installed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.machine.system.cores import CAN_PIN

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("numpy", "scipy", "statsforecast", "tensorflow", "keras", "jax", "jaxlib", "torch")


def fingerprint() -> dict[str, str | int | float | bool | None | dict[str, str]]:
    """Describe the machine behind a measured time, without host name, user name or paths."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": None,  # hidden from every run, but those that ask for it
        "os": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        **({} if CAN_PIN else {"pinned": False}),
        "packages": packages(),
        **commit(),
    }


CPU_INFO = Path("/proc/cpuinfo")


@cache
def cpu_model() -> str:
    """Return the CPU's name as its maker gives it; with its family and model where the name has no number.

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
    """Return the versions of what the forecasts depend on, as far as it is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> dict[str, str | bool | None]:
    """Return the commit of the code, and whether the code differs from it; None outside a checkout."""
    if git("rev-parse", "--show-toplevel") != str(ROOT.resolve()):
        return {"commit": None, "dirty": None}
    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "bench", "implementations"))}


def git(*arguments: str) -> str | None:
    """Return what git answers about the code's folder; None where it cannot."""
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()

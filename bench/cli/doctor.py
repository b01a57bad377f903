"""`bench doctor`: what this machine has, and how steady its times are."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import __version__
from bench.cli.options import AsCsv, AsJson
from bench.cli.shared import Row, print_rows

SECONDS = 3.0  # that the noise is measured for: the whole command takes five
QUIET = 5.0  # percent: spread of equal pieces of work on a machine whose times can be trusted


def doctor(as_json: AsJson = False, as_csv: AsCsv = False) -> int:
    """Check this machine: versions, frameworks, cores, memory, GPU, and within five seconds how noisy its times are."""
    print_rows(list(findings()), as_json, as_csv)
    return 0


def findings() -> Iterator[Row]:
    """Yield what there is, one row each."""
    yield row("aheadbench", f"{__version__}, Python {platform.python_version()}, {platform.system()}")
    yield from frameworks()
    yield from machine()
    yield noise(SECONDS)


def row(what: str, found: str, advice: str = "") -> Row:
    """Return one finding; advice: what to do about it."""
    return {"what": what, "found": found, "advice": advice}


def frameworks() -> Iterator[Row]:
    """Yield each backend with the versions of what it needs, or how to install it."""
    from implementations.backends import BACKENDS, extra, installed

    for name, backend in BACKENDS.items():
        if installed(name):
            yield row(f"backend {name}", ", ".join(f"{one} {version_of(one)}" for one in (*backend.needs, "numpy")))
        else:
            yield row(f"backend {name}", "not installed", f"pip install 'aheadbench[{extra(name)}]'")


def version_of(package: str) -> str:
    """Return a package's version; a question mark where it does not say."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def machine() -> Iterator[Row]:
    """Yield the processor, cores, memory, GPU and the folder for temporary files."""
    import psutil

    from bench.machine import environment, resources, threads

    cores, quota = threads.cores(), resources.cpu_quota()
    limited = f", limited to {quota:g} cores' time" if quota < len(cores) else ""
    yield row("processor", environment.cpu_model())
    yield row("cores", f"{len(cores)} of {psutil.cpu_count() or '?'}{limited}", "each run takes one core")
    memory = psutil.virtual_memory()
    free = memory.available / 2**30
    yield row(
        "memory", f"{free:.1f} of {memory.total / 2**30:.1f} GiB free", "" if free > 2 else "a run may need 2 GiB"
    )
    gpu = "there is one" if threads.has_cuda() else "none"
    yield row("GPU", gpu, "--device cuda runs torch and keras-jax on it" if threads.has_cuda() else "")
    yield row("results", str(len(list(Path("results").glob("*/*.json")))) + " files in results", "")


def noise(seconds: float) -> Row:
    """Measure equal pieces of work for so many seconds, and say how far apart they are."""
    import statistics

    import psutil

    from bench.machine import calibration

    times: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 3:
        times.append(calibration.seconds())
    low, *_, high = statistics.quantiles(times, n=20)
    middle = statistics.median(times)
    spread = 100 * (high - low) / middle
    load = psutil.getloadavg()[0] if hasattr(psutil, "getloadavg") and sys.platform != "win32" else float("nan")
    found = f"{spread:.0f} % between equal pieces of work of {1000 * middle:.1f} ms; load {load:.1f}"
    return row("noise", found, "" if spread <= QUIET else "other work disturbs times: errors are not affected")

"""What a run may take, and how many go at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError
from bench.machine import resources, threads

LEAST_MEMORY = 2**26  # bytes: Python and NumPy alone need as much
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+):\d{1,5}", re.ASCII)
LOCAL = re.compile(r"local:(\d{1,3})", re.ASCII)


@dataclass(frozen=True)
class Limits:
    """What a run may take, and how many go at once."""

    workers: int  # on this machine
    timeout: float  # seconds of each run
    memory: int | None = None  # bytes
    cluster: str | None = None  # the address of a scheduler, or local:N: the nodes say how many run at once
    reuse: bool = False  # workers serve several runs of a method and backend, see `reuse`
    pack: bool = False  # all seeds of a method are trained at once, see `packs`
    read_only: tuple[Path, ...] = ()  # folders that no worker can write to, where the system lets them be closed


def check_workers(jobs: int | None) -> int:
    """Return how many run at once. Raises UsageError unless each can have a core."""
    available = max(1, int(min(len(threads.cores()), resources.cpu_quota())))
    if jobs is not None and not 1 <= jobs <= available:
        raise UsageError(f"--jobs {jobs}: needed 1 to {available}, one core for each job")
    return jobs or available


def check_cluster(address: str, jobs: int | None) -> int | None:
    """Return how many run at once, None where the nodes will tell. Raises UsageError for no address, and for --jobs."""
    if jobs is not None:
        raise UsageError(f"--jobs {jobs}: a cluster's nodes say how many run at once, as in `dask worker --nthreads 2`")
    return check_address(address)


def check_address(address: str) -> int | None:
    """Return the number of nodes to start here, None for a cluster elsewhere.

    Raises UsageError for any other address.
    """
    if found := LOCAL.fullmatch(address):
        if int(found[1]) >= 1:
            return int(found[1])
    elif ADDRESS.fullmatch(address):
        return None
    raise UsageError(
        f"--cluster {address!r}: needed tcp://HOST:PORT of a scheduler, or local:4 to try it on this machine"
    )


def check_timeout(seconds: float) -> None:
    """Raise UsageError unless the limit is a positive number."""
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--timeout {seconds:g}: needed a number of seconds above 0")


def check_memory(text: str | None) -> int | None:
    """Return the limit in bytes, from '2G' and the like.

    Raises UsageError for anything else, and below what Python needs.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([KMGT]?)(?:i?B)?", text, re.ASCII)
    size = int(float(found[1]) * UNITS[found[2]]) if found else 0
    if size < LEAST_MEMORY:
        raise UsageError(f"--memory {text!r}: needed a size of at least {LEAST_MEMORY >> 20}M, as in 2G or 500M")
    return size

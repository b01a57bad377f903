"""A core for each run: no other run of this machine has it, whichever campaign or cluster node started it."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence

PAUSE = 0.1  # seconds between two looks whether a core is free


@contextlib.contextmanager
def held(cores: Sequence[int], given_up: Callable[[], bool]) -> Iterator[int | None]:
    """Hold one of the cores that nobody holds; wait until one is free, and get None once it is given up.

    A name of the kernel's stands for the core: only one process can hold it, and not beyond its end. Where the kernel
    has no such names, each campaign only sees its own.
    """
    while not given_up():
        for core in cores:
            if (holder := hold(core)) is None:
                continue
            with holder:
                yield core
                return
        time.sleep(PAUSE)
    yield None


def hold(core: int) -> socket.socket | None:
    """The core's name, held; None while somebody holds it."""
    holder = socket.socket(socket.AF_UNIX)
    if sys.platform != "linux":
        return holder
    try:
        holder.bind(f"\0aheadbench.core.{core}")
    except OSError:
        holder.close()
        return None
    return holder

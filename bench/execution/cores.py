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
    """Hold a free core within the block; wait until one is free, and yield None once `given_up` is true.

    A name in the kernel represents the core: only one process can hold it, and the kernel frees it when that process
    ends. Where the kernel has no such names, a campaign sees only the cores that it holds itself.
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

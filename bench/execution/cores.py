"""A core for each run: no other run of this machine has it, whichever campaign or cluster node started it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from bench.machine.system.cores import claim

PAUSE = 0.1  # seconds between two looks whether a core is free


@contextlib.contextmanager
def held(cores: Sequence[int], given_up: Callable[[], bool]) -> Iterator[int | None]:
    """Hold a free core within the block; wait until one is free, and yield None once `given_up` is true.

    Only one run of this machine can claim a core, and the claim ends with its process.
    """
    while not given_up():
        for core in cores:
            if (let_go := claim(core)) is None:
                continue
            try:
                yield core
            finally:
                let_go()
            return
        time.sleep(PAUSE)
    yield None

"""asv's timer: CPU seconds at a steady pace.

The pace of a core changes by a fifth and more within minutes: other machines on the same hardware, heat, the other
thread of a core. A fixed piece of work, timed before and after each sample, is slowed down as the sample is. A sample's
time is divided by what that work took then, and multiplied by what it usually takes.

It is a recurrent layer's work, as in bench.machine.calibration, and written out here: two commits have to be
measured by one clock, and of `bench` asv imports each commit's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

USUAL = 0.0015  # CPU seconds of the work on a core of the machine that docs/performance.md is about
ROUNDS, REPEATS = 10, 3  # of the repeats the shortest counts
STEPS, UNITS, BATCH = 50, 20, 32

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(0, 0.2, (UNITS, UNITS)).astype(np.float32)
INPUTS = RANDOM.normal(0, 1, (STEPS, BATCH, UNITS)).astype(np.float32)


class SteadyClock:
    """Called before and after a sample, as `timeit` does: the difference is what the sample took, at the usual pace.

    clock: what is counted.
    """

    def __init__(self, clock: Callable[[], float] = time.process_time) -> None:
        self.clock = clock
        self.began: float | None = None
        self.pace = 0.0

    def __call__(self) -> float:
        """Zero before a sample, and after it the CPU seconds that it took."""
        if self.began is None:
            self.pace = pace()
            self.began = self.clock()
            return 0.0
        spent, self.began = self.clock() - self.began, None
        return spent * 2 * USUAL / (self.pace + pace())


def pace() -> float:
    """Return CPU seconds that the work takes now."""
    return min(worked() for _ in range(REPEATS))


def worked() -> float:
    """Return CPU seconds of one repeat."""
    began = time.process_time()
    for _ in range(ROUNDS):
        state = np.zeros_like(INPUTS[0])
        for step in INPUTS:
            state = np.tanh(step + state @ WEIGHTS)
    return time.process_time() - began

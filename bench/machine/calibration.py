"""How fast a machine is at what runs do, in one number: seconds of a fixed piece of work on one thread.

Boards from several kinds of machines divide by it (`bench.analysis.hardware`). The work is a recurrent layer's: small
matrix products and tanh, one after another.
"""

from __future__ import annotations

import time

import numpy as np

CALIBRATION = "calibration_seconds"  # its name in a record's environment
STEPS, UNITS, BATCH = 50, 20, 32  # as the notes' networks have them
ROUNDS = 40
REPEATS = 5


def seconds() -> float:
    """Return the shortest of a few repeats: whatever disturbs makes it longer."""
    random = np.random.default_rng(0)
    weights = random.normal(0, 0.2, (UNITS, UNITS)).astype(np.float32)
    inputs = random.normal(0, 1, (STEPS, BATCH, UNITS)).astype(np.float32)
    return min(timed(weights, inputs) for _ in range(REPEATS))


def timed(weights: np.ndarray, inputs: np.ndarray) -> float:
    """Return seconds of one repeat."""
    start = time.perf_counter_ns()
    for _ in range(ROUNDS):
        state = np.zeros_like(inputs[0])
        for step in inputs:
            state = np.tanh(step + state @ weights)
    return (time.perf_counter_ns() - start) / 1e9

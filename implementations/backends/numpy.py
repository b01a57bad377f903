"""The backend of the methods without a network: nothing to build or train, only the seeds and the thread count."""

from __future__ import annotations

import random

import numpy as np


def seed(number: int) -> None:
    """Seed Python's and NumPy's global generators."""
    random.seed(number)
    np.random.seed(number)


def limit_threads(threads: int) -> None:
    """Do nothing: NumPy takes its thread count from OMP_NUM_THREADS and its like, before it is imported."""


def use(device: str) -> None:
    """Do nothing: NumPy computes on the processor."""


def device_name() -> str:
    """Name the processor, the only device."""
    return "cpu"


def thread_count() -> int:
    """Count the threads of the largest pool of the loaded numerical libraries."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info()), default=1)

"""What changes from step to step: the learning rate, and the averaging of the weights."""

from __future__ import annotations

from math import ceil

import numpy as np

from implementations.training.options import Options


def rates(options: Options, steps: int) -> np.ndarray | None:
    """Return the learning rate of each step [steps]; None where it is the same for all."""
    if options.schedule == "constant" and not options.warmup:
        return None
    rising = ceil(options.warmup * steps)
    up = np.arange(1, rising + 1) / max(rising, 1)
    after = np.arange(steps - rising) / max(steps - rising, 1)
    down = (1 + np.cos(np.pi * after)) / 2 if options.schedule == "cosine" else np.ones_like(after)
    return (options.learning_rate * np.concatenate([up, down])).astype(np.float32)


def blends(options: Options, steps: int) -> np.ndarray | None:
    """Return how much of its way to the weights the average goes in each step [steps]; None without averaging.

    1 until averaging begins: the average is the weights themselves.
    """
    if options.averaging == "none":
        return None
    last = ceil(options.averaging_share * steps)
    decay = 1 - options.averaging_decay
    of_last = 1 / np.arange(1, last + 1) if options.averaging == "swa" else np.r_[1.0, np.full(last - 1, decay)]
    return np.concatenate([np.ones(steps - last), of_last]).astype(np.float32)

"""Streams of random numbers in training, each from the seed: of windows, of series held out, of members."""

from __future__ import annotations

import numpy as np

AUGMENTATION, HOLDOUT, MEMBERS = 2, 3, 4  # streams of random numbers, apart from those of batches and first weights


def member_seeds(seed: int, members: int) -> list[int]:
    """Draw a seed for each network: the first has the run's own, so that it is the network of a run without others."""
    drawn = np.random.default_rng([seed, MEMBERS]).integers(2**32, size=members - 1)
    return [seed, *map(int, drawn)]


def split_off(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose which of so many series are trained on and which held out, at least one of each; return their indices.

    Raises ValueError for fewer than two."""
    if count < 2:
        raise ValueError(f"holdout: got {count} series to split, needed at least 2")
    order = np.random.default_rng([seed, HOLDOUT]).permutation(count)
    out = min(max(1, round(share * count)), count - 1)
    return np.sort(order[out:]), np.sort(order[:out])

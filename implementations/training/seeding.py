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


def split_in_time(places: np.ndarray, share: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose the windows to train on and the last of each series, which are held out; return their indices.

    places [N, 2] are the series and the first step of each window, length its steps, T + H. Windows that share a step
    with one held out are left out: a gap of T + H - 1 steps. Raises ValueError where nothing is left to train on.
    """
    kept, out = [], []
    for series in np.unique(places[:, 0]):
        mine = np.flatnonzero(places[:, 0] == series)
        ordered = mine[np.argsort(places[mine, 1], kind="stable")]
        held = ordered[len(ordered) - max(1, round(share * len(ordered))) :]
        before = ordered[places[ordered, 1] + length <= places[held[0], 1]]
        if len(before):
            kept.append(before)
            out.append(held)
    if not kept:
        raise ValueError("holdout: got series too short for windows apart from those held out, needed a gap of "
                         f"{length} steps: a smaller holdout or a shorter history leaves more")  # fmt: skip
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(out))

"""Rows of a board as the arrays that the tests of `statistics` take."""

from __future__ import annotations

import numpy as np
import pandas as pd


def matrices(board: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return what the tests take of rows: log errors [R, S] by seed, blocks [R, K] or None, and chance [R]."""
    by_seed = pd.DataFrame(list(board["by_seed"])).to_numpy(dtype=float)
    log_errors = np.log(np.maximum(by_seed, np.finfo(float).tiny))
    chance = board["chance"].to_numpy(dtype=float)
    fixed = (chance == 0)[:, None] & np.isnan(log_errors)  # its error is the same for every seed
    first = np.nanmin(log_errors, axis=1, keepdims=True)
    log_errors = np.where(fixed, first, log_errors)
    return log_errors, _block_matrix(board), chance


def _block_matrix(board: pd.DataFrame) -> np.ndarray | None:
    """Return the errors by block of test series [R, K], NaN where a row has none; None where no row has any.

    Each test part has separate columns: rows that were tested on other series share none of their noise.
    """
    parts: dict[tuple[int, int], list[int]] = {}
    for place, (size, blocks) in enumerate(zip(board["test_series"], board["blocks"], strict=True)):
        if blocks is not None:
            parts.setdefault((size, len(blocks)), []).append(place)
    found = []
    for (_, count), places in sorted(parts.items()):
        columns = np.full((len(board), count), np.nan)
        columns[places] = [board["blocks"].iloc[place] for place in places]
        found.append(columns)
    return np.concatenate(found, axis=1) if found else None

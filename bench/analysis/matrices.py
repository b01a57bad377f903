"""Rows of a board as the arrays that the tests of `statistics` take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd


def log_errors_of(by_seed: Iterable[Mapping[int, float]]) -> tuple[list[int], np.ndarray]:
    """Return the seeds that any row has, and the rows' log errors [R, S], NaN where a row lacks a seed."""
    rows = list(by_seed)
    seeds = sorted({seed for row in rows for seed in row})
    place = {seed: column for column, seed in enumerate(seeds)}
    errors = np.full((len(rows), len(seeds)), np.nan)
    for line, row in zip(errors, rows, strict=True):
        line[[place[seed] for seed in row]] = list(row.values())
    return seeds, np.log(np.maximum(errors, np.finfo(float).tiny))


def matrices(board: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return what the tests take of rows: log errors [R, S] by seed, blocks [R, K] or None, and chance [R]."""
    log_errors = log_errors_of(board["by_seed"])[1]
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

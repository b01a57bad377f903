"""How often the ranking is wrong and how much it finds: boards of made-up methods whose true errors are known.

Spreads over seeds are those of the committed ten-step board: from 0.1 % to 30 %, some methods without chance. Series
add noise that all methods share in part, as on one draw of sine series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.analysis import statistics
from bench.analysis.matrices import matrices
from bench.analysis.statistics import better, half_widths, means_over_seeds

METHODS = 38
BLOCKS = 50
NOISE_OF_ONE = 0.6  # relative standard deviation of one series' error: 1.1 to 1.8 % of a mean over 2,000, as measured
SHARED = 0.7  # of the variance that series add, the part that all methods have in common
CHANCELESS = 3  # of the methods, as arima and the baselines are
MEDIAN_SPREAD, SPREAD_OF_SPREADS = 0.056, 1.39  # log-normal; of 35 networks on the committed ten-step board


class MadeUp(NamedTuple):
    """A board: log errors [R, S] and blocks [R, K]."""

    log_errors: np.ndarray
    blocks: np.ndarray | None


def boards(
    count: int, seeds: int, *, true: Sequence[float] | np.ndarray | None = None, spread: float | None = None,
    series: int = 0, methods: int = METHODS, start: int = 0,
) -> Iterator[MadeUp]:  # fmt: skip
    """Yield boards of methods with these true log errors (default: all equal).

    spread: of the log errors of the first two methods over seeds; the others, and by default all, draw theirs.
    series: in the test part; 0: only seeds add noise, as for records without blocks.
    """
    random = np.random.default_rng(start)
    level = np.zeros(methods) if true is None else np.asarray(true, dtype=float)
    for _ in range(count):
        spreads = np.minimum(MEDIAN_SPREAD * np.exp(random.normal(0, SPREAD_OF_SPREADS, methods)), 0.35)
        spreads[methods - CHANCELESS :] = 0
        if spread is not None:
            spreads[:2] = spread
        log_errors = level[:, None] + random.normal(0, 1, (methods, seeds)) * spreads[:, None]
        blocks = drawn_blocks(random, methods, series) if series else None
        drawn = np.log(blocks.mean(axis=1))[:, None] if blocks is not None else 0.0
        yield MadeUp(log_errors + drawn, blocks)


def drawn_blocks(random: np.random.Generator, methods: int, series: int) -> np.ndarray:
    """Return the errors of equal methods on BLOCKS blocks of that many series together, over their true error."""
    noise = NOISE_OF_ONE / np.sqrt(series / BLOCKS)
    common = np.sqrt(SHARED) * random.normal(0, noise, BLOCKS)
    own = np.sqrt(1 - SHARED) * random.normal(0, noise, (methods, BLOCKS))
    blocks: np.ndarray = np.maximum(1 + common + own, 0.05)
    return blocks


SEEDS, SERIES, RATIOS = (3, 5, 10, 15, 20), (0, 1_000, 20_000), (1.1, 1.2, 1.5)


def rates(count: int) -> pd.DataFrame:
    """Return the rates of docs/protocol.md from so many boards each: one row per size of the test part and seeds.

    Columns: `series` (0: none of their noise is known), `seeds`, `false_boards`, `missed_ranks`, `coverage`, and
    `power_R` at a ratio of errors R and a spread of 5 %.
    """
    lines = []
    for series in SERIES:
        for seeds in SEEDS:
            found = (
                false_boards(count, seeds, series),
                false_ranks(count, seeds, series),
                coverage(count, seeds, series),
            )
            lines.append((series, seeds, *found, *(power(count, seeds, ratio, series=series) for ratio in RATIOS)))
    names = ["series", "seeds", "false_boards", "missed_ranks", "coverage", *(f"power_{ratio}" for ratio in RATIOS)]
    return pd.DataFrame(lines, columns=names)


def false_boards(count: int, seeds: int, series: int = 0) -> float:
    """Return the share of boards of equal methods on which any is called better than another (A/A)."""
    found = [better(*one).any() for one in boards(count, seeds, series=series)]
    return float(np.mean(found))


def power(count: int, seeds: int, ratio: float, spread: float = 0.05, series: int = 0) -> float:
    """Return the share of boards on which the first of two methods is called better than the second.

    ratio: of the second's true error to the first's; spread: of their log errors over seeds.
    """
    true = np.concatenate([[0.0, np.log(ratio)], np.linspace(-2, 2, METHODS - 2)])
    found = [better(*one)[0, 1] for one in boards(count, seeds, true=true, spread=spread, series=series)]
    return float(np.mean(found))


def coverage(count: int, seeds: int, series: int = 0) -> float:
    """Return the share of intervals, of seeds and series, that hold the true error."""
    inside = []
    for one in boards(count, seeds, series=series):
        rows = means_over_seeds(one.log_errors)
        half = half_widths(rows, one.blocks)
        inside.append((np.abs(rows.mean) <= half)[half > 0])
    return float(np.concatenate(inside).mean())


def false_ranks(count: int, seeds: int, series: int = 0) -> float:
    """Return the share of boards on which the interval of any method misses its true rank; true errors are spread."""
    missed = 0
    true = np.linspace(0, 3, METHODS)
    for one in boards(count, seeds, true=true, series=series):
        found = statistics.places(*one)
        rank = np.arange(1, METHODS + 1)
        missed += bool(((rank < found.low) | (rank > found.high)).any())
    return missed / count


def resolved(board: pd.DataFrame, seeds: Sequence[int], series: int, count: int = 100) -> pd.DataFrame:
    """Return how far a board would tell its methods apart, had it so many seeds, as boards drawn from its records.

    board: the competitors of one task, see ranking.by_method. Their true errors are those recorded, and their spreads
    over seeds the moderated ones. series: in the test part. Columns: `seeds`, `intervals` (distinct rank intervals,
    the median board), `fewest` (on any), `width` (mean ranks in an interval), `best` (methods that may be the best).
    """
    log_errors, _, chance = matrices(board)
    rows = means_over_seeds(log_errors, chance)
    spreads = np.sqrt(rows.variance * np.maximum(rows.seeds, 1))
    random, lines = np.random.default_rng(0), []
    for number in seeds:
        found = []
        for _ in range(count):
            blocks = drawn_blocks(random, len(board), series)
            noise = random.normal(0, 1, (len(board), number)) * spreads[:, None]
            errors = rows.mean[:, None] + noise + np.log(blocks.mean(axis=1))[:, None]
            found.append(statistics.places(errors, blocks * np.exp(rows.mean)[:, None], chance))
        intervals = [len(set(zip(one.low, one.high, strict=True))) for one in found]
        width = np.mean([one.high - one.low + 1 for one in found])
        best = np.mean([(one.low == 1).sum() for one in found])
        lines.append((number, int(np.median(intervals)), min(intervals), width, best))
    return pd.DataFrame(lines, columns=["seeds", "intervals", "fewest", "width", "best"])

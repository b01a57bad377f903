"""From forecasts to the errors of a record: every metric, errors by step, and errors by block of windows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from bench import metrics
from bench.data.datasets import GeneratedData, Pair, PartName, SeriesData
from bench.metrics import Compared, Main, Part, Scale
from implementations.answers import cross_entropy
from implementations.kinds import CLASSIFY

BLOCKS = {"validation": 100, "test": 50}  # at most, of equally many consecutive windows as far as that is possible
MOST = 900  # blocks of one horizon each, so that a record's size has a bound
DIGITS = 4  # significant ones of a block's error


def scores(
    data: GeneratedData | SeriesData,
    validation: np.ndarray,
    test: np.ndarray,
    outputs: Pair | None = None,
    bounds: Pair | None = None,
    main: Main | None = None,
) -> dict[str, Any]:
    """Return the fields of a record that say how good forecasts [N, H, D] of both parts are.

    outputs: what the method is trained to output and the truth; None where that is the validation forecasts.
    bounds: of the test forecasts, as they are scaled; None of a method without intervals. main: the metric that ranks
    the task, whose errors by block are kept; None: that of its kind of question.
    """
    errors = {"validation": losses(data, "validation", validation), "test": losses(data, "test", test)}
    compared: dict[tuple[Part, Scale], Iterable[Compared]] = {
        ("outputs", "scaled"): [Compared(*outputs)] if outputs else data.compared("validation", validation),
        ("validation", "scaled"): data.compared("validation", validation),
        ("test", "scaled"): data.compared("test", test),
    }
    fields: dict[str, Any] = {}
    shares: dict[str, float] = {}
    if isinstance(data, SeriesData):
        shares = largest_share(data.prepared.parts.test.series, errors["test"])
        compared["validation", "original"] = data.original("validation", validation)
        compared["test", "original"] = data.original("test", test, bounds)
        fields["by_block"] = by_horizon(data, errors["validation"])
    blocks = {part: means(values, BLOCKS[part]) for part, values in errors.items()}
    if isinstance(data, SeriesData) and main and main != metrics.MAIN[data.kind]:
        fields["blocks_of"] = main.test
        blocks = {
            "validation": blocks_of(data, "validation", validation, main.validation),
            "test": blocks_of(data, "test", test, main.test),
        }
    return {
        "metrics": {**metrics.compute(compared, data.kind), **shares},
        **({} if data.kind == CLASSIFY else {"mse_by_step": by_step(data, validation)}),
        "blocks": {part: rounded(values, DIGITS) for part, values in blocks.items()},
        **fields,
    }


def losses(data: GeneratedData | SeriesData, part: PartName, forecasts: np.ndarray) -> np.ndarray:
    """Return the mean squared error of each window, or the cross-entropy of its classes: [N]."""
    if data.kind == CLASSIFY:
        return np.concatenate([cross_entropy(one.forecast, one.truth) for one in data.compared(part, forecasts)])
    found = [(metrics.errors(one.forecast, one.truth) ** 2).mean(axis=(1, 2)) for one in data.compared(part, forecasts)]
    return np.concatenate(found)


def blocks_of(data: SeriesData, part: PartName, forecasts: np.ndarray, name: str) -> np.ndarray:
    """Return a metric of consecutive blocks of windows, without windows of a series on which it is not defined."""
    metric = metrics.METRICS[name]
    chunks = data.original(part, forecasts) if metric.scale == "original" else data.compared(part, forecasts)
    windows = (one.window(place) for one in chunks for place in range(len(one.truth)))
    found = [(value, metric.weight(one)) for one in windows if (value := metric(one)) is not None]
    starts = starts_of(len(found), BLOCKS[part])
    values = (metric.combined(found[start:end]) for start, end in itertools.pairwise([*starts, len(found)]))
    return np.array([value for value in values if value is not None])


def by_step(data: GeneratedData | SeriesData, forecasts: np.ndarray) -> list[float]:
    """Return the mean squared error of validation forecasts for each step ahead: H values."""
    found = [(metrics.mse_by_step(one.forecast, one.truth), len(one.truth))
             for one in data.compared("validation", forecasts)]  # fmt: skip
    if len(found) == 1:
        return found[0][0]
    steps, weights = zip(*found, strict=True)
    return [float(value) for value in np.average(steps, axis=0, weights=weights)]


def means(values: np.ndarray, count: int) -> np.ndarray:
    """Return the means of at most `count` consecutive blocks of nearly equal length."""
    starts = starts_of(len(values), count)
    return np.asarray(np.add.reduceat(values, starts) / np.diff(starts, append=len(values)))


def starts_of(values: int, count: int) -> np.ndarray:
    """Return where at most `count` consecutive blocks of nearly equal length begin."""
    return np.linspace(0, values, min(count, values), endpoint=False).astype(int)


def by_horizon(data: SeriesData, values: np.ndarray) -> list[float]:
    """Return one mean of the values [N] for validation windows that begin within H steps of one series.

    Windows overlap, so their errors go together; those of different blocks nearly do not. Beyond MOST blocks,
    neighbours are taken together.
    """
    series, how = data.prepared.parts.validation.series, data.prepared.preparation
    first = np.searchsorted(series, series)  # windows of one series follow each other
    block = (np.arange(len(series)) - first) // -(-how.ahead // how.scored_stride)
    _, member = np.unique(np.stack([series, block]), axis=1, return_inverse=True)
    return rounded(means(np.bincount(member, values) / np.bincount(member), MOST), 6)


def largest_share(series: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Return how much of the sum of errors [N] of windows the worst series makes, percent; nothing for one series."""
    sums = np.bincount(series, values)
    if len(np.unique(series)) < 2 or not sums.sum() > 0:
        return {}
    return {"test_largest_share": float(100 * sums.max() / sums.sum())}


def rounded(values: np.ndarray, digits: int) -> list[float]:
    """Return the values with so many significant digits."""
    return [float(f"{value:.{digits}g}") for value in values]

"""Forecasts as a table: times, channels, bounds; written as CSV so that no spreadsheet computes a name."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.data.series import SeriesSet
from bench.forecasting.intervals import IntervalForecast
from bench.records import files
from bench.schema.series import Preparation
from bench.text import clean

MOST_DECIMALS = 17  # after the point: beyond these a number is not written in full
WRITTEN = 6  # decimals that a person may have written: shown on the screen, too
EXACT = 15  # decimals: beyond these, digits of a number of this size say nothing
SIGNIFICANT = 4  # digits of the spread of a series that its forecasts have at least
LARGEST = 1e22  # what is larger is no number that anyone counts with
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the beginning of one


def rows(
    found: SeriesSet, how: Preparation, made: IntervalForecast, shown: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Return the forecast as a long table: series and channel only where there are several.

    shown: for the screen, where digits that no person wrote are left out.
    """
    several, channels = len(found.series) > 1 or bool(found.series[0].name), len(found.channels) > 1
    header = (
        [inert(" ".join(how.groups) or "series")] * several + [inert(time_header(how, found))] + ["channel"] * channels
    )
    decimals = [decimals_of(found, channel, shown) for channel in range(len(found.channels))]
    bounds = list(itertools.chain(*zip(made.lower, made.upper, strict=True)))
    lines = []
    for place, one in enumerate(found.series):
        for step in range(made.forecast.shape[1]):
            time = found.calendar.at(one.end + step)
            for channel, name in enumerate(found.channels):
                values = [part[place, step, channel] for part in (made.forecast, *bounds)]
                named = [[inert(one.name)] * several, [time], [inert(name)] * channels]
                lines.append([*itertools.chain(*named), *(number(value, decimals[channel], shown) for value in values)])
    return [*header, "forecast", *bound_names(made.levels)], lines


def bound_names(levels: Sequence[float]) -> list[str]:
    """Return what the bounds are called: with their level where there are several."""
    if len(levels) == 1:
        return ["lower", "upper"]
    return [f"{side}_{level:g}" for level in levels for side in ("lower", "upper")]


def decimals_of(found: SeriesSet, channel: int, shown: bool) -> int | None:
    """Return how many decimals: those of the data, and at least SIGNIFICANT digits of its spread; None: too many."""
    values = np.concatenate([one.values[~one.imputed[:, channel], channel] for one in found.series])
    written = next((d for d in range(MOST_DECIMALS + 1) if (np.round(values, d) == values).all()), MOST_DECIMALS)
    spread = np.median([one.values[:, channel].std() for one in found.series]) or np.abs(values).max(initial=0.0)
    needed = SIGNIFICANT - 1 - int(np.floor(np.log10(spread))) if spread > 0 else 0
    if needed > MOST_DECIMALS:
        return None
    return max(needed, 0 if shown and written > WRITTEN else written)


def number(value: float, decimals: int | None, aligned: bool) -> str:
    """Return a forecast with so many decimals, never with an exponent where it is a plain number.

    aligned: with zeros at the end, as in a column of numbers.
    """
    if decimals is None or abs(value) >= LARGEST:
        return repr(float(value))
    text = f"{value:.{decimals}f}"
    if decimals > EXACT:
        text = np.format_float_positional(value, precision=decimals, trim="-")  # the shortest that is read as the same
    text = text.removeprefix("-") if float(text) == 0 else text
    return text if aligned or "." not in text else text.rstrip("0").rstrip(".")


def inert(name: str) -> str:
    """Clean a name from a file for terminals and spreadsheets, where an apostrophe keeps it from being computed."""
    text = clean(name)
    with contextlib.suppress(ValueError):
        float(text)
        return text
    return f"'{text}" if text.startswith(FORMULA) else text


def time_header(how: Preparation, found: SeriesSet) -> str:
    """Return what the column of times is called."""
    return (found.time[0] if len(found.time) == 1 and how.time else "time") if found.calendar.has_times else "step"


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write the table. Raises UsageError where the path cannot be written."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *lines])
    files.replace(path, buffer.getvalue().encode())

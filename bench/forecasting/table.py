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

DIGITS = 6  # significant ones of a forecast
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the beginning of one


def rows(found: SeriesSet, how: Preparation, made: IntervalForecast) -> tuple[list[str], list[list[str]]]:
    """The forecast as a long table: series and channel only where there are several."""
    several, channels = len(found.series) > 1 or bool(found.series[0].name), len(found.channels) > 1
    header = [inert(how.group or "series")] * several + [inert(time_header(how, found))] + ["channel"] * channels
    lines = []
    for place, one in enumerate(found.series):
        for step in range(made.forecast.shape[1]):
            time = found.calendar.at(one.end + step)
            for channel, name in enumerate(found.channels):
                cells = [made_by[place, step, channel] for made_by in made]
                named = [[inert(one.name)] * several, [time], [inert(name)] * channels]
                lines.append([*itertools.chain(*named), *map(number, cells)])
    return [*header, "forecast", "lower", "upper"], lines


def inert(name: str) -> str:
    """A name from a file as text that no terminal obeys and no spreadsheet computes: it gets an apostrophe in front."""
    text = clean(name)
    with contextlib.suppress(ValueError):
        float(text)
        return text
    return f"'{text}" if text.startswith(FORMULA) else text


def time_header(how: Preparation, found: SeriesSet) -> str:
    """What the column of times is called."""
    return (found.time[0] if len(found.time) == 1 and how.time else "time") if found.calendar.has_times else "step"


def number(value: float) -> str:
    """A forecast with enough digits; empty where there is none."""
    return "" if np.isnan(value) else f"{value:.{DIGITS}g}"


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write the table. Raises UsageError where the path cannot be written."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *lines])
    files.replace(path, buffer.getvalue().encode())

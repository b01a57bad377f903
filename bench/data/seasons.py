"""The season of series: what the calendar suggests, if the autocorrelation of the data confirms it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.data.calendar import Calendar
from bench.data.rhythms import NANOSECONDS
from bench.data.series import SeriesSet

TRAINING = 0.7  # of each series, from its beginning: what no split keeps for validation or test
PERIODS = 3  # that a series has to have
PARTS = 8  # of a season: over one of them differences are taken
SAMPLE = 200  # series that are asked
SIGNIFICANT = 1.645  # standard errors: one-sided 5 %
WEEK = 7


class Season(NamedTuple):
    """A season that was found, or why none was."""

    steps: int | None
    reason: str  # in words


def find(found: SeriesSet) -> Season:
    """Return the first season of the calendar that most of the series show in their training part.

    A series shows it if the autocorrelation of its differences, at the season's lag, exceeds 1.645 standard errors
    after Bartlett, as in the test that the M4 competition's benchmarks use. Differences are over an eighth of a season:
    from week to week, a season of a year changes less than noise does.
    """
    suggested = list(suggestions(found.calendar))
    if not suggested:
        return Season(None, f"none: values come {found.calendar.name}")
    series = found.series[:: max(1, len(found.series) // SAMPLE)][:SAMPLE]
    training = [one.values[: round(TRAINING * len(one.values)), 0] for one in series]
    for steps in suggested:
        long = [values for values in training if len(values) >= PERIODS * steps]
        shown = sum(shows(values, steps) for values in long)
        if 2 * shown > len(training):
            every = f"{shown} of {len(training)} series show" if len(training) > 1 else "the data show"
            return Season(steps, f"{every} a season of {steps} steps (values come {found.calendar.name})")
    asked = " or ".join(map(str, suggested))
    return Season(None, f"none: no season of {asked} steps shows in the training part")


def suggestions(calendar: Calendar) -> Iterator[int]:
    """Yield the steps in a year, a week or a day, as the rhythm of values has them; the shortest first."""
    import pandas as pd

    if not calendar.has_times:
        return
    if calendar.slots:
        yield len(calendar.slots)
        yield len(calendar.slots) * len(weekdays(calendar))
    elif isinstance(calendar.offset, pd.Timedelta):
        yield from of_fixed(calendar.offset.value)
    elif isinstance(calendar.offset, pd.offsets.CustomBusinessDay):
        yield len(weekdays(calendar))
    else:
        year = calendar.time(0) + pd.DateOffset(years=10)
        steps = next(step for step in range(1, 500) if calendar.time(step) >= year) / 10
        if round(steps) > 1:
            yield round(steps)


def of_fixed(nanoseconds: int) -> Iterator[int]:
    """Yield the steps in a day and a week, in a week and a year, or in a year, of steps of equal length."""
    day = NANOSECONDS["day"]
    if nanoseconds < day:
        for length in (day, WEEK * day):
            if length % nanoseconds == 0:
                yield length // nanoseconds
    elif nanoseconds == day:
        yield from (WEEK, 365)
    elif nanoseconds == WEEK * day:
        yield 52


def weekdays(calendar: Calendar) -> Sequence[str]:
    """Return the days of a week that have values."""
    mask = getattr(calendar.offset, "weekmask", "")
    return mask.split() if mask else range(WEEK)  # type: ignore[return-value]


def shows(values: np.ndarray, steps: int) -> bool:
    """Return whether a series [L] has a season of so many steps."""
    apart = max(1, steps // PARTS)
    changes = values[apart:] - values[:-apart]
    changes = changes - changes.mean()
    size = float(changes @ changes)
    if size <= 1e-24 * max(1.0, float(np.abs(values).max()) ** 2):
        return False
    correlation = [float(changes[lag:] @ changes[:-lag]) / size for lag in range(1, steps + 1)]
    error = np.sqrt((1 + 2 * sum(value**2 for value in correlation[:-1])) / len(changes))
    return bool(correlation[-1] > SIGNIFICANT * error)

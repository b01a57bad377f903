"""Where the training, validation and test parts of a series end: by share, by steps, by dates, or at the very end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.data.calendar import Calendar
from bench.data.series import Series
from bench.errors import UsageError
from bench.schema.series import Preparation

SHARE = 15.0  # percent of the steps, for validation, and as many for the test
DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:[T ][\d:]+)?)?", re.ASCII)


class Ends(NamedTuple):
    """Where the parts of a series end, in steps from its beginning. Each is at least 0."""

    train: int
    validation: int
    test: int


Cut = Callable[[Series], Ends]


def cut_of(how: Preparation, calendar: Calendar, test: bool = True) -> Cut:
    """Return where each series is cut, counted from its end, or at dates. Raises UsageError for an invalid split.

    test: keep a part for the test; otherwise validation is the last part.
    """
    if how.origin == "end" or how.cutoffs:
        if how.split:
            raise UsageError(f"--split {how.split}: --origin end and --cutoffs cut each series at its end")
        return at_end(how.ahead * (how.cutoffs or 1), test)
    if not how.split:
        return by_shares((100 - 2 * SHARE, SHARE, SHARE), how.ahead, test)
    parts = [part.strip() for part in how.split.split("/")]
    if len(parts) == 2 and all(map(DATE.fullmatch, parts)):
        return by_dates(parts[0], parts[1], calendar, test)
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or min(numbers) <= 0:
        raise UsageError(f"--split {how.split}: three shares as in 70/15/15, three numbers of steps as in 400/50/50, "
                         "or where validation and test begin as in 2023-01-01/2024-01-01 are needed")  # fmt: skip
    if round(sum(numbers), 6) == 100:
        return by_shares((numbers[0], numbers[1], numbers[2]), how.ahead, test)
    if any(number % 1 for number in numbers):
        raise UsageError(f"--split {how.split}: shares have to add up to 100, numbers of steps have to be whole")
    return by_steps([int(number) for number in numbers], test)


def by_shares(shares: tuple[float, float, float], ahead: int, test: bool) -> Cut:
    """Return shares of each series' steps, in percent; validation and test are at least H steps."""

    def cut(one: Series) -> Ends:
        length = len(one.values)
        held = [max(ahead, round(share / 100 * length)) for share in shares[1:]]
        end = length - held[1]
        return Ends(max(0, end - held[0]), max(0, end), length) if test else Ends(max(0, end), length, length)

    return cut


def by_steps(counts: list[int], test: bool) -> Cut:
    """So many steps for each part, counted from the beginning of each series; what is left over is not used."""
    train, validation, end = np.cumsum(counts).tolist()

    def cut(one: Series) -> Ends:
        length = len(one.values)
        found = Ends(min(train, length), min(validation, length), min(end, length))
        return found if test else Ends(found.validation, found.test, found.test)

    return cut


def by_dates(first: str, second: str, calendar: Calendar, test: bool) -> Cut:
    """Return the times at which validation and test begin, the same for all series. Raises UsageError."""
    if not calendar.has_times:
        raise UsageError(f"--split {first}/{second}: the rows have no times (values come {calendar.name})")
    steps = [step_of(text, calendar) for text in (first, second)]
    if steps[0] >= steps[1]:
        raise UsageError(f"--split {first}/{second}: validation has to begin before the test")

    def cut(one: Series) -> Ends:
        length = len(one.values)
        ends = [int(np.clip(step - one.start, 0, length)) for step in steps]
        return Ends(ends[0], ends[1], length) if test else Ends(ends[1], length, length)

    return cut


def step_of(text: str, calendar: Calendar) -> int:
    """Return the first step of a calendar that is not before a time. Raises UsageError for what is no time."""
    import pandas as pd

    try:
        time = pd.Timestamp(text)
    except ValueError:
        raise UsageError(f"--split: {text!r} is not a date") from None
    if calendar.origin.tzinfo is not None:
        time = time.tz_localize(calendar.origin.tzinfo)
    low, high = 0, 1
    try:
        while calendar.time(high) < time:
            low, high = high, 2 * high
    except (OverflowError, ValueError):  # no time of pandas
        raise UsageError(f"--split: {text} is too far from the times of the rows, from {calendar.at(0)}") from None
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if calendar.time(middle) < time else (low, middle)
    return low


def at_end(held: int, test: bool) -> Cut:
    """Return the last steps of each series for the test, as many before them for validation."""

    def cut(one: Series) -> Ends:
        length = len(one.values)
        end = length - held
        return Ends(max(0, end - held), max(0, end), length) if test else Ends(max(0, end), length, length)

    return cut

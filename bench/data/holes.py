"""Values that are missing between others: filled when asked, else an error that says where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.data.calendar import Calendar
from bench.data.tables import Table
from bench.errors import UsageError
from bench.schema.series import Reading


@dataclass(frozen=True)
class Holes:
    """Where a missing value of a series is, for messages."""

    table: Table
    series: str
    source: np.ndarray  # [L]: the row of every step; of a step without one, the row before
    steps: np.ndarray  # that have a row
    calendar: Calendar
    targets: Sequence[str]
    start: int

    def has_row(self, place: int) -> bool:
        """Return whether there is a row, with an empty cell; else the row itself is missing."""
        return self.start + place in self.steps

    def where(self, place: int, channel: int) -> str:
        """Return the place of a missing value in words."""
        row = self.table.where(int(self.source[place]))
        if self.has_row(place):
            return f"{row}, column {self.targets[channel]!r}: the value is missing"
        series = f" of {self.series!r}" if self.series else ""
        time = self.calendar.at(self.start + place)
        return f"{row}: the row after it{series}, for {time}, is missing (values come {self.calendar.name})"


def fill(values: np.ndarray, how: Reading, holes: Holes, channel: int) -> np.ndarray:
    """Return one channel [L], whose ends are known, without NaN.

    Raises UsageError, naming the first hole, unless filled.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    if how.impute is None:
        raise unfilled(missing, holes, channel)
    if how.impute == "zero":
        return np.where(missing, 0.0, values)
    if how.impute == "seasonal":
        return fill_seasonal(values, how.season or 1, holes, channel)
    known = np.flatnonzero(~missing)
    if how.impute == "last":
        last: np.ndarray = values[known[np.searchsorted(known, np.arange(len(values)), side="right") - 1]]
        return last
    linear: np.ndarray = np.interp(np.arange(len(values)), known, values[known])
    return linear


def unfilled(missing: np.ndarray, holes: Holes, channel: int) -> UsageError:
    """Return the error for holes that nothing fills."""
    first, count = int(missing.argmax()), int(missing.sum())
    several = f", one of {count}" if count > 1 else ""
    closed = "" if holes.has_row(first) else "; --time - keeps the order of the rows"
    return UsageError(f"{holes.where(first, channel)}{several}: fill it in, or choose --impute linear, last, seasonal "
                      f"or zero{closed}")  # fmt: skip


def fill_seasonal(values: np.ndarray, season: int, holes: Holes, channel: int) -> np.ndarray:
    """Return each missing value as it was a season before, which may have been filled in itself."""
    filled = values.copy()
    for place in np.flatnonzero(np.isnan(values)):
        if place < season:
            raise UsageError(f"{holes.where(int(place), channel)}, and --impute seasonal finds no value {season} "
                             "steps before it")  # fmt: skip
        filled[place] = filled[place - season]
    return filled

"""Times as whole steps: find how often values come, and count on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data import rhythms
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Where = Callable[[int], str]  # a row in words


@dataclass(frozen=True)
class Calendar:
    """Step 0 and what lies between two steps: a pandas offset, a number, or nothing but rows."""

    name: str  # how often values come, in words
    origin: Any = None  # the Timestamp of step 0 or, with slots, of its day; a whole number where times are numbers
    offset: Any = None  # the pandas offset from step to step, from day to day with slots; a whole number likewise
    slots: tuple[Any, ...] = ()  # Timedeltas: the times of a day at which values come, where nights have none
    first_slot: int = 0  # of step 0
    day: int = 0  # of the month, where months are shorter than the first one's day
    pattern: str = "%Y-%m-%d"  # how times are written; empty: ISO 8601 in full

    @property
    def has_times(self) -> bool:
        """Whether steps have times, not only numbers."""
        return self.origin is not None and not isinstance(self.origin, int)

    def time(self, step: int) -> pd.Timestamp:
        """Return the time of a step, for calendars with times."""
        if self.slots:
            days, slot = divmod(step + self.first_slot, len(self.slots))
            day: pd.Timestamp = moved(self.origin, self.offset, days) + self.slots[slot]
            return day
        if self.day:
            month = moved(self.origin.replace(day=1), self.offset, step)
            return month.replace(day=min(self.day, month.days_in_month))
        return moved(self.origin, self.offset, step)

    def at(self, step: int) -> str:
        """Return the time of a step, as text; for rows, the number of the row, counted from 1."""
        if self.origin is None:
            return str(step + 1)
        if isinstance(self.origin, int):
            return str(self.origin + step * self.offset)
        time = self.time(step)
        return str(time.strftime(self.pattern) if self.pattern else time.isoformat())


ROWS = Calendar("in the order of the rows")


def moved(time: pd.Timestamp, offset: Any, steps: int) -> pd.Timestamp:
    """Return a time so many offsets later."""
    later: pd.Timestamp = time + offset * steps if steps else time
    return later


def fit_calendar(
    times: pd.DatetimeIndex, pattern: str, column: str, where: Where, sparse: bool = False
) -> tuple[Calendar, np.ndarray]:
    """Return how often the values come, with the fewest steps missing, and the step of every time, from 0.

    sparse: whether more than half of the steps may be missing. Raises UsageError, naming a line, when no step fits.
    """
    distinct = times.unique().sort_values()
    if len(distinct) < 2:
        raise UsageError(f"{where(0)}, column {column!r}: one time alone has no rhythm, needed two at least: --time - "
                         "takes the rows as they stand")  # fmt: skip
    fit = rhythms.best_fit(times)
    if fit is None and (seen := rhythms.sparse_fit(times)) is not None:
        if not sparse:
            raise too_sparse(seen, distinct, column, where)
        fit = seen
    if fit is None:
        raise uneven(times, distinct, column, where)
    calendar = Calendar(fit.name, fit.origin, fit.offset, fit.slots, fit.first_slot, fit.day, pattern)
    return calendar, fit.steps[np.searchsorted(distinct.asi8, times.asi8)]


def too_sparse(fit: rhythms.Fit, distinct: pd.DatetimeIndex, column: str, where: Where) -> UsageError:
    """Return the error for times of an even rhythm most of which are missing."""
    return UsageError(f"{where(0)}, column {column!r}: values seem to come {fit.name}, and {fit.missing} of "
                      f"{len(distinct) + fit.missing} times are missing: --impute zero where no row means 0, "
                      "--dates FORMAT where dates are written in another way, --time - keeps the order of the "
                      "rows")  # fmt: skip


def uneven(times: pd.DatetimeIndex, distinct: pd.DatetimeIndex, column: str, where: Where) -> UsageError:
    """Return the error for times without a rhythm: where the first uneven gap is."""
    gaps = np.diff(distinct.asi8)
    later = int(np.argmax(gaps != rhythms.usual_gap(distinct))) + 1
    row = int(np.flatnonzero(times == distinct[later])[0])
    return UsageError(f"{where(row)}, column {column!r}: after {distinct[later - 1]} comes {distinct[later]}, while "
                      "values have to come at even steps: --time - keeps the order of the rows, --dates FORMAT says "
                      "how dates are written")  # fmt: skip

"""Times as whole steps: find how often values come, and count on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Where = Callable[[int], str]  # a row in words


NANOSECONDS = {"day": 86_400 * 10**9, "hour": 3600 * 10**9, "minute": 60 * 10**9, "second": 10**9}
MONTHS = {1: "monthly", 3: "quarterly", 12: "yearly"}


@dataclass(frozen=True)
class Calendar:
    """Step 0 and what lies between two steps: so many months, working days, nanoseconds, or just rows."""

    kind: Literal["months", "working days", "fixed", "rows"]
    every: int = 1
    origin: Any = None  # the Timestamp of step 0
    month_end: bool = False
    pattern: str = "%Y-%m-%d"  # how times are written; empty: ISO 8601 in full

    @property
    def name(self) -> str:
        """How often values come, in words."""
        if self.kind == "months":
            return MONTHS.get(self.every, f"every {self.every} months")
        if self.kind == "fixed":
            return fixed_name(self.every)
        return {"working days": "on working days", "rows": "in the order of the rows"}[self.kind]

    def at(self, step: int) -> str:
        """The time of a step, as text; for rows, the number of the row, counted from 1."""
        import pandas as pd

        if self.kind == "rows":
            return str(step + 1)
        if self.kind == "working days":
            date = np.busday_offset(np.datetime64(self.origin.date()), step)
            time = pd.Timestamp(date) + (self.origin - self.origin.normalize())
        elif self.kind == "months":
            time = self.origin + pd.DateOffset(months=step * self.every)
            time = time + pd.offsets.MonthEnd(0) if self.month_end else time
        else:
            time = self.origin + pd.Timedelta(step * self.every, unit="ns")
        return str(time.strftime(self.pattern) if self.pattern else time.isoformat())


def fixed_name(nanoseconds: int) -> str:
    """A step of fixed length in words."""
    known = {7 * NANOSECONDS["day"]: "weekly", NANOSECONDS["day"]: "daily", NANOSECONDS["hour"]: "hourly"}
    if nanoseconds in known:
        return known[nanoseconds]
    for unit, length in NANOSECONDS.items():
        if nanoseconds % length == 0:
            count = nanoseconds // length
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {nanoseconds / 1e9:g} seconds"


def fit_calendar(times: pd.DatetimeIndex, pattern: str, column: str, where: Where) -> tuple[Calendar, np.ndarray]:
    """How often the values come, with the fewest steps missing, and the step of every time, from 0.

    Raises UsageError, naming a line, when no step fits or more than half of the steps are missing.
    """
    distinct = times.unique().sort_values()
    if fit := best_fit(times):
        calendar, steps = fit
        places = np.searchsorted(distinct.asi8, times.asi8)
        return Calendar(**{**calendar, "pattern": pattern, "origin": distinct[0]}), steps[places]
    gaps = np.diff(distinct.asi8)
    later = int(np.argmax(gaps != usual_gap(distinct))) + 1
    row = int(np.flatnonzero(times == distinct[later])[0])
    raise UsageError(f"{where(row)}, column {column!r}: after {distinct[later - 1]} comes {distinct[later]}, "
                     "while values have to come at even steps")  # fmt: skip


Fit = tuple[dict[str, Any], np.ndarray] | None  # a calendar's fields, and the step of every time


def best_fit(times: pd.DatetimeIndex) -> Fit:
    """The calendar of these times that misses the fewest steps; None where none fits or half of them are missing."""
    if times.hasnans:
        return None
    distinct = times.unique().sort_values()
    found = [fit for fit in (as_months(distinct), as_fixed(distinct), as_working_days(distinct)) if fit is not None]
    best = min(found, key=lambda fit: fit[1][-1], default=None)  # the first of equals
    return best if best is not None and best[1][-1] < 2 * len(distinct) else None


def as_months(times: pd.DatetimeIndex) -> Fit:
    """Steps of whole months: the same day and time in each, or each one's last day."""
    if len(times) < 2:
        return None
    ends = bool(times.is_month_end.all())
    if len(set((times - times.normalize()).asi8)) > 1 or (not ends and len(set(times.day)) > 1):
        return None
    months = np.asarray(times.year * 12 + times.month, dtype=np.int64)
    every = int(np.gcd.reduce(np.diff(months)))
    return {"kind": "months", "every": every, "month_end": ends}, (months - months[0]) // every


def as_working_days(times: pd.DatetimeIndex) -> Fit:
    """Mondays to Fridays."""
    if (times.dayofweek > 4).any() or len(set((times - times.normalize()).asi8)) > 1 or len(times) < 2:
        return None
    days = times.tz_localize(None).normalize().to_numpy().astype("datetime64[D]")
    return {"kind": "working days"}, np.busday_count(days[0], days)


def as_fixed(times: pd.DatetimeIndex) -> Fit:
    """Steps of the commonest length, if all others are multiples of it."""
    every = usual_gap(times)
    since = times.asi8 - times.asi8[0]
    return ({"kind": "fixed", "every": every}, since // every) if not (since % every).any() else None


def usual_gap(times: pd.DatetimeIndex) -> int:
    """The commonest difference between sorted times, in nanoseconds; a day where there is but one time."""
    gaps, counts = np.unique(np.diff(times.asi8), return_counts=True)
    return int(gaps[np.argmax(counts)]) if len(gaps) else NANOSECONDS["day"]

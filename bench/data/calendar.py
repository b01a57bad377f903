"""Times as whole steps: read dates, find how often the values come, count on from there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.data.tables import MISSING, shown
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Where = Callable[[int], str]  # a row in words

YEAR = re.compile(r"(\d{4})(?:\.0)?", re.ASCII)
COMPACT_MONTH = re.compile(r"(\d{4})(\d{2})", re.ASCII)
QUARTER = re.compile(r"(\d{4})[- ]?[Qq]([1-4])", re.ASCII)
WEEK = re.compile(r"(\d{4})-?[Ww](\d{2})", re.ASCII)
MONTH_FIRST = re.compile(r"(\d{1,2})[./-](\d{4})", re.ASCII)
YEAR_FIRST = re.compile(r"\d{4}[-/]?\d{1,2}([-/]?\d{1,2}([T ].*)?)?", re.ASCII)
DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ](.*))?", re.ASCII)
OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)", re.ASCII)
#: what nothing but a time looks like; a year alone may be any number
UNMISTAKABLE = re.compile(r"\d{4}[-/]\d{1,2}(?:[-/]\d{1,2}(?:[T ].*)?)?|\d{1,2}([./-])\d{1,2}\1\d{4}(?:[T ].*)?|"
                          r"\d{4}[- ]?[Qq][1-4]|\d{4}-?[Ww]\d{2}", re.ASCII)  # fmt: skip
NAMED_MONTHS = ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y", "%b %Y", "%b-%Y",
                "%d %B %Y", "%d-%B-%Y", "%B %d, %Y", "%B %d %Y", "%B %Y")  # fmt: skip

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


def are_times(texts: Sequence[str]) -> bool:
    """Whether texts, those that are missing aside, are all times and cannot be anything else."""
    found = [text for text in texts if text.lower() not in MISSING]
    return bool(found) and all(UNMISTAKABLE.fullmatch(text) for text in found)


def read_times(texts: Sequence[str], column: str, where: Where) -> tuple[pd.DatetimeIndex, str]:
    """Times of a column, those with offsets in UTC unless their clock time is the regular one; and how to write them.

    Raises UsageError with the line of a text that is no date, of a day that may be a month, and of an offset that
    others lack.
    """
    import pandas as pd

    aware = [bool(OFFSET.search(text)) or text.endswith("Z") for text in texts]
    if any(aware) != all(aware):
        row = aware.index(not aware[0])
        raise UsageError(f"{where(row)}, column {column!r}: {shown(texts[row])} is the first with"
                         f"{'out' if aware[0] else ''} a time zone: give all of them one, or none")  # fmt: skip
    iso = in_iso_order(texts, column, where)
    times = pd.to_datetime(pd.Series(iso), format="ISO8601", utc=True, errors="coerce")
    if times.isna().any():
        row = int(np.flatnonzero(times.isna())[0])
        raise UsageError(f"{where(row)}, column {column!r}: {shown(texts[row])} is no date from 1678 to 2261: "
                         "write it as 2024-01-31")  # fmt: skip
    index = pd.DatetimeIndex(times).as_unit("ns")
    if not all(aware):
        index = index.tz_localize(None)
    elif best_fit(index) is None and best_fit(clock := clock_times(iso)) is not None:
        index = clock  # days or months across a change to summer time
    if all(YEAR.fullmatch(text) for text in texts):
        return index, "%Y"
    return index, "%Y-%m-%d" if (index == index.normalize()).all() and index.tz is None else ""


def clock_times(iso: Sequence[str]) -> pd.DatetimeIndex:
    """The times without their offsets, as a clock on the wall showed them."""
    import pandas as pd

    bare = [re.sub(r"\s*(?:Z|[+-]\d\d(?::?\d\d)?)$", "", text) if ":" in text else text for text in iso]
    return pd.DatetimeIndex(pd.to_datetime(pd.Series(bare), format="ISO8601", errors="coerce")).as_unit("ns")


def in_iso_order(texts: Sequence[str], column: str, where: Where) -> list[str]:
    """Year, month and day in this order. Raises UsageError where day and month cannot be told apart."""
    if all(DAY_OR_MONTH_FIRST.fullmatch(text) for text in texts):
        return day_and_month(texts, column, where)
    if any(any(letter.isalpha() for letter in text.strip("TZtz")) for text in texts):
        texts = named_months(texts)
    return [year_first(text) for text in texts]


def year_first(text: str) -> str:
    """One date as ISO 8601 writes it; what is none becomes a text that is refused later."""
    if match := QUARTER.fullmatch(text):
        return f"{match[1]}-{3 * int(match[2]) - 2:02}-01"
    if match := WEEK.fullmatch(text):
        return monday(int(match[1]), int(match[2]))
    if match := MONTH_FIRST.fullmatch(text):
        return f"{match[2]}-{int(match[1]):02}-01"
    if match := YEAR.fullmatch(text):
        return f"{match[1]}-01-01"
    if match := COMPACT_MONTH.fullmatch(text):
        return f"{match[1]}-{match[2]}-01"
    return text.replace("/", "-") if YEAR_FIRST.fullmatch(text) else "no date"


def monday(year: int, week: int) -> str:
    """The first day of a week as ISO 8601 counts them."""
    with contextlib.suppress(ValueError):
        return date.fromisocalendar(year, week, 1).isoformat()
    return "no date"


def day_and_month(texts: Sequence[str], column: str, where: Where) -> list[str]:
    """Dates that end with the year: points mean that the day comes first; else a number above 12 has to tell."""
    parts = [match.groups() for text in texts if (match := DAY_OR_MONTH_FIRST.fullmatch(text))]
    firsts, seconds = [int(part[0]) for part in parts], [int(part[2]) for part in parts]
    day_first = parts[0][1] == "." or max(firsts) > 12
    if not day_first and max(seconds) <= 12 and firsts != seconds:
        raise UsageError(f"{where(0)}, column {column!r}: in {shown(texts[0])} day and month may be either: "
                         "write it as 2024-01-31")  # fmt: skip
    order = (2, 0) if day_first else (0, 2)
    return [
        f"{part[3]}-{int(part[order[0]]):02}-{int(part[order[1]]):02}" + (f"T{part[4]}" if part[4] else "")
        for part in parts
    ]


def named_months(texts: Sequence[str]) -> list[str]:
    """Dates with the month's name as ISO 8601; as they are where no pattern fits them all."""
    import pandas as pd

    for pattern in NAMED_MONTHS:
        times = pd.to_datetime(pd.Series(list(texts)), format=pattern, errors="coerce")
        if not times.isna().any():
            return [str(time.date()) for time in times]
    return list(texts)


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

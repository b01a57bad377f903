"""Texts as times: which forms are dates, and what each of them says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from bench.data.calendar import Where, best_fit
from bench.data.tables import MISSING, shown
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


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

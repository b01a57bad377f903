"""The forms in which people write times, each as a function that turns a text into ISO 8601, or None.

A form may need the whole column: whether 01/02/2024 is in January is for `bench.data.dates` to find out.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

Form = Callable[[str], str | None]

PIVOT = 40  # years of two digits up to this are of this century
FIRST_YEAR, LAST_YEAR = 1678, 2261  # of times in nanoseconds

CLOCK = r"(?:(?:T|,?\s|:)\s*(?P<clock>\d{1,2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?\s*(?:[AaPp]\.?\s?[Mm]\.?)?)" \
        r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"  # fmt: skip
PLAIN_CLOCK = re.compile(r"(\d{1,2})(?::?(\d{2})(?::?(\d{2}(?:[.,]\d+)?))?)?\s*([AaPp]?)", re.ASCII)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FULL_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
               "november", "december")  # fmt: skip
WEEKDAYS = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)

YEAR_MONTH_DAY = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})" + CLOCK, re.ASCII)
YEAR_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|(\d{2})|\s?-?[Mm](\d{1,2})|:(\d{2}))", re.ASCII)
MONTH_YEAR = re.compile(r"[Mm]?(\d{1,2})[-/. ](\d{4})", re.ASCII)
QUARTER = re.compile(r"(\d{4})[-/: ]{0,3}(?:[Qq]|Quarter\s?)([1-4])|"
                     r"(?:[Qq]|Quarter\s?)([1-4])[-/: ]{0,3}'?(\d{4}|\d{2})|"
                     r"([1-4])[Qq][-/: ]?'?(\d{4}|\d{2})|(\d{4}):([1-4])", re.ASCII)  # fmt: skip
HALF = re.compile(r"(\d{4})[- ]?[HhSs]([12])|[HhSs]([12])[- ]?(\d{4})", re.ASCII)
WEEK = re.compile(r"(\d{4})[- ]?[Ww](\d{1,2})(?:-([1-7]))?|[Ww](?:eek\s?)?(\d{1,2})[-/ ,]+(\d{4})", re.ASCII)
YEAR = re.compile(r"(\d{4})(?:\.0)?", re.ASCII)
PARTS = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})" + CLOCK, re.ASCII)


def clock_of(text: str | None, zone: str | None) -> tuple[str, int] | None:
    """Write a time of day as ISO 8601, with its offset, and count the days later: 24:00 is the next day's 00:00."""
    if text is None:
        return "", 0
    found = PLAIN_CLOCK.match(text)
    assert found
    hour, minute, second, half = found.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (half in "Pp")
    if hours > 24 or int(minute or 0) > 59 or (hours == 24 and int(minute or 0)):
        return None
    offset = {"UTC": "Z", "GMT": "Z"}.get(zone or "", zone or "")
    return f"T{hours % 24:02}:{minute or '00'}:{(second or '00').replace(',', '.')}{offset}", hours // 24


def iso(year: int, month: int, day: int, clock: str | None = None, zone: str | None = None) -> str | None:
    """Return a time as ISO 8601; None where there is no such day."""
    with contextlib.suppress(ValueError):
        time = clock_of(clock, zone)
        if time is not None and FIRST_YEAR <= year <= LAST_YEAR:
            return f"{(date(year, month, day) + timedelta(days=time[1])).isoformat()}{time[0]}"
    return None


def century(year: str) -> int:
    """Return a year of four digits, or of two."""
    return int(year) + (0 if len(year) > 2 else 2000 if int(year) <= PIVOT else 1900)


def year_month_day(text: str) -> str | None:
    """2024-01-31, 2024/1/31, 2024.01.31, 20240131, each with a time of day or without."""
    found = YEAR_MONTH_DAY.fullmatch(text)
    if not found or (not found[2] and len(found[3] + found[4]) != 4):
        return None
    return iso(int(found[1]), int(found[3]), int(found[4]), found["clock"], found["zone"])


def year_month(text: str) -> str | None:
    """2024-01, 2024/01, 202401, 2024M01, 2024:01."""
    found = YEAR_MONTH.fullmatch(text)
    return iso(int(found[1]), int(found[2] or found[3] or found[4] or found[5]), 1) if found else None


def is_financial_year(text: str) -> bool:
    """Say whether it is one as in 2001/02 and 2009-10: as months, such texts would come every thirteen."""
    found = re.fullmatch(r"(\d{4})[-/](\d{2})", text, re.ASCII)
    return found is not None and int(found[2]) == (int(found[1]) + 1) % 100


def month_year(text: str) -> str | None:
    """01/2024, M01 2024."""
    found = MONTH_YEAR.fullmatch(text)
    return iso(int(found[2]), int(found[1]), 1) if found else None


def quarter(text: str) -> str | None:
    """2024Q1, 2024-Q1, Q1 2024, 1Q2024, 2024:1."""
    found = QUARTER.fullmatch(text)
    if not found:
        return None
    year = found[1] or found[4] or found[6] or found[7]
    return iso(century(year), 3 * int(found[2] or found[3] or found[5] or found[8]) - 2, 1)


def half(text: str) -> str | None:
    """2024H1, S1 2024."""
    found = HALF.fullmatch(text)
    return iso(int(found[1] or found[4]), 6 * int(found[2] or found[3]) - 5, 1) if found else None


def week(text: str) -> str | None:
    """2024-W05, 2024W05, 2024-W05-1, W05 2024: the first day of a week as ISO 8601 counts them, or the day named."""
    found = WEEK.fullmatch(text)
    if not found:
        return None
    with contextlib.suppress(ValueError):
        return date.fromisocalendar(
            int(found[1] or found[5]), int(found[2] or found[4]), int(found[3] or 1)
        ).isoformat()
    return None


def year(text: str) -> str | None:
    """2024."""
    found = YEAR.fullmatch(text)
    return iso(int(found[1]), 1, 1) if found else None


def compact(text: str) -> str | None:
    """2024013105, 202401310530 and 20240131053000: hours, minutes, seconds behind the day."""
    if not re.fullmatch(r"(?:19|20)\d{8}(?:\d\d){0,2}", text, re.ASCII):
        return None
    return iso(int(text[:4]), int(text[4:6]), int(text[6:8]), text[8:], None)


def year_day(text: str) -> str | None:
    """2024032: the day of a year."""
    if not re.fullmatch(r"(?:19|20)\d{5}", text, re.ASCII):
        return None
    with contextlib.suppress(ValueError):
        return datetime.strptime(text, "%Y%j").date().isoformat()
    return None


def year_week(text: str) -> str | None:
    """202405, 2024-05, 2024/5: the week of a year, where a column's name or its rhythm says so."""
    found = re.fullmatch(r"((?:19|20)\d\d)[-/ ]?(\d{1,2})", text, re.ASCII)
    return week(f"{found[1]}-W{found[2]}") if found else None


def three_parts(first: str, second: str, third: str) -> Form:
    """Return days, months and years in an order, as in 31/1/24: the names d, m and y say which is where."""

    def form(text: str) -> str | None:
        found = PARTS.fullmatch(text)
        if not found:
            return None
        parts = dict(zip((first, second, third), (found[1], found[3], found[4]), strict=True))
        if third != "y" and len(parts["y"]) + len(found[4]) != 4:
            return None
        return iso(century(parts["y"]), int(parts["m"]), int(parts["d"]), found["clock"], found["zone"])

    form.__doc__ = f"{first}/{second}/{third}"
    return form


def month_number(word: str) -> int | None:
    """Return the month that a word names: jan, Sept., January."""
    low = word.lower().rstrip(".")
    low = "sep" if low == "sept" else low
    for names in (MONTHS, FULL_MONTHS):
        if low in names:
            return names.index(low) + 1
    return None


def named_month(text: str) -> str | None:
    """31 Jan 2024, Jan 31, 2024, 31-Jan-24, Jan-24, January-2024, 2024 Jan, Monday, 1 January 2024, 1:30 PM."""
    body, clock, zone = WEEKDAYS.sub("", text), None, None
    if found := re.search(r"[T\s,]\s*(\d{1,2}:\d{2}.*|\d{1,2}\s*[AaPp]\.?[Mm]\.?)$", body):
        tail = re.fullmatch(CLOCK, " " + found[1])
        if tail is None:
            return None
        body, clock, zone = body[: found.start()], tail["clock"], tail["zone"]
    words = [word for word in re.split(r"[\s\-/.,'’]+|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z]{3})", body) if word]
    words = [re.sub(r"^(\d{1,2})(?:st|nd|rd|th)$", r"\1", word) for word in words]
    places = [place for place, word in enumerate(words) if month_number(word)]
    rest = [word for word in words if word.isdecimal()]
    if len(places) != 1 or len(rest) != len(words) - 1 or not 1 <= len(rest) <= 2:
        return None
    month = month_number(words[places[0]])
    assert month
    if len(rest) == 1:
        if len(rest[0]) == 4 or (len(rest[0]) == 2 and (places[0] == 0 or int(rest[0]) > 31)):
            return iso(century(rest[0]), month, 1, clock, zone)
        return None
    first, last = rest
    day, when = (last, first) if len(first) == 4 else (first, last)
    return iso(century(when), month, int(day), clock, zone) if len(when) in (2, 4) and len(day) <= 2 else None


def strptime(pattern: str) -> Form:
    """Return a form of the user's."""

    def form(text: str) -> str | None:
        try:
            return datetime.strptime(text, pattern).isoformat()
        except ValueError:
            return None

    return form


#: forms that are told by their look alone: nothing but a time is written so
UNMISTAKABLE: dict[str, Form] = {
    "year-month-day": year_month_day, "quarter": quarter, "half": half, "week": week, "named month": named_month,
    "year-month": year_month,
}  # fmt: skip
#: days and months in any order, for texts with marks between; which of them is for the rhythm to say
ORDERS: dict[str, Form] = {
    "day-month-year": three_parts("d", "m", "y"), "month-day-year": three_parts("m", "d", "y"),
    "year-month-day": three_parts("y", "m", "d"),
}  # fmt: skip

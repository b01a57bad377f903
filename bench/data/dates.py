"""Texts as times: which form a column is written in, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.data import date_forms
from bench.data.date_forms import ORDERS, UNMISTAKABLE, Form
from bench.data.numbers import MISSING, shown
from bench.data.readings import EARLIEST, Reading, local_days, of_decimal_years, of_excel, of_unix, pattern_of
from bench.data.rhythms import best_fit
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Where = Callable[[int], str]  # a row in words

OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)", re.ASCII)
DECIMAL_YEAR = re.compile(r"\d{4}(?:[.,]\d+)?", re.ASCII)
GAPLESS = 7  # numbers without a gap that are more than chance
#: what --dates takes besides a format
WORDS = ("day-first", "month-first", "year-first", "unix", "excel", "decimal-year", "number")


def looks_dated(text: str) -> bool:
    """Return whether a text is a time and cannot be anything else; numbers may be."""
    if text.isdecimal() or not any(letter.isdecimal() for letter in text):
        return False
    if re.fullmatch(r"\d+[.,]\d+", text, re.ASCII):
        return False
    text = " ".join(text.split())
    return any(form(text) for form in (*UNMISTAKABLE.values(), *ORDERS.values())) or bool(
        date_forms.month_year(text) if "/" in text or "-" in text else None
    )


def mostly_times(texts: Sequence[str]) -> bool:
    """Return whether at least half of the texts, those that are missing aside, are times and nothing else."""
    found = {text for text in texts if text.lower() not in MISSING}
    return bool(found) and 2 * sum(map(looks_dated, found)) >= len(found)


def weeks_by_name(column: str, texts: Sequence[str]) -> bool:
    """Return whether a column is called by weeks and holds them: 2024-05 and 202405 are months elsewhere."""
    called = re.search(r"week|woche|\b(?:wk|kw|cw)\b", column, re.IGNORECASE)
    return bool(called) and all(date_forms.year_week(text) for text in set(texts))


def numeric_times(texts: Sequence[str], by_name: bool) -> bool:
    """Return whether plain numbers are times: 20240131, Unix times, years and months without a gap, and parts of years.

    by_name: whether the column is called like one of times, so that any reading at an even rhythm will do.
    """
    found = sorted({re.sub(r"\.0+$", "", text) for text in texts})
    if len(found) < 3 or not all(re.fullmatch(r"\d+(?:[.,]\d+)?", text, re.ASCII) for text in found):
        return False
    if all(len(text) == 8 and date_forms.year_month_day(text) for text in found):
        return True
    fits = [best_fit(reading.index) for reading in of_numbers(found) if reading is not None]
    if by_name or {len(text) for text in found} <= {9, 10, 13, 16, 19} or any(set(text) & {".", ","} for text in found):
        return any(fits) and float(found[0].replace(",", ".")) > 1600
    gapless = any(fit is not None and fit.missing == 0 for fit in fits)
    digits = len(found[0])
    counted = len(set(np.diff([int(text) for text in found]))) == 1  # 2024001, 2024002: may be numbers of anything
    return gapless and len(found) > GAPLESS and (digits in (4, 6) or (digits in (7, 8) and not counted))


def read_times(texts: Sequence[str], column: str, where: Where, stated: str = "") -> Reading:
    """Return times of a column, those with offsets in UTC unless their clock time is the more regular one.

    Raises UsageError with the line of a text that is no time, of a day that may be a month, and of an offset that
    others lack.
    """
    import pandas as pd

    codes, distinct = pd.factorize(np.array([" ".join(text.split()) for text in texts], dtype=object))
    row_of = np.unique(codes, return_index=True)[1]
    found = read_distinct(list(distinct), column, lambda place: where(int(row_of[place])), stated)
    return Reading(found.index[codes], found.pattern)


def read_distinct(texts: list[str], column: str, where: Where, stated: str) -> Reading:
    """Return the same for texts that are all different."""
    if not stated and weeks_by_name(column, texts) and (weeks := read_as({"": date_forms.year_week}, texts)):
        return weeks
    if stated:
        readings = [reading for reading in of_stated(texts, stated)]
    elif all(re.fullmatch(r"\d+(?:[.,]\d+)?", text, re.ASCII) for text in texts):
        readings = [reading for reading in of_numbers(texts) if reading is not None]
    else:
        readings = of_forms(texts, column, where)
    if not readings:
        raise no_date(texts, column, where, stated)
    if len(readings) == 1:
        return readings[0]
    fitting = [reading for reading in readings if best_fit(reading.index) is not None]
    if len(fitting) == 1:
        return fitting[0]
    different = [reading for reading in readings if not reading.index.equals(readings[0].index)]
    if not different:
        return readings[0]
    raise UsageError(f"{where(0)}, column {column!r}: in {shown(texts[0])} day and month may be either: --dates "
                     "day-first, month-first or year-first says which, or write it as 2024-01-31")  # fmt: skip


def of_stated(texts: list[str], stated: str) -> list[Reading]:
    """Return the readings that --dates leaves open."""
    orders = {"day-first": "day-month-year", "month-first": "month-day-year", "year-first": "year-month-day"}
    if stated in orders:
        forms = {name: form for name, form in UNMISTAKABLE.items() if name != "year-month-day"}
        return [reading] if (reading := read_as({**forms, "": ORDERS[orders[stated]]}, texts)) else []
    plain = [text.replace(",", ".") for text in texts]
    if stated in ("unix", "excel", "decimal-year"):
        if not all(re.fullmatch(r"-?\d+(?:\.\d+)?", text, re.ASCII) for text in plain):
            return []
        found = {"unix": of_unix, "excel": of_excel, "decimal-year": of_decimal_years}[stated](plain)
        return [found] if found else []
    if "%" not in stated:
        raise UsageError(f"--dates {stated!r}: needed a format such as %d/%m/%Y, or one of {', '.join(WORDS)}")
    reading = read_as({"": date_forms.strptime(stated)}, texts)
    return [reading] if reading else []


def reads(texts: Sequence[str], stated: str) -> bool:
    """Return whether all texts are times as --dates says."""
    if "%" not in stated:
        return False
    form = date_forms.strptime(stated)
    return all(form(" ".join(text.split())) is not None for text in set(texts))


def of_forms(texts: list[str], column: str, where: Where) -> list[Reading]:
    """Return the readings of texts that are not all plain numbers."""
    one_zone(texts, column, where)
    if len(texts) > 1 and all(map(date_forms.is_financial_year, texts)):
        return []
    unmistakable = read_as({**UNMISTAKABLE, "month-year": date_forms.month_year}, texts)
    if unmistakable:
        return [unmistakable] if not days_without_year(texts) else []
    marks = {found[2] for text in texts if (found := date_forms.PARTS.fullmatch(text))}
    names = list(ORDERS) if marks in ({"-"}, {"/"}) else list(ORDERS)[:1] if marks == {"."} else list(ORDERS)[:2]
    readings = [reading for name in names if (reading := read_as({name: ORDERS[name]}, texts))]
    if not readings and marks:
        readings = [reading] if (reading := read_as({"": ORDERS["year-month-day"]}, texts)) else []
    return readings


def days_without_year(texts: Sequence[str]) -> bool:
    """Return whether Jan-14 and the like are days of one year, whose year is missing, and not months of years."""
    import pandas as pd

    parts = [re.fullmatch(r"([A-Za-z]{3,9})\.?[-/ ](\d{1,2})", text) for text in texts]
    if not all(parts) or len(texts) < 3:
        return False
    days = [date_forms.named_month(f"{part[1]} {part[2]} 2000") for part in parts if part]
    if any(day is None for day in days):
        return False
    index = pd.DatetimeIndex(pd.to_datetime(pd.Series(days)))
    fit = best_fit(index)
    return fit is not None and fit.missing == 0 and fit.name == "daily"


def read_as(forms: dict[str, Form], texts: Sequence[str]) -> Reading | None:
    """Return all texts by the first form that reads all of them; None where none does."""
    for form in forms.values():
        if form(texts[0]) is None and form(texts[-1]) is None:
            continue
        times = [form(text) for text in texts]
        if all(times):
            return of_iso([time for time in times if time])
    return None


def of_iso(iso: list[str]) -> Reading | None:
    """Return times in ISO 8601; in local time where they have offsets and the clock on the wall misses fewer steps."""
    import pandas as pd

    aware = bool(OFFSET.search(iso[0])) or iso[0].endswith("Z")
    times = pd.to_datetime(pd.Series(iso), format="ISO8601", utc=True, errors="coerce")
    if times.isna().any():
        return None
    index = pd.DatetimeIndex(times).as_unit("ns")
    if not aware:
        index = index.tz_localize(None)
    else:
        # days, months or sessions across a change to summer time: by the clock on the wall
        readings = [index, clock_times(iso), *([days] if (days := local_days(index)) is not None else [])]
        fits = [best_fit(reading) for reading in readings]
        missing = [fit.missing if fit else np.inf for fit in fits]
        index = readings[int(np.argmin(missing))]
    return Reading(index, pattern_of(index))


def clock_times(iso: Sequence[str]) -> pd.DatetimeIndex:
    """Return the times without their offsets, as a clock on the wall showed them."""
    import pandas as pd

    bare = [re.sub(r"\s*(?:Z|[+-]\d\d(?::?\d\d)?)$", "", text) if ":" in text else text for text in iso]
    return pd.DatetimeIndex(pd.to_datetime(pd.Series(bare), format="ISO8601", errors="coerce")).as_unit("ns")


def of_numbers(texts: list[str]) -> list[Reading | None]:
    """List the likely readings of plain numbers: dates without marks, years, Unix times, Excel's days."""
    whole = [re.sub(r"\.0+$", "", text) for text in texts]
    if all(map(str.isdecimal, whole)):
        if (years := read_as({"": date_forms.year}, whole)) is not None:
            return [replace(years, pattern="%Y")]
        for form in (date_forms.year_month, date_forms.year_month_day, date_forms.compact, date_forms.year_day):
            if (reading := read_as({"": form}, whole)) is not None:
                return [reading]
        if found := of_digits(whole):
            return found
    elif (reading := read_as({"": date_forms.month_year}, texts)) is not None:
        return [reading]
    plain = [text.replace(",", ".") for text in texts]
    values = np.array(plain, dtype=float)
    if values.min() >= EARLIEST:
        return [of_unix(plain)]
    if (values > 1600).all() and (values < 2200).all() and any(values % 1):
        return [of_decimal_years(plain)]
    if (values >= 10_000).all() and (values < 100_000).all():
        return [of_excel(plain)]
    return []


def of_digits(texts: list[str]) -> list[Reading | None]:
    """List what else six or eight digits may be, where that comes at even steps: weeks of years, 240131, 31012024."""
    weeks = read_as({"": date_forms.year_week}, texts)
    fit = best_fit(weeks.index) if weeks else None
    if fit is not None and fit.name == "weekly":
        return [weeks]
    readings = [read_as({"": date_forms.strptime(pattern)}, texts) for pattern in ("%y%m%d", "%d%m%Y", "%m%d%Y")
                if all(len(text) == (6 if "y" in pattern else 8) for text in texts)]  # fmt: skip
    return [reading for reading in readings if reading and best_fit(reading.index) is not None]


def one_zone(texts: Sequence[str], column: str, where: Where) -> None:
    """Raise UsageError where some texts have an offset and others none."""
    aware = [bool(OFFSET.search(text)) or bool(re.search(r"\d(?:Z| ?UTC| ?GMT)$", text)) for text in texts]
    if any(aware) != all(aware):
        row = aware.index(not aware[0])
        raise UsageError(f"{where(row)}, column {column!r}: {shown(texts[row])} is the first with"
                         f"{'out' if aware[0] else ''} a time zone: give all of them one, or none")  # fmt: skip


def no_date(texts: Sequence[str], column: str, where: Where, stated: str) -> UsageError:
    """Return the error for a text that the form of most others does not read."""
    forms = [date_forms.strptime(stated)] if "%" in stated else [*UNMISTAKABLE.values(), *ORDERS.values()]
    forms += [] if stated else [date_forms.month_year, date_forms.year, date_forms.compact]
    read = [np.array([form(text) is not None for text in texts]) for form in forms]
    best = max(read, key=lambda one: int(one.sum()))
    place = int(np.argmin(best))
    if days_without_year(texts):
        return UsageError(f"{where(0)}, column {column!r}: {shown(texts[0])} is a day without a year: write it as "
                          "2024-01-31, or keep the order of the rows with --time -")  # fmt: skip
    if not stated and best.any() and not best[place] and any(form(texts[place]) for form in forms):
        other = shown(texts[int(np.argmax(best))])
        return UsageError(f"{where(place)}, column {column!r}: {shown(texts[place])} is a date in another form than "
                          f"{other}: write all in one form, as 2024-01-31")  # fmt: skip
    how = f"written as --dates {stated} says" if stated else "from 1678 to 2261"
    return UsageError(f"{where(place)}, column {column!r}: {shown(texts[place])} is not a date {how}: write it as "
                      "2024-01-31, or say --dates FORMAT, as in --dates %d/%m/%Y")  # fmt: skip

"""Series from a file: what is read, what is refused and with which words."""

from __future__ import annotations

import io
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from series_files import content

from bench.data.series import SeriesSet, read_series
from bench.errors import UsageError
from bench.schema.series import Reading

UNITS = Reading(target=("units",))


def read(text: str | bytes, **how: object) -> SeriesSet:
    content = text.encode() if isinstance(text, str) else text
    return read_series(content, Reading(**{"target": ("units",), **how}))


def values(found: SeriesSet) -> list[float]:
    (series,) = found.series
    return series.values[:, 0].tolist()


def dated(days: list[str], first: int = 1) -> str:
    return "date,units\n" + "".join(f"{day},{first + place}\n" for place, day in enumerate(days))


GOOD = {
    "plain": "units\n1\n2\n3\n",
    "byte-order mark": b"\xef\xbb\xbfunits\n1\n2\n3\n",
    "UTF-16": "\ufeffunits\n1\n2\n3\n".encode("utf-16-le"),
    "semicolons": "units;other\n1;a\n2;b\n3;c\n",
    "tabs": "other\tunits\na\t1\nb\t2\nc\t3\n",
    "bars and spaces": " other | units \n a | 1 \n b | 2 \n c | 3 \n",
    "decimal commas": "other;units\na;1,0\nb;2,0\nc;3\n",
    "carriage returns": "units\r1\r2\r3\r",
    "line ends of Windows": "units\r\n1\r\n2\r\n3\r\n",
    "empty lines": "\n\nunits,\n1,\n\n2,\n,\n3,\n\n",
    "no end of line": "units\n1\n2\n3",
    "quotes and a line break in them": 'note,units\n"a, ""b""\nc",1\nd,"2"\ne,3\n',
    "exponents and signs": "units\n+1e0\n.2E1\n3.\n",
    "unsorted": "date,units\n2024-01-03,3\n2024-01-01,1\n2024-01-02,2\n",
    "names of columns in another case": "DATE,units\n2024-01-02,2\n2024-01-03,3\n2024-01-01,1\n",
    "day first": dated(["30.01.2024", "31.01.2024", "01.02.2024"]),
    "month first": dated(["01/30/2024", "01/31/2024", "02/01/2024"]),
    "names of months": dated(["Jan 2024", "Feb 2024", "Mar 2024"]),
    "months first": dated(["12/2023", "01/2024", "02/2024"]),
    "weeks": dated(["2020-W52", "2020-W53", "2021-W01"]),
    "dates under any name": "Datum;units\n2.01.2024;2\n3.01.2024;3\n1.01.2024;1\n",
    "quarters": dated(["2023Q4", "2024Q1", "2024Q2"]),
    "years as numbers": dated(["1700.0", "1701.0", "1702.0"]),
    "last days of months": dated(["2024-01-31", "2024-02-29", "2024-03-31"]),
    "one offset": dated([f"2024-01-0{day}T00:00:00+01:00" for day in (1, 2, 3)]),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_what_people_have(content):
    assert values(read(content)) == [1, 2, 3]


BAD = {
    "empty": ("", "the data: the file is empty"),
    "names only": ("units\n", "the data: there is no row below the names"),
    "no names": ("1,2\n3,4\n", "line 1: got '1', needed the names of the columns"),
    "unknown column": ("unit\n1\n", "--target: unknown column of the data 'units': did you mean unit?"),
    "two columns of one name": ("units,units\n1,2\n", "has 2 columns named 'units', needed one"),
    "text in numbers": ("units\n1\n12 kg\n", "the data, line 3, column 'units': '12 kg' is not a number"),
    "text after a line break in quotes": ('note,units\n"a\nb",1\nc,x\n', "line 4, column 'units': 'x' is not a number"),
    "thousands": ('units\n"1,234"\n', "line 2, column 'units': in '1,234' the comma may mark thousands or decimals"),
    "two decimal marks": ("a;units\n1;1,5\n1;1.5\n", "line 3, column 'units': '1.5' has a point, other cells a comma"),
    "infinite": ("units\n1\ninf\n", "line 3, column 'units': 'inf' is not a number"),
    "too large": ("units\n1\n1e400\n", "line 3, column 'units': inf is too large"),
    "missing": ("units\n1\n\n2\nNA\n3\n", "line 5, column 'units': the value is missing: fill it in, or choose"),
    "few cells": ("a,units\n1,2\n3\n", "line 3: got 1 cells, needed 2 as in the first line"),
    "open quote": ('units\n1\n"2\n', "line 3: unexpected end of data"),
    "not text": (b"units\n1\n\xff\n", "line 3: byte 0xff is not UTF-8"),
    "zero byte": (b"units\n1\n\0\n", "line 3: a zero byte"),
    "no date": (dated(["2024-01-01", "yesterday"]), "column 'date': 'yesterday' is not a time: --skip-footer 1"),
    "no such week": (dated(["2021-W52", "2021-W53"]), "line 3, column 'date': '2021-W53' is not a date"),
    "two columns of dates": ("sold,paid,units\n2024-01-01,2024-02-01,1\n2024-01-02,2024-02-02,2\n",
                             "the columns 'sold', 'paid' hold dates: --time says which"),
    "gap in dates under any name": ("Tag,units\n2024-01-01,1\n2024-01-02,2\n2024-01-04,4\n",
                                    "linear, last, seasonal or zero; --time - keeps the order of the rows"),
    "workbook": (b"PK\x03\x04\0", "the data: got a workbook or a ZIP archive, needed CSV or Parquet"),
    "compressed": (b"\x1f\x8b\x08\0", "the data: got a compressed file, needed CSV or Parquet"),
    "no such day": (dated(["2024-02-28", "2024-02-30"]), "line 3, column 'date': '2024-02-30' is not a date"),
    "day or month": (dated(["01/02/2024", "01/03/2024"]), "in '01/02/2024' day and month may be either"),
    "no time": ("date,units\n2024-01-01,1\n,2\n", "line 3, column 'date': '' is not a time: --skip-footer 1"),
    "one time zone": (dated(["2024-01-01T00:00Z", "2024-01-02T00:00"]), "'2024-01-02T00:00' is the first without"),
    "duplicate": (dated(["2024-01-01", "2024-01-02", "2024-01-01"]), "line 4: the same time as in line 2"),
    "gap": (dated(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06", "2024-01-07"]),
            "line 4: the row after it, for 2024-01-04, is missing (values come daily), one of 2"),
    "no rhythm": (dated(["2024-01-01", "2024-01-02", "2024-01-05", "2024-03-07T10:11", "2024-04-08"]),
                  "values have to come at even steps"),
    "bad Parquet": (b"PAR1 and then nothing", "not a Parquet file that can be read"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_is_refused(content, message):
    with pytest.raises(UsageError) as caught:
        read(content)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("impute", "filled"),
    [({"impute": "linear"}, [1, 2, 3, 4, 5, 6]), ({"impute": "last"}, [1, 2, 3, 3, 3, 6]),
     ({"impute": "seasonal", "season": 2}, [1, 2, 3, 2, 3, 6])],
)  # fmt: skip
def test_missing_values_and_rows_are_filled_when_asked(impute, filled):
    text = "date,units\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,\n2024-01-06,6\n"
    found = read(text, **impute)
    assert values(found) == filled and found.imputed == 2
    assert np.flatnonzero(found.series[0].imputed).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "how", "message"),
    [
        ("units\n1\nna\n2\n", {"impute": "seasonal", "season": 2}, "finds no value 2 steps before it"),
        ("units\n1\nna\n", {"impute": "seasonal"}, "--impute seasonal takes the value of a season before"),
        ("units\nna\nna\n", {"impute": "last"}, "every value of 'units' is missing"),
        ("units\n1\n", {"impute": "best"}, "--impute 'best': choose from linear, last, seasonal, zero"),
        ("units\n1\n", {"season": 1}, "--season 1: needed 2 steps or more"),
        ("units,s\n1,a\n", {"wide": True, "group": "s"}, "--wide and --group"),
        ("day,units\n1,2\n", {"target": ()}, "--target: name the column to forecast; the data has units"),
        ("time,units\n2024,2\n", {"target": ("time",), "time": "time"}, "--target 'time': this column is the time"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_met(text, how, message):
    with pytest.raises(UsageError, match=message):
        read(text, **how)


def test_long_files_hold_several_series_and_channels():
    text = "date,shop,units,price\n2024-01-02,a,2,20\n2024-01-01,b,5,50\n2024-01-01,a,1,10\n2024-01-02,b,6,60\n"
    found = read(text, group="shop", target=("units", "price"))
    assert {one.name: one.values.tolist() for one in found.series} == {
        "a": [[1, 10], [2, 20]],
        "b": [[5, 50], [6, 60]],
    }
    assert found.channels == ("units", "price")


def test_wide_files_hold_a_series_in_each_column():
    found = read("year,a1,a2,b\n2001,1,2,x\n2002,3,4,y\n", wide=True, target=("a*",))
    assert [(one.name, one.values.ravel().tolist()) for one in found.series] == [("a1", [1, 3]), ("a2", [2, 4])]


def test_series_that_begin_later_stay_in_step():
    first = "".join(f"2024-01-{day:02},a,1\n" for day in range(1, 11))
    found = read(f"date,shop,units\n{first}2024-01-09,b,1\n2024-01-10,b,2\n", group="shop")
    assert [(one.name, one.start) for one in found.series] == [("a", 0), ("b", 8)]


CALENDARS = {
    "daily": ([date(2024, 2, 27) + timedelta(day) for day in range(6)], "2024-03-04"),
    "weekly": ([date(2024, 1, 1) + timedelta(7 * week) for week in range(6)], "2024-02-12"),
    "on working days": ([date(2024, 3, day) for day in (1, 4, 5, 6, 7, 8)], "2024-03-11"),
    "monthly": ([date(2024, month, 15) for month in range(1, 7)], "2024-07-15"),
    "quarterly": ([date(2023, 3, 31), date(2023, 6, 30), date(2023, 9, 30), date(2023, 12, 31)], "2024-03-31"),
    "yearly": ([date(year, 1, 1) for year in range(2001, 2007)], "2007-01-01"),
    "hourly": ([f"2024-01-01 {hour:02}:00" for hour in range(6)], "2024-01-01T06:00:00"),
    "every 15 minutes": (["2024-01-01T00:15", "2024-01-01T00:30", "2024-01-01T00:45"], "2024-01-01T01:00:00"),
}


@pytest.mark.parametrize("name", CALENDARS)
def test_how_often_values_come_and_when_the_next_one_does(name):
    days, following = CALENDARS[name]
    found = read(dated([str(day) for day in days]))
    assert (found.calendar.name, found.calendar.at(found.series[0].end)) == (name, following)


def test_clock_times_across_a_change_of_offset():
    daily = read(dated([f"2024-03-{day}T00:00:00+0{1 + (day > 30)}:00" for day in range(29, 32)]))
    assert daily.calendar.name == "daily" and daily.calendar.at(3) == "2024-04-01"
    hours = ["01:00:00+01:00", "03:00:00+02:00", "04:00:00+02:00"]
    hourly = read(dated([f"2024-03-31T{hour}" for hour in hours]))
    assert hourly.calendar.name == "hourly" and hourly.calendar.at(3) == "2024-03-31T03:00:00+00:00"


def test_months_and_working_days_of_a_clock_on_the_wall():
    """In UTC a month in Berlin begins on its last day or the one before, at 22 or 23 hours."""
    times = pd.date_range("2024-01-01", periods=24, freq="MS", tz="Europe/Berlin")
    found = read(dated([time.isoformat() for time in times]))
    assert (found.calendar.name, found.calendar.at(24)) == ("monthly", "2026-01-01")
    buffer = io.BytesIO()
    pd.DataFrame({"when": times, "units": range(24)}).to_parquet(buffer)
    assert read(buffer.getvalue()).calendar == found.calendar
    days = pd.date_range("2024-03-25 09:00", periods=10, freq="B", tz="Europe/Berlin").delete(4)
    found = read(dated([day.isoformat() for day in days]), impute="linear")
    assert (found.calendar.name, found.calendar.at(10)) == ("on working days", "2024-04-08T09:00:00")


def test_a_column_of_dates_is_no_target_and_no_group_unless_it_is_said_to_be():
    text = "sold,store,units\n2024-01-02,2024-01-01,2\n2024-01-01,2024-01-01,1\n"
    assert values(read(text, group="store")) == [1, 2]
    assert values(read(text, time="-")) == [2, 1]


def test_parquet_holds_the_same(tmp_path):
    table = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=3), "units": [1, None, 3], "n": [1, 2, 3]})
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    assert values(read(buffer.getvalue(), target=("n",))) == [1, 2, 3]
    with pytest.raises(UsageError, match="the data, row 2, column 'units': the value is missing"):
        read(buffer.getvalue())


@pytest.mark.parametrize(
    ("given", "reading"),
    [
        (content([["1"], ["2"], [""], ["4"]], ","), Reading(target=("a",), impute="linear")),
        (b"PAR1PAR1", UNITS),
    ],
)
def test_what_random_input_once_found(given, reading):
    """tests/faults/test_fuzz.py reads thousands more."""
    try:
        assert read_series(given, reading).series
    except UsageError as error:
        assert str(error).isprintable() and len(str(error)) < 500

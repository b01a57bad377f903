"""The kinds that the trials stand for: forms of dates and numbers, ways to lay out a file, rhythms."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import pandas as pd
import pytest

from bench.data.series import SeriesSet, read_series
from bench.errors import UsageError
from bench.schema.series import Reading

VALUES = [100.25, 104.74, 109.94, 110.21, 107.59, 105.72, 102.61, 96.89, 89.93, 87.47] * 4
DAYS = pd.date_range("2024-01-01", periods=40)
HOURS = pd.date_range("2024-01-25", periods=40, freq="h")
MONTHS = pd.date_range("1982-01-01", periods=40, freq="MS")
QUARTERS = [(1990 + place // 4, place % 4 + 1) for place in range(40)]


def column(times: Iterable[object], values: Iterable[object] = VALUES, names: str = "when,y", mark: str = ",") -> str:
    rows = (f"{time}{mark}{value}" for time, value in zip(times, values, strict=False))
    return "\n".join([names.replace(",", mark), *rows, ""])


def read(text: str | bytes, **how: object) -> SeriesSet:
    content = text.encode() if isinstance(text, str) else text
    return read_series(content, Reading(**{"target": ("y",), **how}))


def following(found: SeriesSet, place: int = 0) -> str:
    return found.calendar.at(found.series[place].end)


DATES = {
    "m/d/yy": ([f"{day.month}/{day.day}/{day:%y}" for day in DAYS], "2024-02-10"),
    "d/m/yy": ([f"{day.day}/{day.month}/{day:%y}" for day in DAYS], "2024-02-10"),
    "dd.mm.yy": (DAYS.strftime("%d.%m.%y"), "2024-02-10"),
    "dd-mm-yyyy": (DAYS.strftime("%d-%m-%Y"), "2024-02-10"),
    "yy-mm-dd": (DAYS.strftime("%y-%m-%d"), "2024-02-10"),
    "yy/mm/dd": (DAYS.strftime("%y/%m/%d"), "2024-02-10"),
    "1-Jan-24": ([f"{day.day}-{day:%b-%y}" for day in DAYS], "2024-02-10"),
    "01JAN2024": ([f"{day:%d%b%Y}".upper() for day in DAYS], "2024-02-10"),
    "Monday, January 1, 2024": ([f'"{day:%A, %B} {day.day}, {day.year}"' for day in DAYS], "2024-02-10"),
    "AM and PM": (HOURS.strftime("%m/%d/%Y %I:%M %p"), "2024-01-26T16:00:00"),
    "ISO with AM and PM": (HOURS.strftime("%Y-%m-%d %I:%M %p"), "2024-01-26T16:00:00"),
    "yyyymmddhh": (HOURS.strftime("%Y%m%d%H"), "2024-01-26T16:00:00"),
    "yyyymmdd hhmm": (HOURS.strftime("%Y%m%d %H%M"), "2024-01-26T16:00:00"),
    "Unix seconds": ([int(day.timestamp()) for day in DAYS], "2024-02-10"),
    "Unix milliseconds": ([int(hour.timestamp() * 1000) for hour in HOURS], "2024-01-26T16:00:00"),
    "Excel's days": ([(day - pd.Timestamp("1899-12-30")).days for day in DAYS], "2024-02-10"),
    "parts of years": ([f"{1949 + place / 12:.4f}" for place in range(40)], "1952-05-01"),
    "parts of years, trimmed": ([f"{1949 + place / 4:g}" for place in range(40)], "1959-01-01"),
    "weeks as parts of years": ([f"{2014 + place / 52:.6f}" for place in range(40)], "2014-10-08"),
    "yyyymm": (MONTHS.strftime("%Y%m"), "1985-05-01"),
    "2014M01": ([f"{2014 + place // 12}M{place % 12 + 1:02}" for place in range(40)], "2017-05-01"),
    "January-2005": (MONTHS.strftime("%B-%Y"), "1985-05-01"),
    "Jan-82": (MONTHS.strftime("%b-%y"), "1985-05-01"),
    "1982 Jan": (MONTHS.strftime("%Y %b"), "1985-05-01"),
    "01/04/1982, monthly": (MONTHS.strftime("%d/%m/%Y"), "1985-05-01"),
    "4/1/1982, monthly": ([f"{month.month}/1/{month.year}" for month in MONTHS], "1985-05-01"),
    "Q1 1990": ([f"Q{quarter} {year}" for year, quarter in QUARTERS], "2000-01-01"),
    "1990:Q1": ([f"{year}:Q{quarter}" for year, quarter in QUARTERS], "2000-01-01"),
    "1Q90": ([f"{quarter}Q{year % 100:02}" for year, quarter in QUARTERS], "2000-01-01"),
    "years": (range(1950, 1990), "1990"),
    "numbers": (range(1, 41), "41"),
}


@pytest.mark.parametrize("form", DATES)
@pytest.mark.parametrize("newest_first", [False, True])
def test_forms_of_dates_in_any_order_of_rows(form: str, newest_first: bool) -> None:
    times, after = DATES[form]
    rows = list(zip(times, VALUES, strict=True))
    rows = rows[::-1] if newest_first else rows
    found = read(column(*zip(*rows, strict=True)))  # type: ignore[arg-type]
    assert (following(found), found.series[0].values[:, 0].tolist()) == (after, VALUES)


@pytest.mark.parametrize(
    ("times", "names", "expected"),
    [
        ([f"24/{month:02}/01" for month in range(1, 13)], "date,y", "day and month may be either"),
        ([f"{year}/{year % 100 + 1:02}" for year in range(2001, 2012)], "fiscal_year,y", "'2001/02' is not a date"),
        ([f"{year}-{(year + 1) % 100:02}" for year in range(1995, 2012)], "season,y", "'1995-96' is not a date"),
        ([f"{month:%B}" for month in reversed(MONTHS[:24])], "month,y", "'December' is no time in a known form"),
        (["Q4", "Q3", "Q2", "Q1"] * 3, "quarter,y", "'Q4' is no time in a known form"),
    ],
)
def test_times_that_say_two_things_or_none_are_refused(times: list[str], names: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        read(column(times, names=names))


PARTS: dict[str, tuple[str, Sequence[Sequence[object]], str]] = {
    "year and month": ("Year,Month", [(month.year, month.month) for month in MONTHS], "1985-05-01"),
    "year and name of month": ("Year,Month", [(month.year, f"{month:%B}") for month in MONTHS], "1985-05-01"),
    "year and quarter": ("year,quarter", QUARTERS, "2000-01-01"),
    "year, month, day, hour": ("No,year,month,day,hour", [(place, hour.year, hour.month, hour.day, hour.hour)
                               for place, hour in enumerate(HOURS)], "2024-01-26T16:00:00"),
    "date and clock": ("Date,Time", [(f"{hour:%d/%m/%Y}", f"{hour:%H.%M.%S}") for hour in HOURS],
                       "2024-01-26T16:00:00"),
    "date and digits of a clock": ("date,time", [(hour.date(), 100 * hour.hour) for hour in HOURS],
                                   "2024-01-26T16:00:00"),
    "date and quarters of hours": ("date,time", [(quarter.date(), 100 * quarter.hour + quarter.minute)
                                                 for quarter in pd.date_range("2024-01-01", periods=40, freq="15min")],
                                   "2024-01-01T10:00:00"),
    "date and hour": ("Date,Hour", [(hour.date(), hour.hour) for hour in HOURS], "2024-01-26T16:00:00"),
}  # fmt: skip


def test_an_hour_that_is_none_is_named() -> None:
    times = [f"{hour.date()},{hour.hour if place else 25}" for place, hour in enumerate(HOURS)]
    with pytest.raises(UsageError, match="line 2, column 'hour': '25' is no hour, needed 0 to 24"):
        read(column(times, names="date,hour,y"))


@pytest.mark.parametrize("layout", PARTS)
def test_times_in_several_columns(layout: str) -> None:
    names, cells, after = PARTS[layout]
    times = [",".join(map(str, one)) for one in cells]
    assert following(read(column(times, names=f"{names},y"))) == after


NUMBERS = {
    "1.234,50": [f"1.{200 + place},50" for place in range(40)],
    "1,234.50": [f"1,{200 + place}.50" for place in range(40)],
    "1 234,5": [f"1\u00a0{200 + place},5" for place in range(40)],
    "1'234.5": [f"1'{200 + place}.5" for place in range(40)],
    "$1,234.5": [f"$1,{200 + place}.5" for place in range(40)],
    "1.234,50 €": [f"1.{200 + place},50 €" for place in range(40)],
    "12.3%": [f"{1200 + place}.5%" for place in range(40)],
    "(1239.5)": [f"({1200 + place}.5)" if place % 2 else f"{1200 + place}.5" for place in range(40)],
    "minus": [f"\u2212{1200 + place}.5" for place in range(40)],
    "minus at the end": [f"{1200 + place}.5-" for place in range(40)],
}


@pytest.mark.parametrize("form", NUMBERS)
def test_forms_of_numbers(form: str) -> None:
    found = read(column(DAYS, NUMBERS[form], mark=";"))
    assert abs(found.series[0].values[-1, 0]) == 1239.5
    assert (found.series[0].values[-1, 0] < 0) == (form in ("(1239.5)", "minus", "minus at the end"))


@pytest.mark.parametrize("mark", [",", "."])
def test_a_mark_that_may_be_either_is_refused_unless_stated(mark: str) -> None:
    text = column(DAYS, [f"1{mark}{200 + place}" if place % 3 else f"{900 + place}" for place in range(41)], mark=";")
    with pytest.raises(UsageError, match=rf"--thousands \{mark} or --decimal \{mark}"):
        read(text)
    assert read(text, thousands=mark).series[0].values[-2:, 0].tolist() == [1238, 939]
    assert read(text, decimal=mark).series[0].values[-2:, 0].tolist() == [1.238, 939]


@pytest.mark.parametrize("others", [DAYS.strftime("%d.%m.%Y"), DAYS.strftime("%d.%m.%y"), ["192.168.10.7"] * 40])
def test_points_in_dates_and_addresses_say_nothing_of_a_mark(others: Iterable[str]) -> None:
    with pytest.raises(UsageError, match=r"the point may mark thousands or decimals"):
        read(column(others, [f"97.{330 + place}" for place in range(40)], names="Datum;y", mark=";"))


def test_a_column_beside_the_target_may_have_decimal_commas() -> None:
    rows = [f"{place};{9 + place},5" for place in range(40)]
    assert following(read(column(DAYS, rows, names="date;y;temp", mark=";"))) == "2024-02-10"


@pytest.mark.parametrize("text", [".", "?", ":", "-", "NA", "n/a", "#N/A", "", "closed"])
def test_marks_of_a_missing_value(text: str) -> None:
    values = [*VALUES[:20], text, *VALUES[21:]]
    found = read(column(DAYS, values), impute="linear", missing=("closed",))
    assert found.imputed == 1 and found.series[0].imputed[20, 0]


LAYOUTS = {
    "sep=;": "sep=;\n" + column(DAYS, mark=";"),
    "comments": "# made by hand\n# units: kWh, daily\n" + column(DAYS),
    "two titles": "Report\nSales, by day\n\n" + column(DAYS),
    "a title with delimiters": "Report,\n" + column(DAYS),
    "a row of units": column(DAYS).replace("when,y\n", "when,y\nyyyy-mm-dd,kWh\n"),
    "delimiters at the ends": column(DAYS).replace("\n", ",\n"),
    "numbers as names of others": column(DAYS, [f"{value},1" for value in VALUES], "when,y,0"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_stands_around_a_table(layout: str) -> None:
    found = read(LAYOUTS[layout])
    assert (following(found), found.series[0].values[:, 0].tolist()) == ("2024-02-10", VALUES)


WAYS_OUT = {
    "--encoding latin-1": column(DAYS).replace("when", "größe").encode("latin-1"),
    "--encoding utf-16": column(DAYS).encode("utf-16-le"),
    "--comment '#'": column(DAYS[:20]) + "# a, gap\n" + column(DAYS[20:]).partition("\n")[2],
    "--skip-footer 1": column(DAYS) + "Source: ourselves\n",
    "--skip-footer 2": column(DAYS) + "\nTotal,12\nAverage,3\n",
    "--no-header": column(DAYS).partition("\n")[2],
    "--duplicates sum": column([*DAYS, DAYS[-1]], [*VALUES, 1]),
    "--impute zero": column([*DAYS[::5], *DAYS[1:3]], VALUES),
    "--rows-are-series": "id," + ",".join(map(str, DAYS.date)) + "\na" + ",1" * 40 + "\n",
    "--missing TEXT": column(DAYS, [*VALUES[:20], "closed", *VALUES[21:]]),
    "--dates day-first": column([f"0{day}/02/2024" for day in range(1, 8)]),
    "--time -": column(["2024-01-01", "2024-01-02 03:04:05", "2024-01-07", "2024-03-07T10:11:12", "2024-04-08"]),
}


@pytest.mark.parametrize("option", WAYS_OUT)
def test_errors_name_the_option_that_helps(option: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(WAYS_OUT[option], **({"target": ()} if option == "--rows-are-series" else {}))
    assert option in str(caught.value) and "\n" not in str(caught.value)


def test_series_in_rows_keep_the_numbers_in_front() -> None:
    found = read("store,1960,1961,1962\n17,1,2,3\n42,4,5,6\n", target=(), rows_are_series=True)
    assert [one.name for one in found.series] == ["17", "42"]


def test_one_row_per_series() -> None:
    m4 = "V1," + ",".join(f"V{place + 2}" for place in range(40)) + "\n"
    m4 += f'"W1",{",".join(map(str, VALUES))}\n"W2",{",".join(map(str, VALUES[:30]))}{"," * 10}\n'
    found = read(m4, target=(), rows_are_series=True)
    assert [(one.name, len(one.values)) for one in found.series] == [("W1", 40), ("W2", 30)]
    bank = '"Source","Bank",\n\n"Country","Code",' + ",".join(f'"{1960 + place}"' for place in range(40)) + ",\n"
    for country, code in (("Aruba", "ABW"), ("Korea, Rep.", "KOR")):
        bank += f'"{country}","{code}",' + ",".join(f'"{value}"' for value in ["", *VALUES[1:]]) + ",\n"
    found = read(bank, target=(), rows_are_series=True)
    assert [(one.name, one.start) for one in found.series] == [("Aruba", 1), ("Korea, Rep.", 1)]
    assert following(found) == "2000"
    days = pd.date_range("2020-01-22", periods=40)
    cases = "Province,Country,Lat," + ",".join(f"{day.month}/{day.day}/{day:%y}" for day in days) + "\n"
    for province, country in (("", "Albania"), ("Victoria", "Australia"), ("Queensland", "Australia")):
        cases += f"{province},{country},1.5,{','.join(map(str, VALUES))}\n"
    found = read(cases, target=(), rows_are_series=True)
    assert {one.name for one in found.series} == {"Albania", "Victoria / Australia", "Queensland / Australia"}
    assert following(found) == "2020-03-02"


def test_lists_in_parquet() -> None:
    buffer = io.BytesIO()
    starts = ["2024-01-01", "2024-01-03"]
    pd.DataFrame({
        "id": ["a", "b"], "timestamp": [list(pd.date_range(start, periods=30)) for start in starts],
        "y": [VALUES[:30], VALUES[:30]],
    }).to_parquet(buffer)  # fmt: skip
    found = read(buffer.getvalue(), group="id")
    assert [(one.name, following(found, place)) for place, one in enumerate(found.series)] == [
        ("a", "2024-01-31"), ("b", "2024-02-02"),
    ]  # fmt: skip


def test_the_index_of_a_data_frame_in_parquet_is_its_time() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"y": VALUES}, index=DAYS).iloc[::-1].to_parquet(buffer)
    assert read(buffer.getvalue()).series[0].values[:, 0].tolist() == VALUES


RHYTHMS = [
    "BME", "BMS", "bh", "SME", "SMS", "B", "W-WED", "2W", "QE", "QS", "BQE", "BYE", "YE-JUN", "30min", "WOM-3FRI", "h",
    "MS", "ME", "2MS", "10D",
]  # fmt: skip


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_rhythms(rhythm: str) -> None:
    times = pd.date_range("2021-01-01", periods=81, freq=rhythm)
    found = read(column(times[:-1], VALUES * 2))
    assert pd.Timestamp(following(found)) == times[-1] and found.imputed == 0


@pytest.mark.parametrize("days", ["Mon Tue Wed Thu Fri Sat", "Sun Mon Tue Wed Thu", "Mon Wed Fri"])
def test_weeks_with_days_off(days: str) -> None:
    times = pd.bdate_range("2023-01-02", periods=101, freq="C", weekmask=days)
    found = read(column(times[:-1], VALUES * 3))
    assert pd.Timestamp(following(found)) == times[-1]


def test_half_hours_of_trading() -> None:
    every = pd.date_range("2024-01-01 09:30", "2024-03-01 16:00", freq="30min")
    times = [time for time in every if time.dayofweek < 5 and "09:30" <= f"{time:%H:%M}" <= "15:30"]
    found = read(column(times[:-1], VALUES * 20))
    assert pd.Timestamp(following(found)) == times[-1]
    assert found.calendar.name == "13 times a day from 09:30 to 15:30, on working days"


def test_series_and_columns_are_in_the_order_of_their_names() -> None:
    rows = [f"{store},{dept},{day.date()},{value}\n" for store in (10, 9) for dept in ("b", "a")
            for day, value in zip(DAYS, VALUES, strict=True)]  # fmt: skip
    how = {"group": ("store", "dept")}
    found, other = (read("store,dept,date,y\n" + "".join(some), **how) for some in (rows, rows[::-1]))
    assert [one.name for one in found.series] == ["9 / a", "9 / b", "10 / a", "10 / b"]
    assert [one.name for one in other.series] == [one.name for one in found.series]
    assert found.series[0].key == ("9", "a")


def test_days_without_a_year_are_refused() -> None:
    with pytest.raises(UsageError, match="'Jan-01' is a day without a year"):
        read(column(DAYS.strftime("%b-%d")))


def panel(first: Iterable[object], second: Iterable[object]) -> str:
    rows = [f"{time},{name},{value}" for name, times in (("a", first), ("b", second))
            for time, value in zip(times, VALUES, strict=False)]  # fmt: skip
    return "\n".join(["when,id,y", *rows, ""])


MONDAYS = pd.date_range("2024-01-01", periods=40, freq="7D")
SEVERAL_TIMES = {
    "weekly, two days apart": (MONDAYS, MONDAYS + pd.Timedelta(days=2), "'a' weekly from 2024-01-01 and 'b' weekly"),
    "months' first days and middles": (MONTHS, MONTHS + pd.Timedelta(days=14), "'b' monthly from 1982-01-15"),
    "hours and half past": (HOURS, HOURS + pd.Timedelta(minutes=30), "'b' hourly from 2024-01-25 00:30:00"),
    "days and weeks": (DAYS, MONDAYS, "'b' weekly from 2024-01-01"),
    "days and every second day": (DAYS, DAYS[::2], "'b' every 2 days"),
}


@pytest.mark.parametrize("kind", SEVERAL_TIMES)
def test_series_that_come_at_several_times_are_refused(kind: str) -> None:
    """Filled in on one calendar, half of their values would be made up."""
    first, second, words = SEVERAL_TIMES[kind]
    for how in ({}, {"impute": "linear"}) if "days" not in kind.partition(" ")[0] else ({},):
        with pytest.raises(UsageError, match="come at different times") as caught:
            read(panel(first, second), group="id", **how)
        assert words in str(caught.value) and "--time -" in str(caught.value)
    assert [len(one.values) for one in read(panel(first, second), group="id", time="-").series] == [40, len(second)]


def test_holes_of_a_panel_are_no_other_rhythm() -> None:
    found = read(panel(DAYS.delete(7), DAYS.delete([20, 21])), group="id", impute="last")
    assert [len(one.values) for one in found.series] == [40, 40]


UNKNOWN_TIMES = {
    "another language": [f"{day.day} {('janv.', 'févr.')[day.month - 1]} 2024" for day in DAYS],
    "years of two": [f"{1960 + place}/{61 + place}" for place in range(39)],
    "numbered": [f"day {place}" for place in range(40)],
}


@pytest.mark.parametrize("kind", UNKNOWN_TIMES)
def test_texts_that_may_be_times_are_not_passed_over(kind: str) -> None:
    """Rows could be in any order: newest first, they were read backwards."""
    text = column(UNKNOWN_TIMES[kind], names="date,y")
    with pytest.raises(UsageError, match="is no time in a known form") as caught:
        read(text)
    assert "--dates" in str(caught.value) and "--time -" in str(caught.value)
    assert len(read(text, time="-").series[0].values) == len(UNKNOWN_TIMES[kind])


def test_dates_of_your_own_form_are_found_by_it() -> None:
    newest_first = column(DAYS[::-1].strftime("%Y~%m~%d"), VALUES[::-1])
    found = read(newest_first, dates="%Y~%m~%d")
    assert following(found) == "2024-02-10" and found.series[0].values[-1, 0] == VALUES[-1]


def test_a_delimiter_behind_each_row_but_the_first_makes_no_column() -> None:
    names, *rows = column(DAYS).splitlines()
    found = read("\n".join([names, *(f"{row},," for row in rows)]))
    assert found.series[0].values[:, 0].tolist() == VALUES


def test_two_forms_in_one_column_and_a_single_time_are_named() -> None:
    with pytest.raises(UsageError, match="'2024-02-01' is a date in another form than '01/01/2024'"):
        read(column([*DAYS[:31].strftime("%d/%m/%Y"), *DAYS[31:].strftime("%Y-%m-%d")]))
    with pytest.raises(UsageError, match="one time alone has no rhythm"):
        read(column(DAYS[:1]))


def test_a_number_that_marks_missing_values_is_one_however_it_is_written() -> None:
    values = [*VALUES[:20], -999.0, *VALUES[21:]]
    assert read(column(DAYS, values), missing=("-999",), impute="last").imputed == 1
    buffer = io.BytesIO()
    pd.DataFrame({"when": DAYS, "y": values}).to_parquet(buffer)
    assert read(buffer.getvalue(), missing=("-999",), impute="last").imputed == 1


@pytest.mark.parametrize(
    ("often", "starts", "next_times"),
    [
        ("D", ["2024-01-01", "2024-01-03"], ["2024-01-31", "2024-02-02"]),
        ("M", ["2019-01-31", "2020-02-29"], ["2021-07-01", "2022-08-01"]),
        ("2H", ["2024-01-01 00:00", "2024-01-01 04:00"], ["2024-01-03T12:00:00", "2024-01-03T16:00:00"]),
    ],
)
def test_lists_with_a_start_and_a_frequency(often: str, starts: list[str], next_times: list[str]) -> None:
    """As GluonTS keeps series: periods begin with their first day."""
    buffer = io.BytesIO()
    table = pd.DataFrame({"item_id": ["a", "b"], "start": pd.to_datetime(starts), "target": [VALUES[:30]] * 2})
    table.assign(freq=often).to_parquet(buffer)
    found = read(buffer.getvalue(), target=("target",), group="item_id")
    assert [following(found, place) for place in range(2)] == next_times
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    with pytest.raises(UsageError, match="a column 'freq', as in D"):
        read(buffer.getvalue(), target=("target",), group="item_id")
    assert len(read(buffer.getvalue(), target=("target",), group="item_id", time="-").series) == 2


WEEKS = [day.isocalendar()[:2] for day in MONDAYS]
MORE_DATES = {
    "202405, weeks": ([f"{year}{week:02}" for year, week in WEEKS], "2024-10-07", "yw"),
    "2024-05, weeks by name": ([f"{year}-{week:02}" for year, week in WEEKS], "2024-10-07", "week"),
    "2024032": ([f"{day:%Y%j}" for day in pd.date_range("2023-12-20", periods=40)], "2024-01-29", "x"),
    "240131": ([f"{day:%y%m%d}" for day in DAYS], "2024-02-10", "x"),
    "31012024": ([f"{day:%d%m%Y}" for day in DAYS], "2024-02-10", "x"),
    "1/25/2024, 1:00:00 PM": ([f'"{hour:%m/%d/%Y, %I:%M:%S %p}"' for hour in HOURS], "2024-01-26T16:00:00", "x"),
    "days of Berlin in UTC": ([f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in pd.date_range("2024-03-10", periods=40,
                               tz="Europe/Berlin").tz_convert("UTC")], "2024-04-19", "x"),
    "days of New York in UTC": ([f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in pd.date_range("2024-02-25", periods=40,
                                 tz="America/New_York").tz_convert("UTC")], "2024-04-05", "x"),
}  # fmt: skip


@pytest.mark.parametrize("form", MORE_DATES)
def test_rarer_forms_of_dates_newest_first(form: str) -> None:
    times, after, name = MORE_DATES[form]
    found = read(column(times[::-1], VALUES[::-1], f"{name},y"))
    assert (following(found), found.series[0].values[:, 0].tolist()) == (after, VALUES)


BACKWARDS = {
    "a counter": (range(1, 41), "x"),
    "Excel's days": ([45292 + day for day in range(40)], "Tag"),
    "numbered days of one year": ([2024001 + day for day in range(40)], "x"),
    "times of day": ([f"{hour % 24:02}:{hour // 24:02}" for hour in range(40)], "hour"),
    "year and month": ([f"{month.year},{month.month}" for month in MONTHS], "Jahr,Monat"),
}


@pytest.mark.parametrize("kind", BACKWARDS)
def test_rows_that_count_backwards_are_not_read_as_they_stand(kind: str) -> None:
    times, name = BACKWARDS[kind]
    rows = [*times]
    assert read(column(rows, names=f"{name},y")) if kind != "times of day" else True
    for order in (rows[::-1], [*rows[20:], *rows[:20]]):
        text = column(order, VALUES, f"{name},y")
        with pytest.raises(UsageError, match="--time - (keeps|takes)") as caught:
            read(text)
        assert f"{name.partition(',')[0]!r}" in str(caught.value)
        assert read(text, time="-").series[0].values[:, 0].tolist() == VALUES


def test_a_covariate_that_falls_now_and_then_is_no_counter() -> None:
    assert read("\n".join(["price,y", *(f"{100 - place + place % 7},{value}" for place, value in enumerate(VALUES))]))
    assert read(
        "\n".join(["a,b", *(f"{40 - place},{value}" for place, value in enumerate(VALUES))]), target=(), wide=True
    )


REFUSED = {
    "two currencies": (column(DAYS, ["$1.5", "€1.5"] * 20), "is in another currency than '\\$1.5'"),
    "a whole number beyond every float": (column(DAYS, ["9" * 400] * 40), "has more digits than are kept"),
    "digits beyond a float's": (column(DAYS, range(2**53 + 1, 2**53 + 41)), "has more digits than are kept"),
    "two columns of times": (column([f"{day.date()},{day.date()}" for day in DAYS], names="date,date,y"), "--time -"),
    "a zone by its letters": (column([f"{hour:%Y-%m-%d %H:%M} CET" for hour in HOURS]), "as an offset, as in \\+01:00"),
    "another mark between cells": (column(DAYS, mark="^"), "a first line 'sep=\\^'"),
    "Chinese letters": (column(DAYS, names="日期,y").encode("gb18030"), "--encoding gb18030"),
    "Russian letters": (column(DAYS, names="продажи,y").encode("cp1251"), "--encoding .*cp1251"),
    "most values missing": (column(DAYS, ["" if place % 5 else 1 for place in range(40)]), "every other"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_else_is_refused(kind: str) -> None:
    text, words = REFUSED[kind]
    with pytest.raises(UsageError, match=words) as caught:
        read(text, **({"impute": "linear"} if kind == "most values missing" else {}))
    assert "\n" not in str(caught.value)


def test_digits_of_whole_numbers_in_parquet() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"id": [2**60 + place for place in range(40)], "when": DAYS, "y": VALUES}).to_parquet(buffer)
    assert following(read(buffer.getvalue())) == "2024-02-10"
    with pytest.raises(UsageError, match="row 2, column 'id': '1152921504606846977' has more digits"):
        read(buffer.getvalue(), target=("id",))


def test_names_in_one_letter_and_in_two_are_one_series() -> None:
    names = ("\u00e9", "e\u0301") * 20
    rows = [f"{day.date()},{name},1\n" for day, name in zip(DAYS, names, strict=True)]
    assert len(read("when,id,y\n" + "".join(rows), group="id").series) == 1


def test_years_as_the_world_bank_writes_them() -> None:
    names = ",".join(f"{1960 + place} [YR{1960 + place}]" for place in range(40))
    found = read(f"Country Name,{names}\nAruba,{','.join(map(str, VALUES))}\n", target=(), rows_are_series=True)
    assert following(found) == "2000"


def test_how_many_values_were_filled_in_is_said() -> None:
    found = read(column(DAYS, [*VALUES[:20], "", *VALUES[21:]]), impute="linear")
    assert found.notes == ("1 missing value of 40 filled in",)

"""Files with one series in a row, and the times in the header: M4, web traffic, World Bank, epidemics."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from bench.data import dates
from bench.data.numbers import MISSING
from bench.data.tables import Table, plain, shown
from bench.errors import UsageError
from bench.schema.series import Reading

SERIES, TIME, VALUE = "series", "time", "value"  # how the columns are called that it becomes
COUNTED = re.compile(r"(.*?)(\d+)", re.ASCII)


def one_row_per_value(table: Table, how: Reading) -> tuple[Table, Reading]:
    """Return the table with a row for each value, and how that one is read.

    Raises UsageError where no header has times.
    """
    if how.wide or how.target or how.time not in (None, "-"):
        raise UsageError("--rows-are-series: each row is a series, so --target, --time and --wide mean nothing")
    values, dated = value_columns(table, how)
    names = series_names(table, how, values)
    count = len(table.lines)
    cells: list[Any] = []
    for place in values:
        column = table.columns[place]
        cells.append([plain(cell) for cell in column] if isinstance(column, np.ndarray) else column)
    flat = [cell for row in zip(*cells, strict=True) for cell in row]
    times = [header(table, place) for place in values] if dated else [str(place + 1) for place in range(len(values))]
    columns = [list(np.repeat(np.array(names, dtype=object), len(values))), times * count, flat]
    lines = np.repeat(np.array(table.lines), len(values)).tolist()
    long = replace(table, names=[SERIES, TIME, VALUE], columns=columns, lines=lines)
    kept = {"target": (VALUE,), "group": SERIES, "time": TIME if dated and how.time is None else "-"}
    return long, replace_reading(how, kept)


def replace_reading(how: Reading, changes: dict[str, Any]) -> Reading:
    """Return the reading with other columns."""
    import msgspec

    return msgspec.structs.replace(how, **changes)


def value_columns(table: Table, how: Reading) -> tuple[list[int], bool]:
    """Return the places of the columns that hold values, and whether their names are times."""
    places = [place for place, name in enumerate(table.names) if name not in how.groups]
    dated = [place for place in places if dates.looks_dated(header(table, place))]
    years = [place for place in places if re.fullmatch(r"(?:1[6-9]|2[01])\d\d|(?:19|20)\d{4}", header(table, place))]
    if found := dated or (years if len(years) > 2 else []):
        return found, True
    counted = [place for place in places if COUNTED.fullmatch(table.names[place]) and holds_numbers(table, place)]
    if len(counted) < 3:
        raise UsageError(f"{table.name}: --rows-are-series: no three columns are called by times, as in 2024-01-31, or "
                         f"counted, as in V1, V2, V3: got {', '.join(map(shown, table.names[:4]))}")  # fmt: skip
    return sorted(counted, key=lambda place: int(number_in(table.names[place]))), False


def header(table: Table, place: int) -> str:
    """Return the name of a column, without what the World Bank adds to it: 1960 [YR1960]."""
    return re.sub(r"\s*\[YR\d{4}(?:[QM]\d{1,2})?\]$", "", table.names[place])


def number_in(name: str) -> str:
    """Return the number that a name ends with."""
    found = COUNTED.fullmatch(name)
    return found[2] if found else "0"


def holds_numbers(table: Table, place: int) -> bool:
    """Return whether a column has nothing but numbers and missing cells."""
    column = table.columns[place]
    if isinstance(column, np.ndarray):
        return True
    return all(cell.lower() in MISSING or re.fullmatch(r"[^A-Za-z]*\d[^A-Za-z]*", cell) for cell in column)


def series_names(table: Table, how: Reading, values: list[int]) -> list[str]:
    """Return what each series is called: by --group, the columns of words in front, or numbers in the first.

    Raises UsageError for one twice.
    """
    if how.groups:
        chosen = [table.texts(name, "--group", frozenset([""])) for name in how.groups]
    else:
        before = [place for place in range(len(table.names)) if place not in values]
        chosen = [[plain(cell) for cell in table.columns[place]] for place in before if not holds_numbers(table, place)]
        chosen = shortest_unique(chosen) or numbered(table, before)
    if not chosen:
        return [str(row + 1) for row in range(len(table.lines))]
    names = [" / ".join(filter(None, cells)) for cells in zip(*chosen, strict=True)]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise UsageError(f"{table.where(row)}: the series {shown(name)} again, as in {table.unit} "
                             f"{table.lines[first[name]]}: --group says which columns tell series apart")  # fmt: skip
    return names


def numbered(table: Table, places: list[int]) -> list[list[str]]:
    """Return the first column where it has a whole number for each series: the number of a store, or of a meter."""
    cells = [plain(cell) for cell in table.columns[0]] if 0 in places else []
    return [cells] if cells and all(map(str.isdecimal, cells)) and len(set(cells)) == len(cells) else []


def shortest_unique(columns: list[list[str]]) -> list[list[str]]:
    """Return the first column whose cells all differ; else all columns, but those of one value for all."""
    for column in columns:
        if all(column) and len(set(column)) == len(column):
            return [column]
    return [column for column in columns if len(set(column)) > 1] or columns

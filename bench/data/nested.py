"""Tables whose cells are lists, a series in each row, as GluonTS and fev keep them: made into a row for each value.

Times are a list too, or a start and how often values come: the columns `start` and `freq`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.errors import UsageError

START, OFTEN = "start", ("freq", "frequency")
PERIODS = {"M": "M", "Q": "Q", "Y": "Y", "A": "Y", "W": "W"}  # frequencies that are periods there, and begin with one
OLD = {"H": "h", "T": "min", "S": "s", "L": "ms"}  # names that pandas no longer takes


def one_row_per_value(
    name: str, names: Sequence[str], columns: Sequence[list[Any]], lists: Sequence[bool], timed: bool
) -> tuple[list[Any], list[int]]:
    """Return the columns with a row for each value, and the row that each came from. Raises UsageError.

    timed: whether times are wanted.
    """
    lengths = [length_of(name, row, columns, lists) for row in range(len(columns[0]))]
    flat: list[Any] = []
    for column, is_list in zip(columns, lists, strict=True):
        flat.append([one for cell in column for one in cell or []] if is_list else list(np.repeat(column, lengths)))
    if timed and START in names and not lists[names.index(START)] and lengths and max(lengths) > 1:
        often = next((columns[names.index(column)] for column in OFTEN if column in names), None)
        if often is None:
            raise UsageError(f"{name}: the column 'start' has the first time of each series, and how often values come "
                             "is missing: a column 'freq', as in D, h or 15min, or a column of lists of times; "
                             "--time - takes the values as they stand")  # fmt: skip
        place = names.index(START)
        firsts = zip(columns[place], often, lengths, strict=True)
        series = [times_from(*one, f"{name}, row {row}") for row, one in enumerate(firsts, 1)]
        flat[place] = [time for times in series for time in times]
    lines: list[int] = np.repeat(np.arange(1, len(lengths) + 1), lengths).tolist()
    return [as_cells(cells) for cells in flat], lines


def length_of(name: str, row: int, columns: Sequence[list[Any]], lists: Sequence[bool]) -> int:
    """Return how many values the lists of a row have. Raises UsageError unless equally many."""
    found = {len(column[row] or []) for column, is_list in zip(columns, lists, strict=True) if is_list}
    if len(found) > 1:
        raise UsageError(f"{name}, row {row + 1}: its lists are of {', '.join(map(str, sorted(found)))} values, "
                         "needed equally many: keep the columns of one length")  # fmt: skip
    return found.pop()


def times_from(start: Any, often: Any, count: int, where: str) -> list[Any]:
    """Return so many times from the first on, at a frequency of pandas, old names too. Raises UsageError."""
    import pandas as pd

    found = re.fullmatch(r"(\d*)([A-Za-z]+)(-[A-Za-z]+)?", str(often).strip())
    try:
        first = pd.Timestamp(start.to_timestamp() if isinstance(start, pd.Period) else start)
        if found is None or pd.isna(first):
            raise ValueError
        every, base = int(found[1] or 1), found[2].removesuffix("S").removesuffix("E") or found[2]
        if base in PERIODS:
            period = pd.Period(first, freq=PERIODS[base] + (found[3] or ""))
            return [(period + every * step).to_timestamp() for step in range(count)]
        offset = pd.tseries.frequencies.to_offset(f"{every}{OLD.get(found[2], found[2])}")
        return [first + offset * step for step in range(count)]
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{where}: got {start!s:.40} as 'start' and {often!s:.40} as how often values come, needed a "
                         "time and a frequency of pandas, as in D, h or 15min") from None  # fmt: skip


def as_cells(values: list[Any]) -> Any:
    """Return numbers as an array, NaN where one is null; anything else as texts."""
    if values and all(isinstance(value, int | float | np.number | None) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return [isoformat(value) if hasattr(value, "isoformat") else plain(value) for value in values]


def plain(cell: Any) -> str:
    """Return a cell as text: whole numbers without a decimal point, times as ISO 8601."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return "" if cell is None or cell != cell else str(cell).strip()


def isoformat(value: Any) -> str:
    """Return a date or a time as ISO 8601; empty where there is none."""
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)

"""The step of every row: from its time, or by counting the rows of each series."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.data import dates, phases, text_files
from bench.data.calendar import ROWS, Calendar, fit_calendar
from bench.data.columns import Key, joined_times
from bench.data.numbers import looks_numeric
from bench.data.tables import Table, plain, shown
from bench.errors import UsageError
from bench.schema.series import Reading


def steps_of(table: Table, times: Sequence[str], keys: Sequence[Key], how: Reading) -> tuple[Calendar, np.ndarray]:
    """Return the calendar of a file, and the step of every row. Raises UsageError for times that cannot be read."""
    if not times:
        return ROWS, counted(keys)
    refuse_footer(table, times)
    texts, column = joined_times(table, times), " + ".join(times)
    if how.dates == "number" or (not how.dates and are_numbers(texts)):
        return numbered(texts, table, column)
    found = dates.read_times(texts, column, table.where, how.dates or "")
    if how.impute != "zero":
        phases.refuse(found.index, keys, table.name, column, filled=bool(how.impute))
    return fit_calendar(found.index, found.pattern, column, table.where, sparse=how.impute == "zero")


def counted(keys: Sequence[Key]) -> np.ndarray:
    """Return the rows of each series, from 0."""
    seen: Counter[Key] = Counter()
    steps = np.empty(len(keys), dtype=np.int64)
    for row, key in enumerate(keys):
        steps[row] = seen[key]
        seen[key] += 1
    return steps


def refuse_footer(table: Table, times: Sequence[str]) -> None:
    """Raise UsageError where the last rows have words in place of a time: a total, a source, a remark."""
    cells = [plain(cell) for cell in table.column(times[0], "--time")]
    end = 0
    while end < min(text_files.NEAR_THE_END, len(cells) - 1) and not is_time(cells[-1 - end]):
        end += 1
    if end and is_time(cells[0]) and is_time(cells[-1 - end]):
        row = len(cells) - end
        raise UsageError(f"{table.where(row)}, column {times[0]!r}: {shown(cells[row])} is not a time: "
                         f"--skip-footer {end} leaves out the end")  # fmt: skip


def is_time(text: str) -> bool:
    """Return whether a text may be a time, as far as its looks tell."""
    return dates.looks_dated(text) or looks_numeric(text) or any(letter.isdecimal() for letter in text)


def are_numbers(texts: Sequence[str]) -> bool:
    """Return whether all are whole numbers that no form of a date reads: times that are counted."""
    found = sorted(set(texts))
    if not all(re.fullmatch(r"-?\d+(?:\.0+)?", text, re.ASCII) for text in found):
        return False
    whole = [text.partition(".")[0] for text in found]
    return any(text.startswith("-") for text in whole) or not any(dates.of_numbers(whole))


def numbered(texts: Sequence[str], table: Table, column: str) -> tuple[Calendar, np.ndarray]:
    """Return times that are whole numbers. Raises UsageError where most of them are missing."""
    for row, text in enumerate(texts):
        if not re.fullmatch(r"-?\d+(?:\.0+)?", text, re.ASCII):
            raise UsageError(f"{table.where(row)}, column {column!r}: {shown(text)} is not a whole number")
    whole = np.array([int(text.partition(".")[0]) for text in texts], dtype=np.int64)
    distinct = np.unique(whole)
    every = int(np.gcd.reduce(np.diff(distinct))) if len(distinct) > 1 else 1
    steps = (whole - distinct[0]) // every
    if steps.max() >= 2 * len(distinct):
        raise UsageError(f"{table.name}, column {column!r}: {len(distinct)} numbers from {distinct[0]} to "
                         f"{distinct[-1]} are not times at even steps: --time says which column has times, --time - "
                         "keeps the order of the rows")  # fmt: skip
    name = "at numbered steps" if every == 1 else f"at every {every}th number"
    return Calendar(name, int(distinct[0]), every), steps

"""Columns that say that rows are in another order than in time, though none of them is called like a time.

Values that run backwards look like any others: without a column of times, the order of the rows has to be stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.data.numbers import shown
from bench.errors import UsageError

ENOUGH = 8  # rows whose order is no accident
YEARS = range(1600, 2200)
LARGEST_PART = 53  # of a year: weeks

Keys = Sequence[object]  # which series each row belongs to


def check(file: str, texts: Mapping[str, Sequence[str]], keys: Keys) -> None:
    """Raise UsageError where numbers that count rows, or a year and its parts, do not go up from row to row."""
    for names, numbers in counters(texts):
        if is_out_of_order(numbers, keys):
            several = len(names) > 1
            cells = " and ".join(shown(texts[name][0]) for name in names)
            raise UsageError(f"{file}: the column{'s' * several} {', '.join(map(shown, names))} (first {cells}) "
                             f"seem{'' if several else 's'} to count the rows in another order than theirs: "
                             f"{' '.join(f'--time {name!r}' for name in names)} takes {'them' if several else 'it'} as "
                             "the time, --time - keeps the order of the rows")  # fmt: skip


def counters(texts: Mapping[str, Sequence[str]]) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Yield columns that may be times, with a number for each row: one of numbers, or a year and a part of it."""
    numbers = {name: values for name, cells in texts.items() if (values := as_numbers(cells)) is not None}
    yield from (((name,), values) for name, values in numbers.items())
    for year, values in numbers.items():
        if within(values, YEARS[0], YEARS[-1]):
            parts = [name for name in numbers if name != year and within(numbers[name], 1, LARGEST_PART)]
            for part in parts:  # in any order but upwards: ranks are evenly spaced
                yield (year, part), np.unique(values * (LARGEST_PART + 1) + numbers[part], return_inverse=True)[1]


def as_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return plain numbers; None for any other column."""
    if not all(re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", cell, re.ASCII) for cell in cells):
        return None
    return np.array(cells, dtype=float)


def within(values: np.ndarray, least: int, most: int) -> bool:
    """Return whether all are whole numbers in a range, and not all the same."""
    return bool(
        (values >= least).all() and (values <= most).all() and (values % 1 == 0).all() and len(np.unique(values)) > 1
    )


def is_out_of_order(numbers: np.ndarray, keys: Keys) -> bool:
    """Return whether numbers that differ within each series fall throughout, or are evenly spaced in another order."""
    rows: dict[object, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    changes = [np.diff(numbers[places]) for places in rows.values()]
    if max(map(len, changes)) < ENOUGH - 1 or all((change > 0).all() for change in changes):
        return False
    if any(len(np.unique(numbers[places])) < len(places) for places in rows.values()):
        return False
    distinct = np.unique(numbers)
    gaps = np.diff(distinct)
    return all((change < 0).all() for change in changes) or bool(np.ptp(gaps) <= 1e-6 * gaps.max())

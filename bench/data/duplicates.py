"""Several rows of one time: added, averaged or the last one taken when asked, else an error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.data.columns import Key
from bench.data.tables import Table
from bench.errors import UsageError
from bench.schema.series import Reading

Found = tuple[Sequence[Key], np.ndarray, np.ndarray, np.ndarray]  # keys, steps, values, rows of the table


def without_duplicates(table: Table, keys: Sequence[Key], steps: np.ndarray, values: np.ndarray, how: Reading) -> Found:
    """Return one row for each key and step. Raises UsageError for a second one that no option deals with."""
    rows: dict[tuple[Key, int], list[int]] = {}
    for row, place in enumerate(zip(keys, steps.tolist(), strict=True)):
        rows.setdefault(place, []).append(row)
    lines = np.array([found[-1] for found in rows.values()])
    if len(rows) == len(keys):
        return keys, steps, values, lines
    if not how.duplicates:
        raise refused(table, next((key, found) for (key, _), found in rows.items() if len(found) > 1))
    merged = np.stack([merge(values[found], how.duplicates) for found in rows.values()])
    return [key for key, _ in rows], np.array([step for _, step in rows]), merged, lines


def merge(values: np.ndarray, how: str) -> np.ndarray:
    """Return the values [rows, D] of one time as one [D]; those that are missing do not count, unless all are."""
    if how == "last":
        last: np.ndarray = values[-1]
        return last
    ordered = np.sort(values, axis=0)  # the order of rows changes no digit
    known = ~np.isnan(ordered)
    total = np.where(known, ordered, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    result = total if how == "sum" else total / np.maximum(count, 1)
    return np.where(count > 0, result, np.nan)


def refused(table: Table, twice: tuple[Key, list[int]]) -> UsageError:
    """Return the error for two values of one time."""
    key, found = twice
    series = f" of {key.name!r}" if key.name else ""
    return UsageError(f"{table.where(found[1])}: the same time{series} as in {table.unit} {table.lines[found[0]]}: one "
                      "value for each time is expected: --group tells series apart, a further --time adds to the time, "
                      "--duplicates sum, mean or last makes one of them, --time - takes the rows as they "
                      "stand")  # fmt: skip

"""Series from a file: which columns, in which order, at which times, without holes.

    read_series -> SeriesSet, or UsageError with the line that is wrong and the option that helps

Long files have columns that tell the series apart (`group`); wide ones a column for each series (`wide`); others a row
for each (`rows_are_series`). Series are in the order of their names: the order of rows and columns decides nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np

from bench.data import columns, transposed
from bench.data.calendar import Calendar
from bench.data.columns import Key
from bench.data.duplicates import without_duplicates
from bench.data.holes import Holes, fill
from bench.data.steps import steps_of
from bench.data.tables import Table, read_table, shown
from bench.errors import UsageError
from bench.schema.series import Duplicates, Impute, Reading

NAMED = 3  # series that a note names


@dataclass(frozen=True)
class Series:
    """One series: values [L, D] float64 without holes, which of them were filled in, and the step it begins at."""

    name: str
    values: np.ndarray
    imputed: np.ndarray  # [L, D] bool
    start: int  # on the calendar that all series of a file share
    key: tuple[str, ...] = ()  # the cells of the columns that tell it apart

    @property
    def end(self) -> int:
        """The step after the last one."""
        return self.start + len(self.values)


@dataclass(frozen=True)
class SeriesSet:
    """All series of a file."""

    file: str
    channels: tuple[str, ...]
    calendar: Calendar
    series: Sequence[Series]
    notes: tuple[str, ...] = ()  # what was left out or decided on the way, for the user to know
    time: tuple[str, ...] = ()  # the columns of times
    groups: tuple[str, ...] = ()  # the columns that tell series apart

    @property
    def imputed(self) -> int:
        """How many values were filled in."""
        return sum(int(one.imputed.sum()) for one in self.series)

    def describe(self) -> str:
        """Return how the file was understood, in words: how many series, how long, how often values come."""
        channels = f" of {len(self.channels)} channels" if len(self.channels) > 1 else ""
        steps = sum(len(one.values) for one in self.series)
        return f"{len(self.series)} series{channels}, {steps} steps {self.calendar.name}"


def read_series(source: Path | bytes, how: Reading) -> SeriesSet:
    """Return the series in a CSV or Parquet file, or in its content; a file that has not changed is read once.

    Raises UsageError, in one line that names the file's line and column wherever there is one, for whatever is not a
    table, for columns that do not exist, cells that are no numbers or dates, two values for one time, times without a
    rhythm, and missing values between others that nothing fills.
    """
    check(how)
    how = reading_of(how)
    if isinstance(source, bytes):
        return read(source, how)
    state = state_of(source)
    return read_once(source.absolute(), how, state) if state else read(source, how)  # raises


def reading_of(how: Reading) -> Reading:
    """Return what of a preparation decides how a file is read.

    Its season where values are taken from a season before.
    """
    fields = {name: getattr(how, name) for name in Reading.__struct_fields__}
    return Reading(**fields | ({} if how.impute == "seasonal" else {"season": None}))


def state_of(path: Path | str) -> tuple[int, int] | None:
    """Return when a file was last changed and its size; None of one that is not there."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=4)
def read_once(path: Path, how: Reading, _state: tuple[int, int]) -> SeriesSet:
    """Return the series of a file; _state makes a changed file a different entry of the cache."""
    return read(path, how)


def read(source: Path | bytes, how: Reading) -> SeriesSet:
    """Read the series of a file or of its bytes, without the cache."""
    table = read_table(source, how)
    if how.rows_are_series:
        table, how = transposed.one_row_per_value(table, how)
    columns.check(table, how)
    keys = columns.keys_of(table, how)
    times = columns.time_columns(table, how, keys)
    targets = columns.target_columns(table, how, times)
    values = np.stack([table.numbers(name, "--target") for name in targets], axis=1)
    calendar, steps = steps_of(table, times, keys, how)
    rows = Rows(table, calendar, targets, how)
    merged, steps, values, lines = without_duplicates(table, keys, steps, values, how)
    every: list[Series] = []
    left: list[tuple[str, int, int]] = []  # series, leading and trailing blanks
    for key, places in rows_by_key(merged):
        ordered = places[np.argsort(steps[places], kind="stable")]
        every += rows.series(key, lines[ordered], steps[ordered], values[ordered], left)
    if not every:
        raise UsageError(f"{table.name}: every value of {', '.join(map(shown, targets[:NAMED]))} is missing")
    channels = ("value",) if how.wide else tuple(targets)
    notes = (
        *table.notes,
        *columns.of_blank(table, how),
        *of_ends(left),
        *of_filled(every),
        *uneven_ends(every, calendar),
    )
    return SeriesSet(table.name, channels, calendar, every, notes, times, how.groups)


def check(how: Reading) -> None:
    """Raise UsageError for options that contradict each other."""
    for name, choices in (("impute", Impute), ("duplicates", Duplicates)):
        value = getattr(how, name)
        if value and value not in get_args(choices):
            raise UsageError(f"--{name} {value!r}: choose from {', '.join(get_args(choices))}")
    for name in ("skip_rows", "skip_footer"):
        if getattr(how, name) and getattr(how, name) < 0:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(how, name)}: needed 0 or more")
    if how.season is not None and how.season < 2:
        raise UsageError(f"--season {how.season}: needed 2 steps or more, or none")
    if how.impute == "seasonal" and how.season is None:
        raise UsageError("--impute seasonal takes the value of a season before: state the season with --season")
    if how.wide and how.group:
        raise UsageError("--wide and --group: a file has a column for each series, or one that tells them apart")


def rows_by_key(keys: Sequence[Key]) -> Iterator[tuple[Key, np.ndarray]]:
    """Yield each series' key and its rows, by the order of the keys."""
    rows: dict[Key, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    for key in sorted(rows, key=lambda key: key.order):
        yield key, np.array(rows[key])


@dataclass(frozen=True)
class Rows:
    """What the rows of all series share."""

    table: Table
    calendar: Calendar
    targets: Sequence[str]
    how: Reading

    def series(
        self, key: Key, lines: np.ndarray, steps: np.ndarray, values: np.ndarray, left: list[tuple[str, int, int]]
    ) -> Iterator[Series]:
        """Yield one key's rows, sorted by time, as one series of several channels, or as several of one.

        Rows before the first value and behind the last one are left out, and counted in `left`.
        """
        count = len(self.targets)
        for part in [[channel] for channel in range(count)] if self.how.wide else [list(range(count))]:
            name = self.targets[part[0]] if self.how.wide else key.name
            known = np.flatnonzero(~np.isnan(values[:, part]).any(axis=1))
            if not len(known):
                left.append((name, len(values), 0))
                continue
            first, last = int(known[0]), int(known[-1])
            left.append((name, first, len(values) - 1 - last))
            kept = slice(first, last + 1)
            yield self.filled(name, key, lines[kept], steps[kept], values[kept][:, part], part)

    def filled(
        self, name: str, key: Key, lines: np.ndarray, steps: np.ndarray, values: np.ndarray, part: list[int]
    ) -> Series:
        """Return a series from its first value to its last one, holes filled.

        Raises UsageError where most are missing.
        """
        start, end = int(steps[0]), int(steps[-1]) + 1
        known = int((~np.isnan(values)).sum(axis=0).min())
        if end - start > 2 * known and self.how.impute not in (None, "zero"):
            raise UsageError(f"{self.table.where(lines[0])}: the series {shown(name)} has {known} values in "
                             f"{end - start} steps ({self.calendar.name}): needed at least every other; --impute "
                             "zero where no row means 0")  # fmt: skip
        whole = np.full((end - start, values.shape[1]), np.nan)
        whole[steps - start] = values
        source = np.repeat(lines, np.diff(steps, append=end))  # of a step without a row, the row before it
        targets = [self.targets[channel] for channel in part]
        holes = Holes(self.table, name if self.how.group else "", source, steps, self.calendar, targets, start)
        columns = [fill(whole[:, channel], self.how, holes, channel) for channel in range(whole.shape[1])]
        cells = (name,) if self.how.wide else key.cells
        filled = np.stack(columns, axis=1)
        filled.setflags(write=False)  # windows are views of it
        return Series(name, filled, np.isnan(whole), start, cells)


def of_ends(left: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    """Yield what was left out at the ends of series, in words."""
    for place, word in ((1, "before the first"), (2, "after the last")):
        blank = [(one[0], int(one[place])) for one in left if one[place]]
        if blank:
            names = ", ".join(name for name, _ in blank[:NAMED] if name)
            several = f" of {names}" + (f" and {len(blank) - NAMED} more" if len(blank) > NAMED else "")
            count = sum(count for _, count in blank)
            values = "value is" if count == 1 else "values are"
            yield f"{count} blank {values} left out {word} one{several if names else ''}"


def of_filled(series: Sequence[Series]) -> Iterator[str]:
    """Yield how many values were filled in, in words."""
    if filled := sum(int(one.imputed.sum()) for one in series):
        values = f"value{'s' * (filled > 1)}"
        yield f"{filled} missing {values} of {sum(one.values.size for one in series)} filled in"


def uneven_ends(series: Sequence[Series], calendar: Calendar) -> Iterator[str]:
    """Yield which series end before the others, in words."""
    last = max(one.end for one in series)
    early = [one for one in series if one.end < last]
    if early:
        names = ", ".join(f"{one.name} (at {calendar.at(one.end - 1)})" for one in early[:NAMED])
        more = f" and {len(early) - NAMED} more" if len(early) > NAMED else ""
        yield f"each series is forecast after its last value; before {calendar.at(last - 1)} end {names}{more}"

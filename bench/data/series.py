"""Series from a file: which columns, in which order, at which times, without holes.

    read_series -> SeriesSet, or UsageError with the line that is wrong

Long files have a column that tells the series apart (`group`); wide ones a column for each series (`wide`).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from bench.data import dates
from bench.data.calendar import Calendar, fit_calendar
from bench.data.tables import Table, read_table, shown
from bench.errors import UsageError
from bench.schema.series import Impute, Reading

#: columns that are the time unless another is named
TIME_NAMES = frozenset(
    ["date", "datetime", "day", "ds", "month", "period", "quarter", "time", "timestamp", "week", "year"]
)
NO_TIME = "-"


@dataclass(frozen=True)
class Series:
    """One series: values [L, D] float64 without holes, which of them were filled in, and the step it begins at."""

    name: str
    values: np.ndarray
    imputed: np.ndarray  # [L, D] bool
    start: int  # on the calendar that all series of a file share

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

    @property
    def imputed(self) -> int:
        """How many values were filled in."""
        return sum(int(one.imputed.sum()) for one in self.series)

    def describe(self) -> str:
        """How the file was understood, in words: how many series, how long, how often values come."""
        channels = f" of {len(self.channels)} channels" if len(self.channels) > 1 else ""
        steps = sum(len(one.values) for one in self.series)
        return f"{len(self.series)} series{channels}, {steps} steps {self.calendar.name}"


def read_series(source: Path | bytes, reading: Reading) -> SeriesSet:
    """The series in a CSV or Parquet file, or in its content.

    Raises UsageError, in one line that names the file's line and column wherever there is one, for whatever is not a
    table, for columns that do not exist, cells that are no numbers or dates, two values for one time, times without a
    rhythm, and missing values that nothing fills.
    """
    check(reading)
    table = read_table(source)
    time = time_column(table, reading)
    targets = target_columns(table, reading, time)
    values = np.stack([table.numbers(name, "--target") for name in targets], axis=1)
    groups = table.texts(reading.group, "--group") if reading.group else [""] * len(values)
    calendar, steps = steps_of(table, time, groups)
    found = [
        one
        for name, rows in rows_by_group(groups)
        for one in in_order(table, name, rows[np.argsort(steps[rows], kind="stable")], values, steps, calendar, targets,
                            reading)
    ]  # fmt: skip
    channels = ("value",) if reading.wide else tuple(targets)
    return SeriesSet(table.name, channels, calendar, found)


def check(reading: Reading) -> None:
    """Raise UsageError for options that contradict each other."""
    if reading.impute is not None and reading.impute not in get_args(Impute):
        raise UsageError(f"--impute {reading.impute!r}: choose from {', '.join(get_args(Impute))}")
    if reading.season is not None and reading.season < 2:
        raise UsageError(f"--season {reading.season}: at least 2 steps are needed")
    if reading.impute == "seasonal" and reading.season is None:
        raise UsageError("--impute seasonal: it takes the value of a season before, so --season is needed")
    if reading.wide and reading.group:
        raise UsageError("--wide and --group: a file has a column for each series, or one that tells them apart")


def time_column(table: Table, reading: Reading) -> str | None:
    """The column of times, if there is one: that asked for, one that is named so, or the only one that holds dates.

    Raises UsageError where several hold dates: taken as they stand, rows could be in any order.
    """
    if reading.time is not None:
        return None if reading.time == NO_TIME else reading.time
    others = [name for name in table.names if name and name not in (*reading.target, reading.group)]
    if named := next((name for name in others if name.lower() in TIME_NAMES), None):
        return named
    dated = [name for name in others if table.names.count(name) == 1 and holds_times(table, name)]
    if len(dated) > 1:
        raise UsageError(f"{table.name}: the columns {', '.join(map(shown, dated))} hold dates: --time says which, "
                         "--time - takes the rows as they stand")  # fmt: skip
    return dated[0] if dated else None


def holds_times(table: Table, name: str) -> bool:
    """Whether a column holds dates, whatever it is called."""
    cells = table.column(name, "")
    return not isinstance(cells, np.ndarray) and dates.are_times([cell.strip() for cell in cells])


def target_columns(table: Table, reading: Reading, time: str | None) -> list[str]:
    """The columns to be forecast, in the order of the options. Raises UsageError, naming the numeric ones, for none."""
    others = [name for name in table.names if name and name not in (time, reading.group)]
    targets = reading.target or (("*",) if reading.wide else ())
    if not targets:
        numeric = [name for name in others if table.is_numeric(name)]
        raise UsageError(f"--target is needed: of {table.name}, choose from {', '.join(numeric) or 'none'}")
    found: list[str] = []
    for target in targets:
        if target in (time, reading.group):
            raise UsageError(f"--target {target!r}: this column is the {'time' if target == time else 'group'}")
        exact = target in table.names
        matched = [target] if exact else [name for name in others if fnmatch.fnmatchcase(name, target)]
        if not matched:
            table.column(target, "--target")  # raises
        found += [name for name in matched if name not in found]
    return found


def steps_of(table: Table, time: str | None, groups: Sequence[str]) -> tuple[Calendar, np.ndarray]:
    """The calendar of a file, and the step of every row; without times, the rows of each group are counted."""
    if time is None:
        steps = np.empty(len(groups), dtype=np.int64)
        for _, rows in rows_by_group(groups):
            steps[rows] = np.arange(len(rows))
        return Calendar("rows"), steps
    times, pattern = dates.read_times(table.texts(time, "--time"), time, table.where)
    refuse_duplicates(table, groups, times.asi8)
    return fit_calendar(times, pattern, time, table.where)


def refuse_duplicates(table: Table, groups: Sequence[str], times: np.ndarray) -> None:
    """Raise UsageError when a series has two values for one time."""
    seen: dict[tuple[str, int], int] = {}
    for row, key in enumerate(zip(groups, times.tolist(), strict=True)):
        first = seen.setdefault(key, row)
        if first != row:
            series = f" of {key[0]!r}" if key[0] else ""
            raise UsageError(f"{table.where(row)}: the same time{series} as in {table.unit} {table.lines[first]}: "
                             "one value for each time is needed; --group tells series apart, --time - takes the rows "
                             "as they stand")  # fmt: skip


def rows_by_group(groups: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Each group's name and its rows, in the file's order."""
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    for group, found in rows.items():
        yield group, np.array(found)


def in_order(
    table: Table, name: str, rows: np.ndarray, values: np.ndarray, steps: np.ndarray, calendar: Calendar,
    targets: Sequence[str], reading: Reading,
) -> Iterator[Series]:  # fmt: skip
    """One group's rows, sorted by time, as one series of several channels, or as several of one."""
    start, end = steps[rows[0]], steps[rows[-1]] + 1
    if end - start > 2 * len(rows):
        raise UsageError(f"{table.where(rows[0])}: the series {shown(name)} has {len(rows)} values in {end - start} "
                         f"steps ({calendar.name}): at least every other is needed")  # fmt: skip
    whole = np.full((end - start, values.shape[1]), np.nan)
    whole[steps[rows] - start] = values[rows]
    source = np.repeat(rows, np.diff(steps[rows], append=end))  # of a step without a row, the row before it
    holes = Holes(table, name, source, steps[rows], calendar, targets, int(start))
    filled = whole.copy()
    for channel in range(whole.shape[1]):
        filled[:, channel] = fill(whole[:, channel], reading, holes, channel)
    parts = [[channel] for channel in range(len(targets))] if reading.wide else [list(range(len(targets)))]
    for part in parts:
        title = targets[part[0]] if reading.wide else name
        yield Series(title, filled[:, part], np.isnan(whole[:, part]), int(start))


@dataclass(frozen=True)
class Holes:
    """Where a missing value is, for messages."""

    table: Table
    series: str
    source: np.ndarray  # [L]: the row of every step; of a step without one, the row before
    steps: np.ndarray  # that have a row
    calendar: Calendar
    targets: Sequence[str]
    start: int

    def has_row(self, place: int) -> bool:
        """Whether there is a row, with an empty cell; else the row itself is missing."""
        return self.start + place in self.steps

    def where(self, place: int, channel: int) -> str:
        """The place of a missing value in words."""
        row = self.table.where(int(self.source[place]))
        if self.has_row(place):
            return f"{row}, column {self.targets[channel]!r}: the value is missing"
        series = f" of {self.series!r}" if self.series else ""
        time = self.calendar.at(self.start + place)
        return f"{row}: the row after it{series}, for {time}, is missing (values come {self.calendar.name})"


def fill(values: np.ndarray, reading: Reading, holes: Holes, channel: int) -> np.ndarray:
    """One channel [L] without NaN. Raises UsageError, naming the first hole, where nothing fills it."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    first = holes.where(int(missing.argmax()), channel)
    if reading.impute is None:
        count = f", one of {missing.sum()}" if missing.sum() > 1 else ""
        closed = "" if holes.has_row(int(missing.argmax())) else "; --time - takes the rows as they stand"
        raise UsageError(f"{first}{count}: fill it in, or choose --impute linear, last or seasonal{closed}")
    if missing.all():
        raise UsageError(f"{first}, and so is every other of this series")
    if reading.impute == "seasonal":
        return fill_seasonal(values, reading.season or 1, holes, channel)
    if missing[0]:
        raise UsageError(f"{first}, and --impute {reading.impute} finds no value before it")
    known = np.flatnonzero(~missing)
    if reading.impute == "last":
        return values[known[np.searchsorted(known, np.arange(len(values)), side="right") - 1]]
    if missing[-1]:
        place = int(known[-1]) + 1
        raise UsageError(f"{holes.where(place, channel)}, and --impute linear finds no value after it: last does not "
                         "need one")  # fmt: skip
    return np.interp(np.arange(len(values)), known, values[known])


def fill_seasonal(values: np.ndarray, season: int, holes: Holes, channel: int) -> np.ndarray:
    """Each missing value as it was a season before, which may have been filled in itself."""
    filled = values.copy()
    for place in np.flatnonzero(np.isnan(values)):
        if place < season:
            raise UsageError(f"{holes.where(int(place), channel)}, and --impute seasonal finds no value {season} "
                             "steps before it")  # fmt: skip
        filled[place] = filled[place - season]
    return filled

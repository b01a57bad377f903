"""Which columns of a table are the times, which tell series apart, and which are to be forecast."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.data import date_forms, dates, row_order
from bench.data.numbers import MISSING, looks_numeric
from bench.data.tables import Table, plain, shown
from bench.errors import UsageError
from bench.schema.series import Reading

#: columns that are the time unless another is named
TIME_NAMES = frozenset(
    ["date", "dates", "datetime", "date_time", "datum", "day", "ds", "index", "month", "period", "quarter", "t", "time",
     "timestamp", "ts", "unnamed: 0", "week", "when", "year"]
)  # fmt: skip
PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "time")  # of a time, one column each
#: which of them follow each other
WAYS = (
    ("year", "month", "day", "hour", "minute"), ("year", "month", "day", "hour"), ("year", "month", "day", "time"),
    ("year", "month", "day"), ("year", "month"), ("year", "quarter"), ("year", "week"), ("date", "time"),
    ("date", "hour", "minute"), ("date", "hour"), ("day", "hour"),
)  # fmt: skip
COUNTERS = frozenset(["id", "idx", "n", "no", "nr", "number", "obs", "observation", "row", "seq", "sequence", "step"])
NO_TIME = "-"
YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20|21)\d\d(?!\d)", re.ASCII)
CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
MANY = 12  # columns that are named


class Key(NamedTuple):
    """What tells a series apart: the cells of the group's columns, as texts."""

    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        """The series' name."""
        return " / ".join(self.cells)

    @property
    def order(self) -> tuple[tuple[float, str], ...]:
        """Return the key to sort by, which does not depend on the file's order: numbers by size, then texts."""
        return tuple((float(cell) if cell.isdecimal() else np.inf, cell) for cell in self.cells)


def check(table: Table, how: Reading) -> None:
    """Raise UsageError for columns that do not exist."""
    for name in how.groups:
        table.column(name, "--group")
    for name in how.times:
        if name != NO_TIME:
            table.column(name, "--time")


def keys_of(table: Table, how: Reading) -> list[Key]:
    """Return the key of every row; a group called NA is one."""
    if not how.groups:
        return [Key(())] * len(table.lines)
    columns = [table.texts(name, "--group", frozenset([""])) for name in how.groups]
    return [Key(cells) for cells in zip(*columns, strict=True)]


def time_columns(table: Table, how: Reading, keys: Sequence[Key]) -> tuple[str, ...]:
    """Return the columns of times: those asked for, else one that is named so or holds times, else the parts of one.

    Raises UsageError where several hold times: taken as they stand, rows could be in any order.
    """
    if how.times:
        return () if how.times == (NO_TIME,) else how.times
    others = [name for name in table.names
              if name and table.names.count(name) == 1 and name not in (*how.target, *how.groups)]  # fmt: skip
    texts = {name: [plain(cell) for cell in table.column(name, "")] for name in others}
    refuse_twice(table)
    dated = [name for name in others if holds_times(name, texts[name])]
    named = [name for name in others if name.lower() in TIME_NAMES and (name in dated or may_be_time(texts[name]))]
    unique = [name for name in (*[one for one in named if one in dated], *named) if is_unique(texts[name], keys)]
    whole = [name for name in unique if name in dated or name.lower() not in PARTS]
    if whole:
        return (whole[0],)
    if parts := time_parts(others, texts, keys):
        return parts
    if unique or named:
        return ((unique or [name for name in named if name in dated] or named)[0],)
    if len(dated) > 1:
        dated = [name for name in dated if is_unique(texts[name], keys)] or dated
    if len(dated) > 1:
        raise UsageError(f"{table.name}: the columns {', '.join(map(shown, dated))} hold dates: --time says which, "
                         "--time - keeps the order of the rows")  # fmt: skip
    stated = [name for name in others if how.dates and dates.reads(texts[name], how.dates)]
    counted = [name for name in others if name.lower() in COUNTERS and counts_rows(texts[name], keys)]
    if not (dated or stated):
        seeming = [name for name in others if name.lower() in TIME_NAMES or is_unique(texts[name], keys)]
        refuse_unread(table, {name: texts[name] for name in seeming})
    if not (dated or stated or counted):
        row_order.check(table.name, {name: texts[name] for name in others if not is_target(name, how)}, keys)
    return tuple(dated or stated[:1] or counted[:1])


def is_target(name: str, how: Reading) -> bool:
    """Return whether a column is forecast: named, matched by a pattern, or one of a wide file."""
    return (how.wide and not how.target) or any(fnmatch.fnmatchcase(name, target) for target in how.target)


def refuse_twice(table: Table) -> None:
    """Raise UsageError for several columns of one name that is that of a time: neither would be read."""
    twice = next((name for name in table.names if name.lower() in TIME_NAMES and table.names.count(name) > 1), None)
    if twice:
        raise UsageError(f"{table.name}: {table.names.count(twice)} columns are called {twice!r}, needed one: rename "
                         "the others, or keep the order of the rows with --time -")  # fmt: skip


def refuse_unread(table: Table, unique: dict[str, list[str]]) -> None:
    """Raise UsageError for a column of texts that seem to be times in no known form: rows could be in any order.

    They seem so where the column is called like one of times, where each has a year in it, or is a time of day.
    """
    for name, cells in unique.items():
        texts = [cell for cell in cells if cell.lower() not in MISSING]
        numbered = all(map(looks_numeric, texts))
        if (
            texts
            and not numbered
            and (name.lower() in TIME_NAMES or all(map(YEAR.search, texts)) or all(map(CLOCK.fullmatch, texts)))
        ):
            raise UsageError(f"{table.name}, column {name!r}: {shown(texts[0])} is no time in a known form: "
                             f"{way_to_read(table, texts[0])}, --time - takes the rows as they stand")  # fmt: skip


def way_to_read(table: Table, text: str) -> str:
    """Return what helps where a text is no time in a known form."""
    if len(table.names) == 1 and (mark := re.search(r"[^\w.]", table.names[0])):
        return f"a first line 'sep={mark[0]}' says what separates the cells"
    if re.search(r"\d\s?(?:[A-Z]{2,5}|\[.+\])$", text):
        return "a time zone is written as an offset, as in +01:00"
    return "--dates FORMAT says how times are written"


def may_be_time(texts: Sequence[str]) -> bool:
    """Say whether a column named like a time holds any: an index of numbers does where they count rows."""
    return dates.mostly_times(texts) or all(looks_numeric(text) for text in texts if text.lower() not in MISSING)


def holds_times(name: str, texts: Sequence[str]) -> bool:
    """Return whether a column holds times, whatever it is called; plain numbers, by their name or their even rhythm."""
    found = [text for text in texts if text.lower() not in MISSING]
    if not found:
        return False
    if dates.weeks_by_name(name, found):
        return True
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return dates.mostly_times(found) or dates.numeric_times(found, by_name=bool(words & TIME_NAMES or "dt" in words))


def counts_rows(texts: Sequence[str], keys: Sequence[Key]) -> bool:
    """Return whether a column numbers the rows of each series, in whatever order they are."""
    if not all(text.isdecimal() for text in texts) or not is_unique(texts, keys):
        return False
    distinct = {int(text) for text in texts}
    return len(distinct) > 1 and max(distinct) - min(distinct) == len(distinct) - 1


def is_unique(texts: Sequence[str], keys: Sequence[Key]) -> bool:
    """Return whether no series has two rows of one time."""
    return len(set(zip(keys, texts, strict=True))) == len(keys)


def time_parts(names: Sequence[str], texts: dict[str, list[str]], keys: Sequence[Key]) -> tuple[str, ...] | None:
    """Find the fewest columns, from large parts of a time to small ones, that together tell the rows apart."""
    by_name = {name.lower(): name for name in reversed(names)}
    for ways in WAYS:
        chosen = [by_name[part] for part in ways if part in by_name]
        for count in range(2, len(chosen) + 1 if len(chosen) == len(ways) else 0):
            joined = ["\t".join(cells) for cells in zip(*(texts[name] for name in chosen[:count]), strict=True)]
            if is_unique(joined, keys):
                return tuple(chosen[:count])
    return None


def target_columns(table: Table, how: Reading, times: Sequence[str]) -> list[str]:
    """Return the columns to be forecast, in the order of the options.

    Raises UsageError, naming the numeric ones, for none.
    """
    taken = (*times, *how.groups)
    others = [name for name in table.names if name and name not in taken and not name.startswith("Unnamed: ")]
    targets = how.target or (("*",) if how.wide else ())
    if not targets:
        raise no_target(table, others)
    found: list[str] = []
    for target in targets:
        if target in taken:
            raise UsageError(f"--target {target!r}: this column is the {'time' if target in times else 'group'}")
        matched = [target] if target in table.names else [name for name in others if fnmatch.fnmatchcase(name, target)]
        if not matched:
            table.column(target, "--target")  # raises
        if how.wide and target == "*":
            matched = [name for name in matched if any(plain(cell) for cell in table.column(name, "--target"))]
        found += [name for name in matched if name not in found]
    if how.wide:
        found.sort()  # the order of columns decides nothing
    return found


def of_blank(table: Table, how: Reading) -> Iterator[str]:
    """Yield which columns of a wide file have no value at all, and so are left out, in words."""
    if how.wide and (not how.target or "*" in how.target):
        pairs = zip(table.names, table.columns, strict=True)
        blank = [
            shown(name)
            for name, cells in pairs
            if name and not name.startswith("Unnamed: ") and not any(map(plain, cells))
        ]
        if blank:
            yield f"without any value, left out: {', '.join(blank[:MANY])}"


def no_target(table: Table, others: Sequence[str]) -> UsageError:
    """Return the error where no column was named to be forecast."""
    if sum(map(dates.looks_dated, table.names)) > len(table.names) // 2:
        return UsageError(f"--target: name the column to forecast; those of {table.name} are called like times: "
                          "--rows-are-series reads a series from each row")  # fmt: skip
    numeric = [name for name in others if table.is_numeric(name)]
    several = "; --wide takes each as a series" if len(numeric) > 1 else ""
    several += "; --rows-are-series reads a series from each row" if len(numeric) > MANY else ""
    more = f" and {len(numeric) - MANY} more" if len(numeric) > MANY else ""
    names = ", ".join(numeric[:MANY]) or "none"
    return UsageError(f"--target: name the column to forecast; {table.name} has {names}{more}{several}")


def joined_times(table: Table, names: Sequence[str]) -> list[str]:
    """Return the times of rows, from one column or several: a date and an hour, or year, month and day."""
    columns = [table.texts(name, "--time") for name in names]
    if len(columns) == 1:
        return columns[0]
    by_year = all(re.fullmatch(r"\d{4}(?:\.0)?", text, re.ASCII) for text in columns[0])
    if len(columns) == (4 if by_year else 2):  # the last is an hour or a clock time
        columns[-1] = with_colons(columns[-1])
    first, *rest = columns
    if by_year:
        return [of_parts(names, cells, table, row) for row, cells in enumerate(zip(*columns, strict=True))]
    return [of_date(names, cells, table, row) for row, cells in enumerate(zip(first, *rest, strict=True))]


def with_colons(texts: list[str]) -> list[str]:
    """Write clock times as 930 and 1530 with a colon; 45 is 0:45 then. Other columns, hours for one, stay."""
    numbers = [int(text) if text.isdecimal() else -1 for text in (re.sub(r"\.0$", "", text) for text in texts)]
    if min(numbers) < 0 or max(numbers) < 100:
        return texts
    return [f"{number // 100:02}:{number % 100:02}" for number in numbers]


def of_parts(names: Sequence[str], cells: Sequence[str], table: Table, row: int) -> str:
    """Return a year and what follows it, in the order of the columns: month, day, hour, or quarter, or week."""
    year = cells[0][:4]
    rest = list(zip((name.lower() for name in names[1:]), cells[1:], strict=True))
    name, cell = rest[0]
    if "q" in name:
        return f"{year}Q{cell.lstrip('Qq')}"
    if name.startswith(("week", "w", "kw")) and len(rest) == 1:
        return f"{year}-W{int(float(cell)):02}" if cell.isdecimal() else cell
    month = date_forms.month_number(cell) or whole(cell, name, table, row)
    day = whole(rest[1][1], rest[1][0], table, row) if len(rest) > 1 else 1
    return f"{year}-{month:02}-{day:02}" + clock(rest[2:], table, row)


def of_date(names: Sequence[str], cells: Sequence[str], table: Table, row: int) -> str:
    """Return a date and the time of day behind it: an hour, 1 to 24 or 0 to 23, or a clock time."""
    return cells[0] + clock(list(zip(names[1:], cells[1:], strict=True)), table, row)


def clock(parts: Sequence[tuple[str, str]], table: Table, row: int) -> str:
    """Return the time of day from columns of hours, minutes and so on, or from one of clock times."""
    if not parts:
        return ""
    if ":" in parts[0][1] or parts[0][1][-1:].lower() == "m":
        return " " + parts[0][1]
    if re.fullmatch(r"\d{1,2}\.\d{2}(?:\.\d{2})?", parts[0][1], re.ASCII):  # 18.00.00
        return " " + parts[0][1].replace(".", ":")
    numbers = [whole(cell, name, table, row) for name, cell in parts]
    if numbers[0] > 24:
        raise UsageError(f"{table.where(row)}, column {parts[0][0]!r}: {shown(parts[0][1])} is no hour, needed 0 to 24")
    return " " + ":".join(f"{number:02}" for number in (*numbers, 0)[: max(2, len(numbers))])


def whole(cell: str, name: str, table: Table, row: int) -> int:
    """Return a whole number in a part of a time. Raises UsageError with the line."""
    if not re.fullmatch(r"[HhMm]?\d+(?:\.0)?", cell, re.ASCII):
        raise UsageError(f"{table.where(row)}, column {name!r}: {shown(cell)} is not a whole number, as a part of a "
                         "time has to be")  # fmt: skip
    return int(cell.lstrip("HhMm").partition(".")[0])

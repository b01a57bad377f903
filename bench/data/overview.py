"""How a file is understood: its columns, how often values come, the season, holes, short series, what is scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.data import dates, preparations, seasons, splits
from bench.data.numbers import MISSING
from bench.data.series import SeriesSet, read_series
from bench.data.splits import Prepared, shortened
from bench.data.tables import Table, plain, read_table
from bench.errors import UsageError
from bench.schema.series import Preparation

EXAMPLES = 2  # cells that are shown of a column
MANY = 20  # columns that are shown


@dataclass(frozen=True)
class Column:
    """A column of a file, in words."""

    name: str
    role: str  # time, group, target, or nothing
    kind: str  # times, numbers or texts
    missing: int
    examples: str


@dataclass(frozen=True)
class Overview:
    """A file as it is understood, as far as it can be."""

    columns: Sequence[Column]
    left: int  # columns not listed
    found: SeriesSet | None
    prepared: Prepared | None
    lines: Sequence[str]  # the rest, in words
    problem: str | None  # why the file cannot be used as it is


def look(file: Path, given: Mapping[str, Any]) -> Overview:
    """Read a file as options say, and say how it is understood; problems beyond the table are part of the answer.

    Raises UsageError for a file that is no table.
    """
    how = asked(file, given)
    table = read_table(file, how)
    found, problem = read_anyway(file, how)
    columns = [column_of(table, place, how, found) for place in range(min(len(table.names), MANY))]
    lines, prepared = [], None
    if found:
        lines += list(of_series(found))
        if given.get("season") is None:
            season = seasons.find(found)
            removed = msgspec.UNSET if given.get("deseasonalise") or not season.steps else False
            how = msgspec.structs.replace(how, season=season.steps, deseasonalise=removed)
            lines.append(f"season: {season.reason}")
        else:
            lines.append(f"season: {how.season or preparations.NONE}, as stated")
        try:
            how = splits.with_fitting_history(found, how) if given.get("history") is None else how
            prepared = splits.prepare(splits.long_enough(found, how), how)
            lines += list(of_windows(found, prepared))
        except UsageError as error:
            problem = problem or str(error)
    return Overview(columns, len(table.names) - len(columns), found, prepared, lines, problem)


def read_anyway(file: Path, how: Preparation) -> tuple[SeriesSet | None, str | None]:
    """Return the series, with holes filled if need be to see them, and what is wrong with them."""
    try:
        return read_series(file, how), None
    except UsageError as error:
        problem = str(error)
    if how.impute is None:
        try:
            return read_series(file, msgspec.structs.replace(how, impute="zero")), problem
        except UsageError as error:
            problem += f"; and, once that is settled, {error}" if str(error) != problem else ""
    return None, problem


def column_of(table: Table, place: int, how: Preparation, found: SeriesSet | None) -> Column:
    """Return one column in words."""
    name = table.names[place]
    cells = [plain(cell) for cell in table.columns[place]]
    known = [cell for cell in cells if cell.lower() not in MISSING]
    times, groups = (found.time, found.groups) if found else (how.times, how.groups)
    role = "time" if name in times else "group" if name in groups else ""
    if not role and found and (name in found.channels or name in {one.name for one in found.series}):
        role = "target"
    kind = "texts"
    if isinstance(table.columns[place], np.ndarray) or table.is_numeric(name):
        kind = "numbers"
    elif dates.mostly_times(known):
        kind = "times"
    return Column(name, role, kind, len(cells) - len(known), ", ".join(known[:EXAMPLES]))


def of_series(found: SeriesSet) -> Iterator[str]:
    """Yield rhythm, span, holes and what was left out, in words."""
    first = min(one.start for one in found.series)
    last = max(one.end for one in found.series)
    yield f"series: {found.describe()}"
    if found.calendar.has_times:
        yield f"from {found.calendar.at(first)} to {found.calendar.at(last - 1)}, next {found.calendar.at(last)}"
    lengths = sorted(len(one.values) for one in found.series)
    if lengths[0] < lengths[-1]:
        yield f"lengths: {lengths[0]} to {lengths[-1]} steps, median {lengths[len(lengths) // 2]}"
    holed = [one for one in found.series if one.imputed.any()]
    if holed:
        names = shortened([one.name for one in holed if one.name])
        yield f"holes: {found.imputed} values are missing between others" + (f", in {names}" if names else "")
    yield from found.notes


def of_windows(found: SeriesSet, prepared: Prepared) -> Iterator[str]:
    """Yield what would be trained on and scored, in words."""
    how = prepared.preparation
    counts = ", ".join(f"{len(part.series)} {name}" for name, part in prepared.parts._asdict().items())
    yield f"windows: {how.history} steps → {how.ahead} steps: {counts}"
    scored = set(prepared.parts.test.series.tolist())
    short = [one.name for place, one in enumerate(prepared.series) if place not in scored
             and one.name not in prepared.constant]  # fmt: skip
    yield f"scored: {prepared.scored} of {len(found.series)} series"
    if short:
        yield f"too short to be scored: {shortened(short)} (--history sets T, --drop-short leaves them out)"
    if prepared.constant:
        yield f"constant in training, not scored: {shortened(prepared.constant)}"


def asked(file: Path, given: Mapping[str, Any]) -> Preparation:
    """Return how the file is to be read.

    The season is not looked for yet, as the file may be one that cannot be read.
    """
    if given.get("season") is not None:
        return preparations.preparation_of(file, given)
    return preparations.preparation_of(file, {**given, "season": preparations.NONE, "deseasonalise": False})

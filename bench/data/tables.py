"""CSV and Parquet files as named columns, each cell with its line number."""

from __future__ import annotations

import io
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data import nested, numbers, text_files
from bench.data.nested import isoformat, plain
from bench.data.numbers import LARGEST, MISSING, shown
from bench.errors import UsageError, unknown
from bench.machine.system import files as system_files
from bench.records import files
from bench.schema.series import Reading

__all__ = ["MISSING", "Table", "content_of", "plain", "read_table", "shown"]

DEFAULT = Reading()
PATIENCE = 5.0  # seconds that a pipe is waited for

#: how files begin that are often taken for tables
FOREIGN = {
    b"PK\x03\x04": "a workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by name, each a list of texts (CSV) or an array (Parquet), and the line of every row."""

    name: str  # of the file, for messages
    unit: str  # what a row is called: line or row
    names: Sequence[str]  # as in the file: one may stand twice
    columns: Sequence[Any]
    lines: Sequence[int]
    how: Reading = DEFAULT
    delimiter: str = ""  # of a text file
    notes: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """Return a row in words."""
        return f"{self.name}, {self.unit} {self.lines[row]}"

    def column(self, name: str, option: str) -> Any:
        """Return the cells under a name. Raises UsageError unless exactly one column has it."""
        if name not in self.names:
            raise UsageError(f"{option}: {unknown(f'column of {self.name}', name, filter(None, self.names))}")
        if self.names.count(name) > 1:
            raise UsageError(f"{option}: {self.name} has {self.names.count(name)} columns named {name!r}, needed one")
        return self.columns[self.names.index(name)]

    def numbers(self, name: str, option: str) -> np.ndarray:
        """Return a column as float64 [rows], NaN where a cell is missing.

        Raises UsageError with the line of a bad cell.
        """
        cells = self.column(name, option)
        if isinstance(cells, np.ndarray):
            values = cells
        else:
            values = numbers.read_numbers(
                cells, name, self.where, self.how, self.delimiter, lambda: self.decimal_marks(name)
            )
        values = np.where(np.isin(values, numbers.missing_numbers(self.how)), np.nan, values)
        too_large = np.flatnonzero(np.abs(values) > LARGEST)
        if len(too_large):
            where, value = self.where(too_large[0]), values[too_large[0]]
            raise UsageError(f"{where}, column {name!r}: {value:g} is too large, {LARGEST:g} is not")
        return values

    def decimal_marks(self, besides: str) -> set[str]:
        """Return the decimal marks that the other columns show."""
        found: set[str] = set()
        for name, cells in zip(self.names, self.columns, strict=True):
            if name != besides and not isinstance(cells, np.ndarray):
                parts = [numbers.taken_apart(cell) for cell in cells if cell.lower() not in MISSING]
                if parts and all(part and numbers.is_one(part) for part in parts):  # 01.02.2024 is none
                    mark = numbers.Marks.of([(row, part) for row, part in enumerate(parts) if part]).decimal
                    found |= {mark} if mark else set()
        return found

    def texts(self, name: str, option: str, missing: frozenset[str] = MISSING) -> list[str]:
        """Return a column as stripped texts. Raises UsageError with the line of a missing cell."""
        texts = [plain(cell) for cell in self.column(name, option)]
        for row, text in enumerate(texts):
            if text.lower() in missing:
                place = len(texts) - row
                hint = f"; --skip-footer {place} leaves out the end" if place <= text_files.NEAR_THE_END else ""
                raise UsageError(
                    f"{self.where(row)}, column {name!r}: the cell is empty, {option} needs every one{hint}"
                )
        return texts

    def is_numeric(self, name: str) -> bool:
        """Return whether every cell is a number or missing, and one is a number."""
        if self.names.count(name) != 1:
            return False
        try:
            return bool(np.isfinite(self.numbers(name, "")).any())
        except UsageError:
            return False


def read_table(source: Path | bytes, how: Reading = DEFAULT, name: str | None = None) -> Table:
    """Return a CSV or Parquet file, or its content. Raises UsageError for anything else."""
    if isinstance(source, Path):
        content, name = content_of(source), name or source.name
    else:
        content, name = source, name or "the data"
    if foreign := next((what for start, what in FOREIGN.items() if content.startswith(start)), None):
        raise UsageError(f"{name}: got {foreign}, needed CSV or Parquet")
    table = read_parquet(content, name, how) if content[:4] == b"PAR1" else read_csv(content, name, how)
    if not len(table.lines):
        raise UsageError(f"{name}: there is no row below the names of the columns")
    return table


def content_of(path: Path) -> bytes:
    """Return the bytes of a file, or of a pipe that somebody writes to. Raises UsageError where it cannot be read."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode):
            return system_files.read_pipe(path, PATIENCE)
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise ValueError("a device, not a file")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {files.reason_of(error)}") from None


def read_csv(content: bytes, name: str, how: Reading) -> Table:
    """Return a text file: delimiter, titles and units are found out, quotes as in RFC 4180."""
    found = text_files.rows_of(content, name, how)
    columns = [list(column) for column in zip(*(cells for _, cells in found.rows), strict=True)]
    columns = columns or [[] for _ in found.names]
    names = [named if named or not any(cells) else f"Unnamed: {place}"
             for place, (named, cells) in enumerate(zip(found.names, columns, strict=True))]  # fmt: skip
    lines = [line for line, _ in found.rows]
    return Table(name, "line", names, columns, lines, how, found.delimiter, found.notes)


def read_parquet(content: bytes, name: str, how: Reading) -> Table:
    """Read numbers as float64 and keep other values; use row numbers as line numbers. Lists become rows."""
    import pyarrow
    import pyarrow.parquet
    import pyarrow.types as types

    try:
        # without threads: one that still runs when Python ends aborts the process
        read = pyarrow.parquet.read_table(io.BytesIO(content), use_threads=False, pre_buffer=False)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"{name}: not a Parquet file that can be read: {files.reason_of(error)}") from None
    names = ["Unnamed: 0" if column == "__index_level_0__" else column for column in read.column_names]
    lists = [types.is_list(one.type) or types.is_large_list(one.type) for one in read.columns]
    if any(lists):
        cells, timed = [column.to_pylist() for column in read.columns], how.times != ("-",)
        flat, lines = nested.one_row_per_value(name, names, cells, lists, timed)
        return Table(name, "row", names, flat, lines, how, notes=("each row is a series, its values in lists",))
    columns: list[Any] = [parquet_column(column) for column in read.columns]
    return Table(name, "row", names, columns, range(1, read.num_rows + 1), how)


def parquet_column(column: Any) -> Any:
    """Return a column of numbers as an array, NaN where it is null; any other as a list of texts."""
    import pyarrow.types as types

    kind = column.type
    if types.is_float32(kind) or types.is_float16(kind):  # as the CSV of it would read
        return np.array([np.nan if value is None else float(str(np.float32(value))) for value in column.to_pylist()])
    if types.is_integer(kind) and any(abs(value) > numbers.EXACT for value in column.to_pylist() if value is not None):
        return [plain(value) for value in column.to_pylist()]  # digits that a float would lose
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return np.array([np.nan if value is None else float(value) for value in column.to_pylist()])
    texts = types.is_temporal(kind)
    return [isoformat(value) if texts else plain(value) for value in column.to_pylist()]

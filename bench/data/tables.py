"""CSV and Parquet files as named columns, each cell with the line that it stands on."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError, unknown
from bench.records import files

DELIMITERS = ",;\t|"
MISSING = frozenset(["", "na", "n/a", "#n/a", "nan", "null", "none"])  # in any case
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LARGEST = 1e100  # of a number: its square has to be one too
SHOWN = 40  # letters of a bad cell

#: the byte-order marks that a text file may begin with; those of UTF-32 begin as those of UTF-16
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

#: how files begin that are often taken for tables
FOREIGN = {
    b"PK\x03\x04": "a workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\x1f\x8b": "compressed",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Table:
    """Columns by name, each a list of texts (CSV) or an array (Parquet), and the line of every row."""

    name: str  # of the file, for messages
    unit: str  # what a row is called: line or row
    names: Sequence[str]  # as in the file: one may stand twice
    columns: Sequence[Any]
    lines: Sequence[int]
    decimal_comma: bool = False  # whether commas may be decimal marks: only where they separate no cells

    def where(self, row: int) -> str:
        """A row in words."""
        return f"{self.name}, {self.unit} {self.lines[row]}"

    def column(self, name: str, option: str) -> Any:
        """The cells under a name. Raises UsageError unless exactly one column has it."""
        if name not in self.names:
            raise UsageError(f"{option}: {unknown(f'column of {self.name}', name, filter(None, self.names))}")
        if self.names.count(name) > 1:
            raise UsageError(f"{option}: {self.name} has {self.names.count(name)} columns named {name!r}, needed one")
        return self.columns[self.names.index(name)]

    def numbers(self, name: str, option: str) -> np.ndarray:
        """A column as float64 [rows], NaN where a cell is missing. Raises UsageError with the line of a bad cell."""
        cells = self.column(name, option)
        if isinstance(cells, np.ndarray):
            return self._checked(cells, name)
        comma = self.decimal_comma and any("," in cell for cell in cells)
        values = np.empty(len(cells))
        for row, cell in enumerate(map(str.strip, cells)):
            if cell.lower() in MISSING:
                values[row] = np.nan
                continue
            if comma and "." not in cell:
                cell = cell.replace(",", ".", 1)
            elif comma:
                raise UsageError(f"{self.where(row)}, column {name!r}: {shown(cell)} has a point, other cells a comma: "
                                 "write decimals with one of them, and thousands without any")  # fmt: skip
            if not NUMBER.fullmatch(cell):
                raise UsageError(f"{self.where(row)}, column {name!r}: {shown(cell)} is not a number")
            values[row] = float(cell)
        return self._checked(values, name)

    def _checked(self, values: np.ndarray, name: str) -> np.ndarray:
        too_large = np.flatnonzero(np.abs(values) > LARGEST)
        if len(too_large):
            value = values[too_large[0]]
            raise UsageError(f"{self.where(too_large[0])}, column {name!r}: {value:g} is too large, {LARGEST:g} is not")
        return values

    def texts(self, name: str, option: str) -> list[str]:
        """A column as stripped texts. Raises UsageError with the line of a missing cell."""
        cells = self.column(name, option)
        texts = [plain(cell) for cell in cells]
        for row, text in enumerate(texts):
            if text.lower() in MISSING:
                raise UsageError(f"{self.where(row)}, column {name!r}: the cell is empty, {option} needs every one")
        return texts

    def is_numeric(self, name: str) -> bool:
        """Whether every cell is a number or missing, and one is a number."""
        if self.names.count(name) != 1:
            return False
        try:
            return bool(np.isfinite(self.numbers(name, "")).any())
        except UsageError:
            return False


def plain(cell: Any) -> str:
    """A cell as text: whole numbers without a decimal point, times as ISO 8601."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return "" if cell is None or cell != cell else str(cell).strip()


def shown(cell: str) -> str:
    """A cell for a message: quoted, in one line, not too long."""
    return repr(cell if len(cell) <= SHOWN else cell[:SHOWN] + "…")


def read_table(source: Path | bytes, name: str | None = None) -> Table:
    """A CSV or Parquet file, or its content. Raises UsageError for anything else."""
    if isinstance(source, Path):
        content, name = content_of(source), name or source.name
    else:
        content, name = source, name or "the data"
    if foreign := next((what for start, what in FOREIGN.items() if content.startswith(start)), None):
        raise UsageError(f"{name}: this is {foreign}, needed CSV or Parquet")
    table = read_parquet(content, name) if content[:4] == b"PAR1" else read_csv(content, name)
    if not len(table.lines):
        raise UsageError(f"{name}: there is no row below the names of the columns")
    return table


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises UsageError where it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {files.reason_of(error)}") from None


def read_csv(content: bytes, name: str) -> Table:
    """Comma, semicolon, tab or bar between the cells, a first line of names; quotes as in RFC 4180."""
    text = decoded(content, name)
    rows = split_lines(text, name)
    first = next(rows, None)
    if first is None:
        raise UsageError(f"{name}: the file is empty, needed a line of column names and rows below it")
    names, delimiter = first[1], delimiter_of(text)
    if all(NUMBER.fullmatch(cell) for cell in names):
        raise UsageError(f"{name}, line {first[0]}: got {shown(names[0])}, needed the names of the columns")
    lines, cells = [], []
    for line, row in rows:
        if len(row) > len(names) and not any(row[len(names) :]):
            row = row[: len(names)]  # delimiters at the end of a line
        if len(row) != len(names):
            raise UsageError(f"{name}, line {line}: got {len(row)} cells, needed {len(names)} as in the first line")
        lines.append(line)
        cells.append(row)
    columns = [list(column) for column in zip(*cells, strict=True)]
    return Table(name, "line", names, columns, lines, decimal_comma=delimiter != ",")


def decoded(content: bytes, name: str) -> str:
    """The text of a file in UTF-8, or in what its byte-order mark says. Raises UsageError with the line."""
    mark, encoding = next(((mark, code) for mark, code in MARKS.items() if content.startswith(mark)), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[len(mark) + error.start]:02x}"
        raise UsageError(f"{name}, line {line}: byte {byte} is not {encoding.upper()}: save it as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(f"{name}, line {line}: a zero byte: neither CSV nor Parquet")
    return text


def split_lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty: the line that it begins on, and its stripped cells. Raises UsageError."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{name}, line {line}: {error}: neither CSV nor Parquet") from None


def delimiter_of(text: str) -> str:
    """What stands most often between the names in the first line that is not empty."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=unquoted.count)


def read_parquet(content: bytes, name: str) -> Table:
    """Numbers as float64, anything else as it comes; the row's number stands for the line."""
    import pyarrow
    import pyarrow.parquet

    try:
        read = pyarrow.parquet.read_table(io.BytesIO(content))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"{name}: not a Parquet file that can be read: {files.reason_of(error)}") from None
    columns: list[Any] = [parquet_column(column) for column in read.columns]
    return Table(name, "row", list(read.column_names), columns, range(1, read.num_rows + 1))


def parquet_column(column: Any) -> Any:
    """A column of numbers as an array, NaN where it is null; any other as a list of texts."""
    import pyarrow.types as types

    kind = column.type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return np.array([np.nan if value is None else float(value) for value in column.to_pylist()])
    texts = types.is_temporal(kind)
    return [isoformat(value) if texts else plain(value) for value in column.to_pylist()]


def isoformat(value: Any) -> str:
    """A date or a time as ISO 8601; empty where there is none."""
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)

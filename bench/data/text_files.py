"""Text files as rows of cells: encoding, delimiter, titles above the names, comments, rows of units, footers.

rows_of(content, name, reading) -> Rows, or UsageError with the line that is wrong and the option that helps
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.data import dates, numbers
from bench.data.numbers import shown
from bench.errors import UsageError
from bench.schema.series import Reading

DELIMITERS = ",;\t|"
SAMPLE = 60  # rows that tell the delimiter and the width
NEAR_THE_END = 5  # rows that may be a footer
TITLES = 8  # rows that may be above the names

#: the byte-order marks that a text file may begin with; those of UTF-32 begin as those of UTF-16
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

Row = tuple[int, list[str]]  # the line that it begins on, and its stripped cells


class Rows(NamedTuple):
    """The names of the columns, and every row below them."""

    names: list[str]
    rows: list[Row]
    delimiter: str
    notes: tuple[str, ...]  # what was left out


def rows_of(content: bytes, name: str, how: Reading) -> Rows:
    """Return the rows of a text file, those without any cell aside. Raises UsageError."""
    text = without_comments(decoded(content, name, how.encoding or ""), how)
    text, delimiter = delimiter_of(text)
    rows = list(split_lines(text, delimiter, name))
    rows = without_last_blanks(rows[: len(rows) - (how.skip_footer or 0)])
    if not rows:
        raise UsageError(f"{name}: the file is empty, needed a line of column names and rows below it")
    notes: list[str] = []
    if how.no_header:
        names = [str(place + 1) for place in range(max(len(cells) for _, cells in rows[:SAMPLE]))]
    else:
        rows, notes = below_titles(rows)
        (line, names), *rows = rows
        check_names(names, line, rows, name, how)
    rows = [(line, as_wide(cells, names, line, place, rows, name, how)) for place, (line, cells) in enumerate(rows)]
    if not how.no_header and is_row_of_units(rows):
        notes.append(f"line {rows[0][0]} is taken for a row of units")
        rows = rows[1:]
    return Rows(names, rows, delimiter, tuple(notes))


def decoded(content: bytes, name: str, encoding: str) -> str:
    """Return the text of a file, in UTF-8 unless its byte-order mark or `encoding` says otherwise.

    Raises UsageError.
    """
    mark, found = next(((mark, code) for mark, code in MARKS.items() if content.startswith(mark)), (b"", "utf-8"))
    encoding = encoding or found
    try:
        text = content[len(mark) :].decode(encoding)
    except LookupError:
        raise UsageError(f"--encoding {encoding!r}: unknown; utf-8, latin-1, cp1252 and cp1250 are common") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[len(mark) + error.start]:02x}"
        raise UsageError(f"{name}, line {line}: byte {byte} is not {encoding.upper()}: save the file as UTF-8, or "
                         f"{likely_encoding(content)}") from None  # fmt: skip
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        wide = "; it looks like UTF-16: --encoding utf-16" if text.count("\0") > len(text) / 3 else ""
        raise UsageError(f"{name}, line {line}: a zero byte: neither CSV nor Parquet{wide}")
    return unicodedata.normalize("NFC", text)  # é in one letter and in two is one name


def likely_encoding(content: bytes) -> str:
    """Return in words what a text that is not UTF-8 may be written in: Western words have few letters beyond ASCII."""
    if not re.search(rb"[\x80-\xff]{3}", content):
        western = "cp1252" if any(0x80 <= one < 0xA0 for one in content) else "latin-1"
        return f"say --encoding {western}, which is likely"
    found = []
    for encoding in ("gb18030", "shift_jis", "cp1251"):
        with contextlib.suppress(UnicodeDecodeError):
            content.decode(encoding)
            found.append(encoding)
    return f"say --encoding {', '.join(found or ['cp1251'])} (by the language of the text)"


def without_comments(text: str, how: Reading) -> str:
    """Return the text with empty lines in place of those to be left out, so that lines keep their numbers.

    Lines that begin with # above the first other line are comments in any case.
    """
    lines = text.splitlines(keepends=True)
    top = next((place for place, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    for place, line in enumerate(lines):
        marked = how.comment and line.lstrip().startswith(how.comment)
        if place < (how.skip_rows or 0) or marked or place < top:
            lines[place] = "\n"
        elif not how.comment and place >= top:
            break
    return "".join(lines)


def delimiter_of(text: str) -> tuple[str, str]:
    """Return the text, and what separates its cells: what splits most rows into equally many; or what `sep=` says."""
    first, _, rest = text.lstrip("\r\n").partition("\n")
    if stated := re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE):
        return "\n" * (text.count("\n") - rest.count("\n")) + rest, stated[1]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(cells) for cells in sample(text, delimiter))
        width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(0, 0))
        header = next((len(cells) for cells in sample(text, delimiter) if len(cells) >= width), 0)
        return (count / sum(widths.values()), header) if width > 1 else (0.0, 0)

    return text, max(DELIMITERS, key=evenness)


def sample(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows that are not empty, however they are quoted."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        return list(itertools.islice((row for row in rows if any(cell.strip() for cell in row)), SAMPLE))
    except csv.Error:  # no delimiter of this file; where there is no other, `split_lines` says the line and why
        return []


def split_lines(text: str, delimiter: str, name: str) -> Iterator[Row]:
    """Yield each row that is not empty: the line that it begins on, and its stripped cells. Raises UsageError."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{name}, line {line}: {error}: neither CSV nor Parquet") from None


def without_last_blanks(rows: list[Row]) -> list[Row]:
    """Return the rows without the empty cells that a delimiter behind each but the first makes."""
    while len(rows) > 1 and all(len(cells) > len(rows[0][1]) and not cells[-1] for _, cells in rows[1:]):
        rows = [rows[0], *((line, cells[:-1]) for line, cells in rows[1:])]
    return rows


def below_titles(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows from the names of the columns on, and what was above them: rows of fewer cells than most have."""
    widths = Counter(len(cells) for _, cells in rows[:SAMPLE])
    width = max(widths, key=lambda width: (widths[width], width))
    place = above_a_gap(rows)
    while place < len(rows) - 1 and is_title(rows[place][1], rows[place + 1][1], width):
        place += 1
    if len(rows[place][1]) < width:
        place = 0  # no row is as wide as most: not titles, then
    lines = [
        f"line {line} is taken for a title: {shown(' '.join(filter(None, cells)))}" for line, cells in rows[:place]
    ]
    return rows[place:], lines


def above_a_gap(rows: Sequence[Row]) -> int:
    """Return how many rows of words stand above an empty line and further words: titles."""
    for place in range(min(TITLES, len(rows) - 1)):
        if any(map(is_value, rows[place][1])) or not any(len(cells) > 1 for _, cells in rows[place + 1 : place + 2]):
            return 0
        if rows[place + 1][0] - rows[place][0] > 1 and not any(map(is_value, rows[place + 1][1])):
            return place + 1
    return 0


def is_title(cells: list[str], below: list[str], width: int) -> bool:
    """Return whether a row is a title: of fewer cells than most, or one cell above names."""
    alone = bool(cells[0]) and not any(cells[1:]) and sum(map(bool, below)) > 1 and not any(map(is_value, below))
    return len(cells) < width or (width > 1 and alone)


def is_value(cell: str) -> bool:
    """Return whether a cell is a number or a date, as far as its looks tell."""
    return numbers.looks_numeric(cell) or dates.looks_dated(cell)


def check_names(names: list[str], line: int, rows: Sequence[Row], name: str, how: Reading) -> None:
    """Raise UsageError where the first row holds values, not names."""
    counted = names == [str(number) for number in range(len(names))] and len(names) > 2
    if how.rows_are_series or counted:
        return
    below = rows[0][1] if rows else []
    alike = [is_value(name) and is_value(cell) for name, cell in zip(names, below, strict=False)]
    texts = [not is_value(name) and bool(name) for name in names]
    if all(map(numbers.looks_numeric, names)) or (
        sum(alike) > 1 and all(one or text for one, text in zip(alike, texts, strict=False))
        and any(map(dates.looks_dated, names))
    ):  # fmt: skip
        raise UsageError(f"{name}, line {line}: got {shown(next(filter(is_value, names)))}, needed the names of the "
                         "columns: --no-header calls them 1, 2, …; --rows-are-series takes them for times")  # fmt: skip


def as_wide(
    cells: list[str], names: list[str], line: int, place: int, rows: Sequence[Row], name: str, how: Reading
) -> list[str]:
    """Return a row as wide as the names. Raises UsageError, with the option that helps, for another number of cells."""
    if cells[0].startswith("#") and place and not rows[0][1][0].startswith("#"):
        raise UsageError(f"{name}, line {line}: {shown(cells[0])} looks like a comment: --comment '#' leaves "
                         "such lines out")  # fmt: skip
    if len(cells) > len(names) and not any(cells[len(names) :]):
        return cells[: len(names)]  # delimiters at the end of a line
    if len(cells) == len(names):
        return cells
    if len(cells) < len(names) and how.rows_are_series:
        return cells + [""] * (len(names) - len(cells))
    hint = way_out(cells[0], place, len(rows))
    raise UsageError(f"{name}, line {line}: got {len(cells)} cells, needed {len(names)} as in the first line{hint}")


def way_out(cell: str, place: int, count: int) -> str:
    """Return which option leaves out a row that does not fit, by where it is and how it begins."""
    if cell[:1] in ("#", "%", "*", "/") and not dates.looks_dated(cell):
        return f": --comment {cell[:1]!r} leaves such lines out"
    if count - place <= NEAR_THE_END and place:
        return f": --skip-footer {count - place} leaves out the end"
    return ": --skip-rows N leaves out the top" if place <= 1 else ""


def is_row_of_units(rows: Sequence[Row]) -> bool:
    """Return whether the first row holds words above columns of numbers and dates: units, or further names."""
    if len(rows) < 4 or len(rows[0][1]) < 2 or any(map(is_value, rows[0][1])):
        return False
    below = [cells for _, cells in rows[1:SAMPLE]]
    for place, cell in enumerate(rows[0][1]):
        found = [cells[place] for cells in below if cells[place].lower() not in numbers.MISSING]
        if cell and cell.lower() not in numbers.MISSING and found and all(map(numbers.looks_numeric, found)):
            return True
    return False

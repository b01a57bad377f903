"""Texts as numbers: which mark is the decimal one, what marks a missing value, what may stand around digits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bench.errors import UsageError
from bench.schema.series import Reading

Where = Callable[[int], str]  # a row in words

#: texts that mark a missing value, in lower case
MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "#n/a n/a", "n.a.", "nan", "nat", "null", "none", "<na>", "-nan", "#value!", "#div/0!",
     ".", "..", "...", "…", "?", ":", "-", "--", "–", "—"]
)  # fmt: skip
LARGEST = 1e100  # of a number: its square has to be one too
EXACT = 2**53  # the largest whole number up to which a float has all
SHOWN = 40  # letters of a bad cell

SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")
CURRENCY = r"(?:[A-Z]{0,3}[$€£¥₹₩₽₺]|USD|EUR|GBP|JPY|CNY|CHF|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL|kr\.?|zł)"
CELL = re.compile(
    rf"([+-]?)\s*({CURRENCY}?)\s*([+-]?)\s*(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s*({CURRENCY}?)\s*(%?)\s*(-?)"
)
GROUPED = re.compile(r"\d{1,3}(?:([., '’])\d{3})+(?:[.,]\d*)?|\d{1,2}(?:,\d{2})*,\d{3}(?:\.\d*)?")


class Number(NamedTuple):
    """A cell taken apart."""

    negative: bool
    body: str  # digits and marks
    exponent: str
    percent: bool
    currency: str


class Format(NamedTuple):
    """How the numbers of a column are written."""

    decimal: str  # . or ,
    thousands: str  # the mark, or nothing


def shown(cell: str) -> str:
    """Return a cell for a message: quoted, in one line, not too long."""
    return repr(cell if len(cell) <= SHOWN else cell[:SHOWN] + "…")


def missing_texts(how: Reading) -> frozenset[str]:
    """Return all texts that mark a missing value, in lower case."""
    return MISSING | {text.strip().lower() for text in how.missing or ()}


def missing_numbers(how: Reading) -> list[float]:
    """Return the numbers that were stated to mark a missing value, however they are written: -999 is -999.0."""
    parts = [taken_apart(text) for text in how.missing or ()]
    found = [part for part in parts if part and re.fullmatch(r"\d+\.?\d*", part.body)]
    return [float(part.body + part.exponent) * (-1 if part.negative else 1) for part in found]


def taken_apart(cell: str) -> Number | None:
    """Return sign, digits, exponent and percent mark of a cell; None for what is no number."""
    text = SPACES.sub(" ", cell).replace("\u2212", "-").replace("’", "'").strip()
    bracketed = text.startswith("(") and text.endswith(")")
    found = CELL.fullmatch(text[1:-1].strip() if bracketed else text)
    if found is None:
        return None
    first, before, second, body, exponent, behind, percent, last = found.groups()
    signs = [sign for sign in (first, second, last) if sign]
    if len(signs) + bracketed > 1:
        return None
    return Number(
        bracketed or "-" in signs, body.rstrip(), exponent or "", bool(percent), (before or behind).strip(".")
    )


def looks_numeric(cell: str) -> bool:
    """Return whether a cell is a number, however its marks are meant."""
    return taken_apart(cell) is not None


def is_one(number: Number) -> bool:
    """Say whether the digits make one number: with one mark, or in groups of thousands."""
    return len(re.findall(r"[., ']", number.body)) < 2 or bool(GROUPED.fullmatch(number.body))


class Evidence(NamedTuple):
    """What the cells of a column say of a mark: the rows where it is surely decimal, surely of thousands, or either."""

    decimal: list[int]
    thousands: list[int]
    either: list[int]


def evidence(mark: str, found: Iterable[tuple[int, Number]]) -> Evidence:
    """Return what cells say of a point or a comma."""
    other = "," if mark == "." else "."
    said = Evidence([], [], [])
    for row, number in found:
        body = number.body
        if mark not in body:
            continue
        whole, _, after = body.rpartition(mark)
        if mark in whole or other in after:
            said.thousands.append(row)
        elif len(after) != 3 or other in whole or number.exponent or not re.fullmatch(r"[1-9]\d{0,2}", whole):
            said.decimal.append(row)
        else:
            said.either.append(row)
    return said


class Marks(NamedTuple):
    """What a column's cells say of both marks."""

    point: Evidence
    comma: Evidence
    plain: list[int]  # rows without a mark

    @classmethod
    def of(cls, found: Sequence[tuple[int, Number]]) -> Marks:
        """Gather it from the cells that are numbers."""
        plain = [row for row, number in found if not re.search(r"[.,]", number.body)]
        return cls(evidence(".", found), evidence(",", found), plain)

    @property
    def decimal(self) -> str | None:
        """The decimal mark, as far as cells tell it; None where they do not."""
        if self.point.decimal or self.comma.thousands:
            return "."
        return "," if self.comma.decimal or self.point.thousands else None


def read_numbers(
    cells: Sequence[str], column: str, where: Where, how: Reading, delimiter: str, elsewhere: Callable[[], set[str]]
) -> np.ndarray:
    """Return a column of texts as float64, NaN where one is missing. `elsewhere` finds the decimal marks of other
    columns.

    Raises UsageError with the line of a cell that is no number, or whose mark may be either, and the option that helps.
    """
    missing = missing_texts(how)
    found: list[tuple[int, Number]] = []
    for row, cell in enumerate(cells):
        if cell.strip().lower() not in missing:
            if (number := taken_apart(cell)) is None:
                raise UsageError(f"{where(row)}, column {column!r}: {shown(cell)} is not a number; where it marks a "
                                 "missing value, say so with --missing TEXT")  # fmt: skip
            found.append((row, number))
    check_units(found, cells, column, where)
    form = stated(how) or inferred(Marks.of(found), cells, column, where, delimiter, elsewhere)
    values: np.ndarray = np.full(len(cells), np.nan)
    for row, number in found:
        text = plain(number.body, form)
        if text is None:
            raise UsageError(f"{where(row)}, column {column!r}: {shown(cells[row])} is not a number with the decimal "
                             f"mark {form.decimal!r}: --decimal and --thousands say which marks are used")  # fmt: skip
        values[row] = float(text + number.exponent) * (-1 if number.negative else 1)
        if text.isdecimal() and not number.exponent and not is_exact(text, abs(values[row])):
            raise UsageError(f"{where(row)}, column {column!r}: {shown(cells[row])} has more digits than are kept; "
                             f"whole numbers are exact up to {EXACT}: subtract a constant or round them")  # fmt: skip
    return values


def is_exact(text: str, value: float) -> bool:
    """Say whether a float has every digit of a whole number."""
    return math.isfinite(value) and int(text.lstrip("0") or "0") == int(value)


def check_units(found: Sequence[tuple[int, Number]], cells: Sequence[str], column: str, where: Where) -> None:
    """Raise UsageError where some numbers are of percent and others are not, and where they are of two currencies."""
    marked = [(row, number.currency) for row, number in found if number.currency]
    other = next((row for row, currency in marked if currency != marked[0][1]), None)
    if other is not None:
        raise UsageError(f"{where(other)}, column {column!r}: {shown(cells[other])} is in another currency than "
                         f"{shown(cells[marked[0][0]])}: write all in one")  # fmt: skip
    with_mark = [row for row, number in found if number.percent]
    without = [row for row, number in found if not number.percent and number.body.strip("0.,")]
    if with_mark and without:
        row = min(without, key=lambda row: row < with_mark[0])
        raise UsageError(f"{where(row)}, column {column!r}: {shown(cells[row])} has no %, other cells have: write all "
                         "in one way")  # fmt: skip


def stated(how: Reading) -> Format | None:
    """Return the format that options state; None where they state none."""
    for option in ("decimal", "thousands"):
        mark = getattr(how, option)
        if mark and (len(mark) != 1 or mark.isalnum()):
            raise UsageError(f"--{option} {mark!r}: needed one mark, as in --{option} ,")
    if not how.decimal and not how.thousands:
        return None
    decimal = how.decimal or ("." if how.thousands != "." else ",")
    thousands = how.thousands or ("," if decimal == "." else ".")
    if decimal == thousands:
        raise UsageError(f"--decimal {decimal} --thousands {thousands}: they have to differ")
    return Format(decimal, thousands)


def inferred(
    marks: Marks, cells: Sequence[str], column: str, where: Where, delimiter: str, elsewhere: Callable[[], set[str]]
) -> Format:
    """Return the format that the cells show. Raises UsageError where they contradict each other, or leave it open."""
    for one, other in ((marks.point.decimal, marks.comma.decimal), (marks.point.decimal, marks.point.thousands),
                       (marks.comma.decimal, marks.comma.thousands),
                       (marks.point.thousands, marks.comma.thousands)):  # fmt: skip
        if one and other:
            raise contradiction(max(one[0], other[0]), cells, column, where)
    decimal = marks.decimal
    if decimal is None and marks.comma.either:
        decimal = only(elsewhere()) or ("," if marks.point.either else None)
        if decimal is None:
            raise ambiguous(marks.comma.either[0], ",", cells, column, where)
        if decimal == "," and marks.point.either:
            raise contradiction(max(marks.comma.either[0], marks.point.either[0]), cells, column, where)
    if decimal is None and marks.point.either and thousands_like(marks, cells, delimiter):
        decimal = only(elsewhere())
        if decimal is None:
            raise ambiguous(marks.point.either[0], ".", cells, column, where)
    decimal = decimal or "."
    return Format(decimal, "," if decimal == "." else ".")


def only(found: set[str]) -> str | None:
    """Return the one member of a set; None where there is another number."""
    return next(iter(found)) if len(found) == 1 else None


def thousands_like(marks: Marks, cells: Sequence[str], delimiter: str) -> bool:
    """Say whether points before exactly three digits, in every cell that has one, may mark thousands."""
    if marks.plain:  # 900, 1.201, 903
        return all(len(re.sub(r"\D", "", cells[row])) <= 3 for row in marks.plain)
    return delimiter == ";"


def ambiguous(row: int, mark: str, cells: Sequence[str], column: str, where: Where) -> UsageError:
    """Return the error for a mark that may be either."""
    name = "comma" if mark == "," else "point"
    return UsageError(f"{where(row)}, column {column!r}: in {shown(cells[row])} the {name} may mark thousands or "
                      f"decimals: --thousands {mark} or --decimal {mark} says which")  # fmt: skip


def contradiction(row: int, cells: Sequence[str], column: str, where: Where) -> UsageError:
    """Return the error for cells that use marks in two ways."""
    has, others = ("point", "comma") if "." in cells[row] else ("comma", "point")
    return UsageError(f"{where(row)}, column {column!r}: {shown(cells[row])} has a {has}, other cells a {others}, each "
                      "as a decimal mark: --decimal and --thousands say which marks are used")  # fmt: skip


def plain(body: str, form: Format) -> str | None:
    """Return digits with a decimal point as Python reads them; None where the marks do not fit the format."""
    whole, mark, after = body.partition(form.decimal)
    if form.decimal in after or not re.fullmatch(r"\d*", after):
        return None
    if not re.fullmatch(r"\d*", whole):
        if not GROUPED.fullmatch(whole) or len(set(re.sub(r"\d", "", whole).replace("’", "'"))) > 1:
            return None
        if re.sub(r"\d", "", whole)[0] not in (form.thousands, " ", "'"):
            return None
        whole = re.sub(r"\D", "", whole)
    return f"{whole or '0'}.{after}" if mark else whole

"""`bench compare`: two rows of the board, or two folders of records, read, compared and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.analysis import comparison
from bench.analysis.statistics import LEVEL
from bench.errors import UsageError
from bench.records import repository, stores
from bench.records.stores import Place, Remote
from bench.schema.record import Run
from bench.text import digits


def find(first: str, second: str, task: str | None, folder: Place) -> list[dict[str, Any]]:
    """Return the differences of two folders, or of two rows of one. Raises UsageError for what is neither."""
    places = [stores.place(name) for name in (first, second)]
    if any(isinstance(place, Remote) for place in places) or all(stores.of(place).exists() for place in places):
        return comparison.compare_folders(*map(_runs, places))
    return comparison.compare_rows(_runs(folder), first, second, task)


def _runs(folder: Place) -> list[Run]:
    if not stores.of(folder).exists():
        raise UsageError(f"no results folder {str(folder)!r}")
    return repository.read(folder)[0]


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table, those that differ first of all counted."""
    from tabulate import tabulate

    lines = [
        [row["task"], row["row"], row["measure"], *(figure(row[name]) for name in ("first", "second")),
         "" if row["percent"] is None else f"{row['percent']:+.1f}", row["verdict"], likelihood(row["p"]), row["why"]]
        for row in rows
    ]  # fmt: skip
    header = ["task", "row", "measure", "first", "second", "%", "verdict", "p", "why"]
    align = ["left"] * 3 + ["right"] * 3 + ["left"] * 3
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in dict.fromkeys(
        ("differs", "within noise", "same", "unknown"))}  # fmt: skip
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    tests = sum(row["p"] is not None for row in rows)
    note = f"\np: of no difference, Holm's correction over the {tests} tests made here, {LEVEL:.0%} for all of them"
    answer = f"{summary or 'nothing to compare'}{note if tests else ''}"
    return f"{tabulate(lines, header, disable_numparse=True, colalign=align)}\n\n{answer}"


def likelihood(p: float | None) -> str:
    """A p-value as a person reads it."""
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def figure(value: float | None) -> str:
    """A measure as a person reads it."""
    return "" if value is None else digits(value)

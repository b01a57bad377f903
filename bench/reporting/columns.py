"""Cells and names that the board, the page and the figures share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.analysis.table import CPU, variant
from bench.metrics import shown
from bench.reporting.markdown import escape
from bench.text import NOTHING, decimals, digits

#: their order in a table; given here, so that a board of old records renders whatever became of the methods
BACKENDS = ("numpy", "keras", "keras-jax", "torch")
OUTSIDE = "†"  # behind a method that is not of this repository: its name has a dot
DISTURBED = "?"  # behind a time that was taken on a busy machine


def order(backends: Iterable[str]) -> list[str]:
    """Backends in the board's order, unknown ones after the known."""
    present = set(backends)
    return [name for name in BACKENDS if name in present] + sorted(present - set(BACKENDS))


def label(method: str, changed: Sequence[str] = (), native: bool = False, device: str = CPU) -> str:
    """Name a row: the method, marked where it is not of this repository, with what it has changed in brackets."""
    marked = f"{method}{OUTSIDE}" if "." in method else method
    apart = variant(changed, native, device)
    return f"{marked} ({apart})" if apart else marked


def seconds(value: float, valid: bool = True) -> str:
    """Seconds or milliseconds with about three digits, marked where only disturbed runs were timed."""
    text = decimals(value, 0 if value >= 100 else 1 if value >= 10 else 2)
    return text if valid or text == NOTHING else text + DISTURBED


def spread(mean: float, interval: float) -> str:
    """A mean and half its interval to the same decimal place; the mean alone where there is no interval."""
    text = digits(mean)
    if not math.isfinite(interval):
        return text
    half = digits(interval, 2) if "e" in text else decimals(interval, len(text.partition(".")[2]))
    return f"{text} ± {half}"


@dataclass(frozen=True)
class Column:
    """A column of the tables of all rows: its key on the page, its header, the figure behind a row, and its text."""

    name: str
    label: str
    value: Callable[[Any], Any]  # what the page sorts by; NaN for none
    format: Callable[[Any], str]  # as a person reads it, not escaped
    help: str = ""
    left: bool = False  # aligned so
    shown: Callable[[pd.DataFrame], bool] = lambda rows: True  # on a board with these rows


def measure(name: str, label: str, text: Callable[[float], str], **more: Any) -> Column:
    """Return the column of one figure of a row."""
    return Column(name, label, lambda row: getattr(row, name), lambda row: text(getattr(row, name)), **more)


def time(name: str, label: str, **more: Any) -> Column:
    """Return the column of a time, marked where only disturbed runs were timed."""
    return Column(
        name, label, lambda row: getattr(row, name), lambda row: seconds(getattr(row, name), row.timing_valid), **more
    )


def count(value: float) -> str:
    """Write a whole number with its thousands apart; a dash where there is none."""
    return f"{value:,.0f}" if math.isfinite(value) else NOTHING


def seeds_of(row: Any) -> str:
    """Say how many seeds count, and of how many where some failed."""
    return str(row.seeds) if row.seeds == row.seeds_tried else f"{row.seeds} of {row.seeds_tried}"


def row_label(row: Any) -> str:
    """Name a row of a ranking."""
    return label(row.method, row.changed, row.native, row.device)


#: every column of a row, method x backend: the board, the page and its legend show these, in this order
COLUMNS = (
    Column("rank", "rank", lambda row: row.rank, lambda row: str(row.rank)),
    Column("method", "method", row_label, row_label, left=True),
    Column("backend", "backend", lambda row: row.backend, lambda row: row.backend, left=True),
    Column(
        "last_step_mse", "last-step MSE", lambda row: row.last_step_mse,
        lambda row: spread(row.last_step_mse, row.interval),
    ),
    *(measure(metric.name, metric.title, metric.text) for metric in shown("board") if metric.name != "last_step_mse"),
    measure("skill", "skill (%)", decimals),
    time("fit_seconds", "fit s"),
    time("predict_ms", "predict ms"),
    measure("parameters", "parameters", count),
    measure("notes", "notes' figure", digits),
    measure("ratio", "ratio", lambda value: decimals(value, 2)),
    Column("seeds", "seeds", lambda row: row.seeds, seeds_of),
    measure("to_limit", "× limit", decimals, shown=lambda rows: bool(rows["to_limit"].notna().any())),
)  # fmt: skip


def cells(columns: Sequence[Column], row: Any) -> list[str]:
    """Return the texts of a row for a table in Markdown."""
    return [escape(column.format(row)) for column in columns]

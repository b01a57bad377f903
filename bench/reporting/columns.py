"""COLUMNS: every column of the board on one screen, used by its tables, the page, the terminal, JSON and CSV.

A row is one of `analysis.ranking`: a competitor (a method with its settings), or one of its backends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bench import metrics
from bench.analysis.table import CPU, variant
from bench.reporting.markdown import escape
from bench.tasks import main_metric
from bench.text import NOTHING, decimals, digits
from implementations.kinds import FORECAST

#: their order in a table; given here, so that a board of old records renders whatever became of the methods
BACKENDS = ("numpy", "keras", "keras-jax", "torch")
OUTSIDE = "†"  # behind a method that is not of this repository: its name has a dot
MIXED = "‡"  # behind a row whose records were made by several versions of the code
DISTURBED = "?"  # behind a time that was taken on a busy machine

WIDEST = 999  # percent of an interval that is still written out
#: the tables that a column can be in: the first of the page, one of a task's methods, all its rows, the HTML page,
#: the terminal, and a row as data
OVERVIEW, SUMMARY, ALL, PAGE, TERMINAL, DATA = "overview", "summary", "all", "page", "terminal", "data"


@dataclass(frozen=True)
class Column:
    """A column: its key, its header, the figure behind a row (for sorting, JSON and CSV), and its text."""

    name: str
    label: str
    value: Callable[[Any], Any]
    format: Callable[[Any], str]  # as a person reads it, not escaped
    help: str
    where: tuple[str, ...]
    left: bool = False  # aligned so
    needs: tuple[str, ...] = ()  # fields of a row that it is computed from; none: the field of its name

    def shown(self, rows: pd.DataFrame, table: str) -> bool:
        """Tell whether the column is in this table of these rows: optional ones only where any row has a figure."""
        if table not in self.where:
            return False
        nothing = 0 if self.name == "test_series" else ""
        return self.name not in OPTIONAL or any(row == row and row != nothing for row in rows[self.name])


def order(backends: Iterable[str]) -> list[str]:
    """Return backends in the board's order, unknown ones after the known."""
    present = set(backends)
    return [name for name in BACKENDS if name in present] + sorted(present - set(BACKENDS))


def label(method: str, changed: Sequence[str] = (), native: bool = False, device: str = CPU, members: int = 1) -> str:
    """Name a row: the method, marked where it is not of this repository, with what sets it apart in brackets."""
    marked = f"{method}{OUTSIDE}" if "." in method else method
    budget = f"{members} nets" if members > 1 and f"members={members}" not in changed else ""
    apart = ", ".join(filter(None, [budget, variant(changed, native, device)]))
    return f"{marked} ({apart})" if apart else marked


def name_of(row: Any) -> str:
    """Name a row of a ranking."""
    return label(row.method, row.changed, row.native, row.device, row.members)


def row_label(row: Any) -> str:
    """Name a row of a ranking, marked where its records were made by several versions of the code."""
    return name_of(row) + MIXED * (getattr(row, "codes", 1) > 1)


def seconds(value: float, valid: bool = True) -> str:
    """Write seconds or milliseconds with about three digits, marked where only disturbed runs were timed."""
    text = decimals(value, 0 if value >= 100 else 1 if value >= 10 else 2)
    return text if valid or text == NOTHING else text + DISTURBED


def with_interval(value: float, low: float, high: float, count: int = 4) -> str:
    """Write a figure and half the width of its interval of ratios, in percent; the figure alone without one."""
    text = digits(value, count)
    if not (0 < low < high < math.inf):
        return text
    half = 100 * (math.sqrt(high / low) - 1)
    shown = decimals(half, 0 if half >= 9.95 else 1) if half < WIDEST else f">{WIDEST}"
    return f"{text} ± {shown} %"


def rank_text(row: Any) -> str:
    """Write a place and its interval, as 8 (8–12); the place alone where it is certain."""
    return f"{row.place} ({row.rank_low}–{row.rank_high})" if row.rank_low < row.rank_high else str(row.place)


def noise(row: Any) -> str:
    """Say what the interval of a row's error is of: seeds, series or both; empty without one."""
    if not row.low < row.high:
        return ""
    if row.blocks is None:
        return "seeds"
    return "series" if row.chance == 0 else "both"


def timed_text(row: Any) -> str:
    """Say how many undisturbed runs a time is of, and their range: `5: 3.02–3.21`."""
    if not row.undisturbed:
        return "0"
    if row.undisturbed == 1:
        return "1"
    return f"{row.undisturbed}: {seconds(row.fit_low)}–{seconds(row.fit_high)}"


def against_text(row: Any) -> str:
    """Write how far a backend is from the mean of the method's backends, and the verdict on it."""
    if not row.verdict:
        return ""
    return str(row.verdict) if row.verdict == "same" else f"{100 * row.against:+.1f} %, {row.verdict}"


def keys_text(row: Any) -> str:
    """Write the beginning of the first record's key, and how many more there are."""
    more = len(row.keys) - 1
    return str(row.keys[0][:8]) + (f" +{more}" if more else "")


def count(value: float) -> str:
    """Write a whole number with its thousands apart; a dash where there is none."""
    return f"{value:,.0f}" if math.isfinite(value) else NOTHING


def seeds_text(row: Any) -> str:
    """Say how many seeds count, and of how many where some failed."""
    tried = getattr(row, "seeds_tried", row.seeds)
    return str(row.seeds) if row.seeds == tried else f"{row.seeds} of {tried}"


def figure(name: str, header: str, text: Callable[[float], str], meaning: str, *where: str) -> Column:
    """Return the column of one figure of a row."""
    return Column(name, header, lambda row: getattr(row, name), lambda row: text(getattr(row, name)), meaning, where)


def custom(name: str, header: str, text: Callable[[Any], str], meaning: str, *where: str, left: bool = False) -> Column:
    """Return the column of one field of a row, with a text of the whole row."""
    return Column(name, header, lambda row: getattr(row, name), text, meaning, where, left)


def _time(name: str) -> Callable[[Any], str]:
    return lambda row: seconds(getattr(row, name), row.timing_valid)


#: columns that a table leaves out where no row has a figure
OPTIONAL = (
    "to_limit", "skill", "notes", "ratio", "verdict", "test_series", "use",
    *(one.name for one in metrics.METRICS.values() if FORECAST not in one.kinds),
)  # fmt: skip

PLACE = (
    "place by the geometric mean error, in brackets the ranks that are possible: all true ranks of a table "
    "are within their brackets on 95 % of boards. From 1: may be the best."
)

COLUMNS = (
    custom("place", "rank", rank_text, PLACE,
           OVERVIEW, PAGE, SUMMARY, TERMINAL, DATA),
    Column("method", "method", name_of, row_label,
           "`_as_printed` methods repeat the reference's code where it departs from its own formula. "
           f"{MIXED}: its records were made by several versions of the code or of packages.",
           (OVERVIEW, SUMMARY, ALL, PAGE, TERMINAL, DATA), left=True),
    custom("backend", "backend", lambda row: row.backend, "", ALL, PAGE, DATA, left=True),
    custom("test_mse", "test MSE", lambda row: with_interval(row.test_mse, row.low, row.high),
           "mean squared error of the H values forecast from the last history step, on the test part, which served no "
           "choice: what methods are ranked by; of a task that asks for classes their cross-entropy in nats, of hidden "
           "steps their mean squared error. ± is half of a 95 % interval, in percent, from seeds and, where records "
           "have blocks, from the draw of the series.", SUMMARY, ALL, PAGE, TERMINAL, DATA),
    Column("noise", "± from", lambda row: noise(row) or None, lambda row: noise(row),
           "where ± comes from: `seeds`, the draw of the test `series` (methods without random numbers have no other "
           "noise), or `both`.", (ALL, DATA), left=True, needs=("low", "chance", "blocks")),
    *(figure(name, name, str, "", DATA) for name in ("rank_low", "rank_high", "low", "high")),
    custom("to_limit", "× limit", lambda row: with_interval(row.to_limit, *_scaled(row), count=3),
           "the test MSE over that of the method that knows how the series were made.", OVERVIEW, ALL, DATA),
    figure("skill", "skill %", lambda value: decimals(round(value, 1) + 0.0),
           "share of the naive forecast's test MSE that is saved; 0 is no better than repeating the last season "
           "(`seasonal_naive`, where it has a result) or the last value.", SUMMARY, ALL, PAGE, DATA),
    custom("verdict", "against the mean of its backends", against_text,
           "a backend's error against the geometric mean of the method's backends, paired by seed: the same (to 1e-4), "
           "equal within 1 % (two one-sided tests), differs (by more than 1 %, corrected for the number of rows), or "
           "undecided.", ALL, DATA),
    figure("last_step_mse", "val MSE", digits, "the same error on the validation part.", SUMMARY, ALL, PAGE, DATA),
    figure("notes", "reference", digits,
           "the figure that the reference prints for it: compare it with val MSE.", SUMMARY, ALL, DATA),
    figure("ratio", "ratio", lambda value: decimals(value, 2), "val MSE over the reference's figure.", ALL, DATA),
    figure("val_mse", "val MSE, all outputs", digits,
           "over all that a method is trained to output, early steps with little history too.", ALL, PAGE, DATA),
    *(figure(one.name, one.title, one.text, "", ALL, PAGE, DATA) for one in metrics.METRICS.values()
      if one.name not in metrics.REQUIRED and {"board", "page"} & set(one.shown)),
    custom("fit_seconds", "fit s", _time("fit_seconds"),
           "seconds of training on one core: the median of undisturbed runs; `?`: every run was disturbed. Start, "
           "imports, compilation and validation are not in it; what a first forecast takes beyond later ones is.",
           OVERVIEW, SUMMARY, ALL, PAGE, TERMINAL, DATA),
    custom("undisturbed", "timed runs", timed_text,
           "undisturbed runs that the times are of, and the range of their fit seconds. The Pareto front takes three "
           "or more.", ALL, DATA),
    custom("predict_ms", "forecast ms", _time("predict_ms"),
           "milliseconds to forecast all validation series once.", OVERVIEW, ALL, PAGE, DATA),
    figure("parameters", "parameters", count, "numbers that are trained.", OVERVIEW, ALL, PAGE, DATA),
    custom("seeds", "seeds", seeds_text, "results that count; `2 of 3` when a seed failed.", ALL, PAGE, DATA),
    figure("test_series", "test series", count,
           "generated series that the row was tested on: 1,000 in records from before the test part grew.", ALL, DATA),
    custom("keys", "records", keys_text,
           "the first record's key, for `bench show KEY`, and how many more there are.", ALL, TERMINAL, DATA),
    custom("use", "use it when", lambda row: row.use,
           "what the method is the best at; empty where it is the best at nothing.", OVERVIEW, DATA, left=True),
)  # fmt: skip


def _scaled(row: Any) -> tuple[float, float]:
    """Return the interval of the test error as one of the ratio to the limit."""
    scale = row.to_limit / row.test_mse if row.test_mse else math.nan
    return row.low * scale, row.high * scale


def columns_of(rows: pd.DataFrame, table: str) -> list[Column]:
    """Return the columns of a table of these rows."""
    known = set(rows.columns)
    found = [one for one in COLUMNS if known.issuperset(one.needs or (one.name,)) and one.shown(rows, table)]
    ranking = set(rows["ranked_by"]) if "ranked_by" in known else set()
    if ranking and not any(map(main_metric.by_mse, ranking)):  # of another metric, all outputs are the same
        found = [one for one in found if one.name != "val_mse"]
    return [named_for(one, next(iter(ranking))) for one in found] if len(ranking) == 1 else found


def named_for(column: Column, metric: str) -> Column:
    """Return the column under the name of the test metric that ranks."""
    part = {"test_mse": "test", "last_step_mse": "validation"}.get(column.name)
    main = main_metric.pair_of(metric)
    if part is None or main is None or main_metric.by_mse(metric):
        return column
    return replace(column, name=getattr(main, part), label=main_metric.label(metric, part))


def cells(columns: Sequence[Column], row: Any) -> list[str]:
    """Return the texts of a row for a table in Markdown."""
    return [escape(column.format(row)) for column in columns]


def as_data(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values by column, for JSON and CSV: NaN is None."""
    columns = columns_of(rows, DATA)
    return [{column.name: _plain(column.value(row)) for column in columns} for row in rows.itertuples()]


def _plain(value: Any) -> Any:
    """Return a value that JSON has."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Error against training time: the best row after each budget, and every row."""

from __future__ import annotations

import math

import pandas as pd

from bench.analysis import anytime
from bench.analysis.table import each
from bench.reporting.columns import row_label
from bench.reporting.markdown import escape, table
from bench.reporting.text import prose
from bench.text import digits


def best_at(found: pd.DataFrame) -> str:
    """Say which row is the best after each of the anytime budgets; empty where there is none."""
    parts = []
    for budget in anytime.BUDGETS:
        rows = found[found[f"error_{budget}"].notna()]
        if len(rows):
            best = next(each(rows.sort_values([f"error_{budget}", *anytime.NAMES], kind="stable")))
            error = digits(getattr(best, f"error_{budget}"))
            parts.append(f"{budget} s: {escape(row_label(best))} in {escape(best.backend)}, {error}")
    return f"Smallest error on the validation part after {'; after '.join(parts)}." if parts else ""


def at_each_time(found: pd.DataFrame, backend: str) -> str:
    """Set the error of every row after each of the anytime budgets; empty where there is none."""
    lines = []
    for row in each(found):
        errors = [getattr(row, f"error_{budget}") for budget in anytime.BUDGETS]
        name = row_label(row) + (f" [{row.backend}]" if row.backend != backend else "")
        cells = ["" if math.isnan(error) else digits(error) for error in errors]
        lines.append([escape(name), *cells, str(row.seeds)])
    headers = ["method", *(f"after {budget} s" for budget in anytime.BUDGETS), "seeds"]
    return f"{table(headers, lines, left=[0])}\n\n{prose('anytime').format(backend=escape(backend))}" if lines else ""

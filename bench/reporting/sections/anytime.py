"""Error against training time: the best row after each budget, and every row."""

from __future__ import annotations

import math

import pandas as pd

from bench.analysis import anytime
from bench.reporting.columns import label
from bench.reporting.markdown import escape, table
from bench.reporting.text import prose
from bench.text import digits


def best_at(found: pd.DataFrame) -> str:
    """The best row after each of the anytime budgets; empty where there is none."""
    lines = []
    for budget in anytime.BUDGETS:
        rows = found[found[f"error_{budget}"].notna()]
        if len(rows):
            best = rows.sort_values([f"error_{budget}", *anytime.NAMES], kind="stable").iloc[0]
            name, backend = escape(label(*best[anytime.NAMES])), escape(best[f"backend_{budget}"])
            lines.append(f"- {budget} s: {name} in {backend}, {digits(best[f'error_{budget}'])}")
    return (
        "\n".join(["Which row is the best after so much training, whatever becomes of it later:", "", *lines])
        if lines
        else ""
    )


def at_each_time(found: pd.DataFrame) -> str:
    """The error of every row after each of the anytime budgets; empty where there is none."""
    lines = []
    for row in found.to_dict("records"):
        pairs = [(row[f"error_{budget}"], row[f"backend_{budget}"]) for budget in anytime.BUDGETS]
        cells = ["" if math.isnan(error) else f"{digits(error)} {escape(backend)}" for error, backend in pairs]
        lines.append([escape(label(*(row[name] for name in anytime.NAMES))), *cells])
    headers = ["method", *(f"after {budget} s" for budget in anytime.BUDGETS)]
    return f"{table(headers, lines, left=[0])}\n\n{prose('anytime')}" if lines else ""

"""Every measure, one row per method and backend; every seed; failures; what native defaults do."""

from __future__ import annotations

import math

import pandas as pd

from bench.analysis.table import each
from bench.reporting.columns import ALL, cells, columns_of, label, row_label
from bench.reporting.markdown import escape, table
from bench.reporting.text import prose
from bench.tasks import main_metric
from bench.text import decimals, digits

SEEDS_SHOWN = 20  # with a column each: more are no table that a page has room for

LIMIT = "× limit"  # a row's error over the reference method's


def full_table(rows: pd.DataFrame) -> str:
    """Set one row per method, backend and settings, with every measure."""
    columns = columns_of(rows, ALL)
    left = [place for place, column in enumerate(columns) if column.left]
    return table([column.label for column in columns], [cells(columns, row) for row in each(rows)], left=left)


def every_seed(rows: pd.DataFrame) -> str:
    """Return the errors of the rows with several seeds, each of the first seeds a column.

    Empty where no row has several.
    """
    several = rows[rows["seeds"] > 1]
    if several.empty:
        return ""
    known = sorted(set().union(*several["by_seed"]))
    seeds = known[:SEEDS_SHOWN]
    which = "every seed" if seeds == known else f"the first {len(seeds)} of {len(known):,} seeds"
    lines = [
        [escape(row_label(row)), escape(row.backend)] + [digits(row.by_seed.get(seed, math.nan)) for seed in seeds]
        for row in each(several)
    ]
    headers = ["method", "backend", *(f"seed {seed}" for seed in seeds)]
    what = main_metric.label(rows["ranked_by"].iloc[0])
    return f"**{what[0].upper()}{what[1:]} of {which}**\n\n{table(headers, lines, left=[0, 1])}"


def cost_of_native(rows: pd.DataFrame) -> str:
    """Return what the frameworks' own defaults do to the error; empty where none ran with them."""
    if rows.empty:
        return ""
    lines = [
        [
            escape(row.method),
            escape(row.backend),
            digits(row.equal),
            digits(row.native),
            decimals(row.ratio, 2),
            str(row.seeds),
        ]
        for row in each(rows)
    ]
    headers = ["method", "backend", "equal defaults", "native defaults", "ratio", "seeds"]
    return f"**What the frameworks' own defaults do**\n\n{table(headers, lines, left=[0, 1])}\n\n{prose('native')}"


def failures(failed: pd.DataFrame) -> str:
    """Return one row per method, backend and reason, with the seeds that ended so; empty when none did."""
    if failed.empty:
        return ""
    names = ["method", "changed", "native", "device", "members", "backend", "status", "reason"]
    lines = []
    for row in each(failed.groupby(names, as_index=False).agg(seeds=("seed", sorted))):
        seeds = ", ".join(map(str, row.seeds))
        method = escape(label(row.method, row.changed, row.native, row.device))
        lines.append([method, escape(row.backend), escape(row.status), seeds, escape(row.reason)])
    headers = ["method", "backend", "status", "seeds", "reason"]
    return f"**Failed, not ranked**\n\n{table(headers, lines, left=range(5))}"

"""How methods do over several tasks, with intervals over tasks and no places."""

from __future__ import annotations

import pandas as pd

from bench.analysis.table import each
from bench.reporting.columns import label
from bench.reporting.markdown import escape, table
from bench.text import decimals


def over_tasks(rows: pd.DataFrame) -> str:
    """Set one row per method with the share of the naive forecast's error that it saves."""
    lines = [
        [
            escape(label(row.method, members=row.members)),
            f"{decimals(row.skill)} ({decimals(row.skill_low)} to {decimals(row.skill_high)})",
        ]
        for row in each(rows)
    ]
    return table(["method", "skill %"], lines, left=[0])

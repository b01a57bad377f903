"""How methods do over several tasks, with intervals."""

from __future__ import annotations

import pandas as pd

from bench.analysis.table import each
from bench.reporting.markdown import escape, table
from bench.text import decimals


def over_tasks(rows: pd.DataFrame) -> str:
    """How methods do over several tasks, with intervals."""

    def percent(value: float, low: float, high: float) -> str:
        return f"{decimals(value)} ({decimals(low)} to {decimals(high)})"

    lines = [
        [
            escape(row.method),
            percent(row.skill, row.skill_low, row.skill_high),
            percent(100 * row.win_rate, 100 * row.win_rate_low, 100 * row.win_rate_high),
        ]
        for row in each(rows)
    ]
    return table(["method", "skill (%)", "win rate (%)"], lines, left=[0])

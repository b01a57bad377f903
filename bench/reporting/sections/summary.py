"""One row per method: its error and fit seconds in each backend; which rows are special."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from bench.analysis.ranking import is_default
from bench.analysis.table import each
from bench.reporting.columns import label, order, seconds
from bench.reporting.markdown import escape, table
from bench.tasks import BEYOND, CLASSICAL, WITHOUT_NETWORK
from bench.text import digits


def summary(methods: pd.DataFrame, rows: pd.DataFrame, failed: pd.DataFrame) -> str:
    """One row per method: its error in each backend side by side, its fit seconds likewise, the notes' figure.

    Methods without a network run in NumPy alone: their figures share the first column, in italics, as a column of
    their own would be empty but for them and make the table too wide for a screen.
    """
    cells = {(row.method, row.backend): row for row in each(rows)}
    alike = failed[is_default(failed) & failed["method"].isin(rows["method"])]
    lost = {(row.method, row.backend): escape(row.status) for row in each(alike)}
    backends = order({backend for _, backend in [*cells, *lost]})
    shared = _shares_column(rows, backends)
    columns = backends[1:] if shared else backends

    def pair(method: str, backend: str) -> tuple[str, str]:
        row: Any = cells.get((method, backend))
        if row is not None:
            return digits(row.last_step_mse), seconds(row.fit_seconds, row.timing_valid)
        if shared and backend == columns[0] and (method, "numpy") in cells:
            error, fit = pair(method, "numpy")
            return f"*{error}*", f"*{fit}*"
        return lost.get((method, backend), ""), ""

    lines, noted = [], bool(methods["notes"].notna().any())
    for row in each(methods):
        pairs = [pair(row.method, backend) for backend in columns]
        errors, times = [error for error, _ in pairs], [fit for _, fit in pairs]
        lines.append([str(row.rank), escape(label(row.method)), *errors, *times, *[digits(row.notes)] * noted])
    names = [escape(name) + (", *numpy*" if shared and name == columns[0] else "") for name in columns]
    times_of = [f"{escape(name.removeprefix('keras-'))} s" for name in columns]
    return table(["#", "method", *names, *times_of, *["notes"] * noted], lines, left=[1])


def _shares_column(rows: pd.DataFrame, backends: Sequence[str]) -> bool:
    if len(backends) < 2 or backends[0] != "numpy":
        return False
    own = set(rows.loc[rows["backend"] == "numpy", "method"])
    return own.isdisjoint(rows.loc[rows["backend"] == backends[1], "method"])


def beyond(methods: Iterable[str]) -> str:
    """Which rows go beyond the notes; empty where none does."""
    kinds = {
        "Networks that the notes do not have, or training that they do not do": BEYOND,
        "Methods without a network that the notes do not have": WITHOUT_NETWORK,
    }
    named = set(methods)
    found = {words: [f"`{name}`" for name in kind if name in named] for words, kind in kinds.items()}
    return "\n\n".join(f"{words}:\n{', '.join(names)}." for words, names in found.items() if names)


def beside_classical(rows: pd.DataFrame) -> str:
    """Which networks beat the best classical method, on validation and on test series; empty without either kind."""
    classical = rows[rows["method"].isin(CLASSICAL)]
    networks = rows[rows["backend"] != "numpy"]
    if classical.empty or networks.empty:
        return ""
    names = ", ".join(f"`{name}`" for name in CLASSICAL if name in set(classical["method"]))
    lines = [f"Networks beside the best of the classical methods ({names}):", ""]
    for where, measure in (("validation", "last_step_mse"), ("test", "test_mse")):
        best = classical.sort_values([measure, "method"]).iloc[0]
        errors = networks.groupby("method")[measure].mean().sort_values()
        better, worse = (
            ", ".join(f"`{escape(name)}`" for name in errors.index[chosen]) or "none"
            for chosen in (errors < best[measure], errors >= best[measure])
        )
        reached = f"`{best['method']}` has {digits(best[measure])}"
        lines.append(f"- on the {where} series {reached}. Better: {better}. Worse: {worse}.")
    return "\n".join(lines)

"""What the board says of what is not of this repository: series from a file, in their own units, and methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bench.analysis.table import variant_of
from bench.reporting.columns import OUTSIDE
from bench.reporting.markdown import escape, table
from bench.reporting.text import prose
from bench.schema.record import Run
from bench.schema.series import Preparation
from bench.text import decimals, digits

HEADERS = ["method", "backend", "RMSE", "MAE", "sMAPE (%)", "MASE", "test RMSE", "test MAE", "test sMAPE (%)",
           "test MASE"]  # fmt: skip

ERRORS = ["rmse", "mae", "smape", "mase", "test_rmse", "test_mae", "test_smape", "test_mase"]


def section(runs: Iterable[Run]) -> list[str]:
    """What is said of one task's runs: nothing where their series are not from a file."""
    ok = [run for run in runs if run.truth and run.metrics and run.metrics.original]
    if not ok:
        return []
    return [described(ok[0]), units(ok), prose("own_units")]


def described(run: Run) -> str:
    """The data and what was done to it, in a sentence."""
    series = run.spec.series
    if not isinstance(series, Preparation) or not run.truth:
        return ""
    target = ", ".join(series.target) or "all columns"
    parts = [f"{target} of {series.file}: {run.truth.description}", f"{series.history} steps → {series.ahead} steps"]
    parts += [f"a season of {series.season} steps removed, and added back to forecasts"] if series.season else []
    parts += ["differences taken, and added up again"] if series.difference else []
    filled = f"{run.truth.imputed} missing values filled in (--impute {series.impute})"
    parts += [filled] if run.truth.imputed else []
    return escape("; ".join(parts) + ".", 1000)


def units(runs: Sequence[Run]) -> str:
    """One row per method, backend and changed settings, mean over seeds, by validation RMSE."""
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for run in sorted(runs, key=lambda run: run.key):
        if run.metrics and run.metrics.original:
            errors = (getattr(run.metrics.original, name) for name in ERRORS)
            values = [np.nan if value is None else value for value in errors]
            changed = variant_of(run.spec)
            name = f"{run.spec.method} ({changed})" if changed else run.spec.method
            rows.setdefault((name, run.spec.backend), []).append(values)
    means = sorted((np.mean(values, axis=0).tolist(), row) for row, values in rows.items())
    lines = [[escape(row[0]), escape(row[1]), *map(cell, HEADERS[2:], mean)] for mean, row in means]
    return table(HEADERS, lines, left=[0, 1])


def cell(header: str, value: float) -> str:
    """An error as a person reads it: percent with one decimal, MASE with three, the rest with four digits."""
    if "%" in header:
        return decimals(value, 1)
    return decimals(value, 3) if "MASE" in header else digits(value)


def outsiders(runs: Iterable[Run]) -> str:
    """Which methods are not of this repository, and exactly which file or version each is; empty where none is."""
    found = {(run.spec.method, run.spec.source) for run in runs if run.spec.source}
    lines = [
        f"{escape(name)}: {escape(source.reference)}, {escape(source.version[:12])}"
        for name, source in sorted(found, key=str)
    ]
    return f"{OUTSIDE} is not a method of this repository ({'; '.join(lines)})." if lines else ""

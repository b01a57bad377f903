"""What the board says of what is not of this repository: series from a file, in their own units, and methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bench import metrics
from bench.analysis.table import variant_of
from bench.reporting import literature
from bench.reporting.columns import OUTSIDE
from bench.reporting.markdown import escape, table
from bench.reporting.text import prose
from bench.schema.record import Run
from bench.schema.series import Preparation

SHOWN = metrics.shown("series")


def own_units(runs: Iterable[Run]) -> list[str]:
    """Return the errors in the data's own units of one task's runs: nothing where its series are not from a file."""
    ok = _from_file(runs)
    return [units(ok), *literature.of_task(ok), prose("own_units")] if ok else []


def _from_file(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if run.truth and any(metric.name in (run.metrics or {}) for metric in SHOWN)]


def described(runs: Iterable[Run]) -> str:
    """Say what the data is and what was done to it; empty where it is not from a file."""
    run = next(iter(_from_file(runs)), None)
    if run is None or not isinstance(run.spec.series, Preparation) or not run.truth:
        return ""
    series = run.spec.series
    target = ", ".join(series.target) or "all columns"
    parts = [f"{target} of {series.file}: {run.truth.description}", f"{series.history} steps → {series.ahead} steps"]
    if series.season:
        removed = " removed, and added back to forecasts" if series.deseasonalise is not False else ""
        parts.append(f"a season of {series.season} steps{removed}")
    parts += ["differences taken, and added up again"] if series.difference else []
    filled = f"{run.truth.imputed} missing values filled in (--impute {series.impute})"
    parts += [filled] if run.truth.imputed else []
    return escape("; ".join(parts) + ".", 1000)


def units(runs: Sequence[Run]) -> str:
    """Return one row per method, backend and changed settings, mean over seeds, by validation RMSE."""
    known = [metric for metric in SHOWN if any(metric.name in (run.metrics or {}) for run in runs)]
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for run in sorted(runs, key=lambda run: run.key):
        if run.metrics:
            values = [run.metrics.get(metric.name, np.nan) for metric in known]
            changed = variant_of(run.spec)
            name = f"{run.spec.method} ({changed})" if changed else run.spec.method
            rows.setdefault((name, run.spec.backend), []).append(values)
    means = sorted((np.mean(values, axis=0).tolist(), row) for row, values in rows.items())
    lines = [
        [escape(row[0]), escape(row[1]), *(metric.text(value) for metric, value in zip(known, mean, strict=True))]
        for mean, row in means
    ]
    return table(["method", "backend", *(metric.title for metric in known)], lines, left=[0, 1])


def outsiders(runs: Iterable[Run]) -> str:
    """Return which methods are not of this repository, and exactly which file or version each is.

    Empty where none is.
    """
    found = {(run.spec.method, run.spec.source) for run in runs if run.spec.source}
    lines = [
        f"{escape(name)}: {escape(source.reference)}, {escape(source.version[:12])}"
        for name, source in sorted(found, key=str)
    ]
    return f"{OUTSIDE} is not a method of this repository ({'; '.join(lines)})." if lines else ""

"""Error against training time along the learning curve: what a method has reached after so many seconds of training.

Each epoch is a point: the training seconds so far, as in `fit s`, and the last-step MSE on the validation part then. A
method without epochs is one point: its fit and its forecasts of the validation part, where some do all their work.
Nothing is chosen by these errors: at a time, the last epoch that was over counts, the best one or not.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.analysis.table import METHOD, changed_in, device_of, edited_methods, members_of
from bench.analysis.times import seconds_of
from bench.schema.record import Run
from bench.tasks import REFERENCES

if TYPE_CHECKING:
    import pandas as pd

BUDGETS = (1, 10, 60)  # seconds

NAMES = [*METHOD, "members"]
COLUMNS = [*NAMES, "backend", "seeds", *(f"error_{budget}" for budget in BUDGETS)]
TIME, ERROR = "seconds", "val_last_step_mse"


def reaches_so_far(run: Run) -> bool:
    """Tell whether the curve is of the whole horizon: then it has the error that the run ended with.

    A recursive network's is of the one step that it is trained for. A curve with fewer errors than times (validation
    every other epoch) does not say when they were reached.
    """
    curve = run.curve or {}
    errors = curve.get(ERROR, []) if len(curve.get(ERROR, [])) == len(curve.get(TIME, [])) else []
    final = run.metrics["last_step_mse"] if run.metrics else math.inf
    return any(math.isclose(error, final, rel_tol=1e-3) for error in reversed(errors))  # the best is late


def thinned(run: Run) -> dict[str, list[float]] | None:
    """Return as much of a run's curve as `table` needs: seconds and errors of every epoch."""
    curve = run.curve
    if run.metrics is None or not curve or not curve.get(TIME) or not reaches_so_far(run):
        return None
    return {TIME: curve[TIME], ERROR: curve[ERROR]}


def table(runs: Iterable[Run], backend: str, factors: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return one row per method with its settings: for each budget the error then, in one backend.

    runs: those of one board that count. backend: the one to take; methods without it are taken in their own.
    factors: what seconds are multiplied by, by key, see hardware.time_factors; NaN for those that do not compare.
    Columns: NAMES, `backend`, `seeds` and for each budget b `error_b`: the geometric mean over all seeds, NaN before
    the first epoch is over. Times are the medians of undisturbed runs; a method without one is left out.
    """
    import pandas as pd

    several = edited_methods(runs)
    seen: dict[tuple[Any, ...], dict[str, list[Run]]] = {}
    for run in runs:
        if run.metrics and run.spec.method not in REFERENCES:
            spec = run.spec
            row = (spec.method, changed_in(run, several), spec.native, device_of(spec), members_of(spec))
            seen.setdefault(row, {}).setdefault(spec.backend, []).append(run)
    lines = []
    for row, backends in sorted(seen.items()):
        chosen = backend if backend in backends else min(backends)
        found = backends[chosen]
        reached = [at_budget(found, budget, factors or {}) for budget in BUDGETS]
        lines.append((*row, chosen, len(found), *reached))
    order = [f"error_{budget}" for budget in reversed(BUDGETS)]
    table = pd.DataFrame(lines, columns=COLUMNS).sort_values([*order, *NAMES], ignore_index=True)
    return table[table[order].notna().any(axis=1)]


def at_budget(runs: Sequence[Run], budget: float, factors: Mapping[str, float]) -> float:
    """Return the geometric mean over all runs of the error after so many seconds; NaN before the first epoch is over.

    When an epoch is over is the median over the undisturbed runs, so that all seeds are seen at the same epoch.
    """
    timed = [run for run in runs if run.timing_valid and math.isfinite(factors.get(run.key, 1.0)) and run.seconds]
    if not timed:
        return math.nan
    phases = ("fit",) if any(map(reaches_so_far, timed)) else ("fit", "predict")
    if _median([factors.get(run.key, 1.0) * _seconds(run, phases) for run in timed]) <= budget:
        return geometric_mean([run.metrics["last_step_mse"] for run in runs if run.metrics])
    curves = [run.curve or {} for run in runs]
    if not all(reaches_so_far(run) for run in runs):
        return math.nan
    epochs = min(len(curve[ERROR]) for curve in curves)
    clocks = [[factors.get(run.key, 1.0) * second for second in (run.curve or {})[TIME][:epochs]] for run in timed]
    ends = [_median([clock[epoch] for clock in clocks]) for epoch in range(min(map(len, clocks)))]
    last = bisect.bisect_right(ends, budget) - 1
    return geometric_mean([curve[ERROR][last] for curve in curves]) if last >= 0 else math.nan


def _seconds(run: Run, phases: Sequence[str]) -> float:
    return sum(seconds_of(run, phase) for phase in phases)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def geometric_mean(errors: Sequence[float]) -> float:
    """Return it, summed in an order that does not change a digit; 0 where one is 0."""
    if min(errors) <= 0:
        return 0.0
    return math.exp(math.fsum(math.log(error) for error in errors) / len(errors))

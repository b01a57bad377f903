"""Error against training time along the learning curve: what a row has reached after so many seconds of training.

Each epoch is a point: the training seconds so far, as in `fit s`, and the last-step MSE on the validation series then.
A method without epochs is one point, its whole fit. Nothing is chosen by these errors: at a time, the last epoch that
was over counts, the best one or not.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bench.tasks import REFERENCES

if TYPE_CHECKING:
    import pandas as pd

    from bench.schema.record import Run

BUDGETS = (1, 10, 60)  # seconds

NAMES = ["method", "changed", "native", "device"]
TIME, ERROR = "seconds", "val_last_step_mse"


def points(run: Run) -> list[tuple[float, float]]:
    """Seconds and error after each epoch, and at the end of the run; empty unless it is ok."""
    if run.metrics is None or run.seconds is None:
        return []
    final = run.metrics["last_step_mse"]
    curve = run.curve or {}
    epochs = list(zip(curve.get(TIME, []), curve.get(ERROR, []), strict=False))
    return [*(epochs if reaches_so_far(run) else []), (run.seconds["fit"], final)]


def reached(run: Run, seconds: float) -> float:
    """The error at a time; NaN before the first epoch is over."""
    return next((error for time, error in reversed(points(run)) if time <= seconds), math.nan)


def reaches_so_far(run: Run) -> bool:
    """Whether the curve is of the whole horizon: then it has the error that the run ended with.

    A recursive network's is of the one step that it is trained for.
    """
    errors = (run.curve or {}).get(ERROR, [])
    final = run.metrics["last_step_mse"] if run.metrics else math.inf
    return bool(errors) and math.isclose(errors[nearest(errors, final)], final, rel_tol=1e-3)


def nearest(errors: list[float], final: float) -> int:
    """The epoch whose error is nearest to this one."""
    apart = [abs(error - final) for error in errors]
    return apart.index(min(apart))


def thinned(run: Run) -> dict[str, list[float]] | None:
    """As much of a run's curve as `reached` needs: the last epoch within each of the budgets, and that of its error."""
    curve = run.curve
    if run.metrics is None or not curve or not curve.get(TIME) or not reaches_so_far(run):
        return None
    times, errors = curve[TIME], curve[ERROR]
    best = nearest(errors, run.metrics["last_step_mse"])
    kept = sorted({bisect.bisect_right(times, budget) - 1 for budget in BUDGETS} - {-1} | {best})
    return {TIME: [times[place] for place in kept], ERROR: [errors[place] for place in kept]}


def table(runs: Iterable[Run]) -> pd.DataFrame:
    """One row per method and changed settings: for each budget the smallest error, and the backend that has it.

    Columns: NAMES and, for each budget b, `error_b` (mean over the seeds of a backend) and `backend_b`.
    Undisturbed runs alone; a backend counts where all of its seeds are past their first epoch.
    """
    import pandas as pd

    from bench.analysis.table import changed_of, device_of

    seen: dict[tuple[str, tuple[str, ...], bool, str], dict[str, list[Run]]] = {}
    for run in runs:
        if run.metrics and run.timing_valid and run.spec.method not in REFERENCES:
            spec = run.spec
            row = (spec.method, changed_of(spec), spec.native, device_of(spec))
            seen.setdefault(row, {}).setdefault(spec.backend, []).append(run)
    lines = []
    for row, backends in sorted(seen.items()):
        line: dict[str, Any] = dict(zip(NAMES, row, strict=True))
        for budget in BUDGETS:
            means = {name: mean([reached(run, budget) for run in found]) for name, found in sorted(backends.items())}
            best = min(means, key=lambda name: (math.isnan(means[name]), means[name]))
            line |= {f"error_{budget}": means[best], f"backend_{budget}": best}
        lines.append(line)
    columns = [*NAMES, *(f"{what}_{budget}" for budget in BUDGETS for what in ("error", "backend"))]
    order = [f"error_{budget}" for budget in reversed(BUDGETS)]
    return pd.DataFrame(lines, columns=columns).sort_values([*order, *NAMES], ignore_index=True)


def mean(errors: list[float]) -> float:
    """Their mean, in an order that does not change a digit."""
    return math.fsum(errors) / len(errors)

"""Which method to take for a file's series: a race over rolling origins within a budget of time.

Methods are compared by MASE at the same origins. The cheapest is recommended of those whose error is at most 5 % above
the least, by the upper end of a one-sided 95 % interval, and below that of the seasonal naive forecast; where there is
none, the best; where the best is no better than that forecast, the forecast itself. The last H steps of each series
decide nothing: they show what the advice is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

import implementations
from bench.analysis.paired import upper_ratio
from bench.campaigns import selection
from bench.campaigns import settings as asked
from bench.data.series import SeriesSet, read_series
from bench.data.series_tasks import task_on
from bench.data.splits import shortened
from bench.errors import UsageError
from bench.execution import user_methods
from bench.forecasting.evaluate import Plan, changes, fitting, plan
from bench.forecasting.predictor import PREFERRED, Training
from bench.forecasting.race import Result
from bench.schema.series import Preparation
from implementations import backends

BASELINE = "seasonal_naive"
MARGIN = 1.05  # how much more error than the best is as good
BY_SERIES = 8  # series from which on they, not origins, are what errors are paired by
SEED = 42
#: who takes part unless named, by how long it takes: methods that are in use, not curiosities
PRACTICAL = (
    BASELINE, "last_value", "moving_average", "theta", "linear", "auto_ets", "dlinear", "nlinear", "mlp", "arima",
    "nhits", "nbeats", "patchtst", "tcn", "gru", "lstm", "auto_arima",
)  # fmt: skip


class Race(NamedTuple):
    """Who takes part, on what."""

    found: SeriesSet
    how: Preparation
    planned: Plan
    entrants: list[Training]
    backend: str  # of the networks


class Standing(NamedTuple):
    """A method's place."""

    training: Training
    error: float  # MASE over the rolling origins
    ratio: float  # upper end of the one-sided 95 % interval of its error over that of the best
    seconds: float  # to fit, and to forecast
    test: float  # MASE over the last H steps
    test_mae: float  # own units


def rows_of(standings: Sequence[Standing], chosen: Standing | None) -> list[dict[str, str | float | bool]]:
    """Return standings as rows, and which of them is recommended."""
    return [
        {
            "method": one.training.method,
            "backend": one.training.backend,
            "mase": one.error,
            "ratio": one.ratio,
            "seconds": one.seconds,
            "test_mase": one.test,
            "test_mae": one.test_mae,
            "recommended": one is chosen,
        }
        for one in standings
    ]


class Advice(NamedTuple):
    """What to take, and why."""

    best: Standing
    choice: Standing
    baseline: Standing | None
    blocks: int  # that errors were paired by


def enter(
    file: Path, how: Preparation, fit_history: bool, backends_asked: Sequence[str], methods: Sequence[str]
) -> Race:
    """Read the file and choose who takes part. Raises UsageError."""
    backend = choose_backend(backends_asked)
    names, registered = user_methods.register(methods)
    matched = selection.match(names, implementations.METHODS, "method") if names else []
    if local := next(filter(implementations.needs_folder, names), None):
        raise UsageError(f"--method {local}: a race cannot name its model: bench forecast --method {local} does")
    matched = [name for name in matched if not implementations.needs_folder(name)]
    found = read_series(file, how)
    planned = plan(found.series, how)
    if constant := [one.name for one in found.series if not changes(one, how.ahead)]:
        note = f"constant before the last {how.ahead} steps, not compared: {shortened(constant)}"
        found = replace(found, notes=(*found.notes, note))
    how = fitting(how, planned, fit_history)
    given = {reference.rpartition(":")[2]: reference for reference in methods if ":" in reference}
    sources = {name: given.get(name.rpartition(".")[2], name) for name in registered.sources}
    return Race(found, how, planned, entrants(how, backend, matched, sources), backend)


def choose_backend(asked_for: Sequence[str]) -> str:
    """Return the one backend that the networks run on: that asked for, or the installed one that starts soonest."""
    if len(asked_for) > 1:
        raise UsageError(f"--backend {' '.join(asked_for)}: a race is run in one backend")
    chosen = selection.choose_backends(asked_for)  # raises for what does not exist or is not installed
    return chosen[-1] if asked_for else next(one for one in (*PREFERRED[1:], "numpy") if backends.installed(one))


def entrants(
    how: Preparation, backend: str, named: Sequence[str], sources: dict[str, str] | None = None
) -> list[Training]:
    """Return all that take part, in order: the baseline first, those named, or the practical ones."""
    names = [BASELINE, *(name for name in named if name != BASELINE)] if named else PRACTICAL
    found = []
    for name in names:
        if name not in implementations.METHODS:
            continue
        offered = implementations.backends_of(name)
        if backend in offered or "numpy" in offered:
            settings = dict(asked.defaults_of(name, task_on(how, "")))
            where = backend if backend in offered else "numpy"
            found.append(Training(name, where, SEED, settings, (sources or {}).get(name)))
    return found


def standings(results: Sequence[Result]) -> tuple[list[Standing], int]:
    """Everyone who finished, best first, and how many blocks their errors were paired by."""
    finished = {place: blocks_of(result) for place, result in enumerate(results) if result.evaluation}
    finished = {place: blocks for place, blocks in finished.items() if len(blocks)}
    if not finished:
        return [], 0
    order = sorted(finished, key=lambda place: (float(finished[place].mean()), results[place].training.method))
    best = finished[order[0]]
    found = []
    for place in order:
        evaluation = results[place].evaluation
        assert evaluation is not None
        ratio = 1.0 if place == order[0] else upper_ratio(best, finished[place])
        test = float(np.mean(evaluation.test_scores)) if evaluation.test_scores else math.nan
        mae = math.nan if evaluation.test_mae is None else evaluation.test_mae
        error = float(finished[place].mean())
        found.append(Standing(results[place].training, error, ratio, evaluation.seconds, test, mae))
    return found, len(best)


def blocks_of(result: Result) -> np.ndarray:
    """Return errors that are compared pairwise: each series' mean where there are many, else each origin's."""
    assert result.evaluation is not None
    scores, series = np.array(result.evaluation.scores, dtype=np.float64), np.array(result.evaluation.series)
    numbers = np.unique(series)
    if len(numbers) < BY_SERIES:
        return scores
    return np.array([scores[series == number].mean() for number in numbers])


def advise(found: Sequence[Standing], blocks: int) -> Advice:
    """Choose: see above."""
    best = found[0]
    baseline = next((one for one in found if one.training.method == BASELINE), None)
    limit = baseline.error if baseline else math.inf
    as_good = [one for one in found if one.ratio <= MARGIN and one.error < limit]
    if as_good:
        choice = min(as_good, key=lambda one: one.seconds)
    else:
        choice = best if best.error < limit or baseline is None else baseline
    return Advice(best, choice, baseline, blocks)

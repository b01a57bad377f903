"""The metric that ranks the methods of a task: the first that its file names, else that of its kind of question."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import msgspec

from bench.errors import unknown
from bench.metrics import MAIN, METRICS, Main
from bench.schema.record import Run, Spec
from bench.tasks import ALL, Task, kind_of
from implementations.kinds import FORECAST


@cache
def pair_of(name: str) -> Main | None:
    """Return a metric of both parts by either of its names; None of one that is not measured on both."""
    if own := next((main for main in MAIN.values() if name in main), None):
        return own
    one = METRICS[name]
    parts = {other.part: other.name for other in reversed(METRICS.values())
             if (other.function, other.scale) == (one.function, one.scale)}  # fmt: skip
    return Main(parts["validation"], parts["test"]) if {"validation", "test"} <= parts.keys() else None


def first_of(names: Iterable[str]) -> Main | None:
    """Return the first of these metrics that is measured of forecasts of both parts."""
    return next(filter(None, map(pair_of, filter(is_of_forecasts, names))), None)


def is_of_forecasts(name: str) -> bool:
    """Tell whether there is a metric of forecasts of this name."""
    return name in METRICS and FORECAST in METRICS[name].kinds


@cache
def main_of_task(task: str) -> Main:
    """Return the metrics that rank a task known by name: the first in its file, else those of its kind of question."""
    return first_of(ALL[task].metrics if task in ALL else ()) or MAIN[kind_of(task)]


def main_of(spec: Spec) -> Main:
    """Return the names of the metrics that rank a run, on the validation part and on the test part."""
    named = spec.series.ranked_by if spec.series else None
    return (pair_of(named) if named in METRICS else None) or main_of_task(spec.task)


def ranked_by(runs: Iterable[Run]) -> dict[str, Main]:
    """Return what ranks each task: what its newest run was ranked by, where a task's file was changed."""
    return {run.spec.task: main_of(run.spec) for run in sorted(runs, key=lambda run: run.started_at)}


def own_metric(names: Iterable[str]) -> str | msgspec.UnsetType:
    """Return the first of these metrics that is measured on both parts, of the test part; unset for the MSE or none."""
    main = first_of(names)
    return msgspec.UNSET if main in (None, MAIN[FORECAST]) else main.test


def with_own_metric(task: Task) -> Task:
    """Return a task of a user's file, whose runs state what ranks it: results are read where the file is gone."""
    if task.series is None:
        return task
    return replace(task, series=msgspec.structs.replace(task.series, ranked_by=own_metric(task.metrics)))


def check_metric(name: str) -> None:
    """Raise UsageError for what is no metric of forecasts that is measured on both parts."""
    if first_of([name]) is None:
        allowed = [one for one in METRICS if METRICS[one].part == "test" and first_of([one])]
        raise unknown("metric for --ranked-by", name, allowed)


def is_forecast(task: str) -> bool:
    """Tell whether a task asks for forecasts, so that its errors may stand next to those of other such tasks."""
    return kind_of(task) == FORECAST


def by_mse(test: str) -> bool:
    """Tell whether a test metric is the MSE of forecasts, which ranks unless a task's file or kind says otherwise."""
    return test == MAIN[FORECAST].test


def has_blocks(run: Run, main: Main) -> bool:
    """Tell whether a record has errors by block, and of the metric that ranks."""
    usual = MAIN[kind_of(run.spec.task)].test
    return run.blocks is not msgspec.UNSET and (run.blocks_of or usual) == main.test


def label(test: str, part: str = "test") -> str:
    """Return what people call a metric by its name on the test part: test MSE, test MASE, test cross-entropy."""
    main = pair_of(test)
    found: str = METRICS[getattr(main, part) if main else test].label
    return found


def word(test: str) -> str:
    """Return the metric in one word: MSE, MASE, cross-entropy."""
    return label(test, "validation").partition(" of ")[0].split()[-1]


def validation_error(run: Run) -> float:
    """Return the metric on the validation part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec).validation, math.inf)


def test_error(run: Run) -> float:
    """Return the metric on the test part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec).test, math.inf)

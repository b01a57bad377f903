"""The metric that ranks the methods of a task: the first that its file names, else that of its kind of question."""

from __future__ import annotations

import math
from functools import cache

import msgspec

from bench.metrics import MAIN, METRICS, Main
from bench.schema.record import Run
from bench.tasks import ALL, kind_of
from implementations.kinds import FORECAST


def pair_of(name: str) -> Main | None:
    """Return a metric of both parts by either of its names; None of one that is not measured on both."""
    one = METRICS[name]
    parts = {other.part: other.name for other in reversed(METRICS.values())
             if (other.function, other.scale) == (one.function, one.scale)}  # fmt: skip
    return Main(parts["validation"], parts["test"]) if {"validation", "test"} <= parts.keys() else None


@cache
def main_of(task: str) -> Main:
    """Return the names of the metrics that rank a task, on the validation part and on the test part.

    They are the first of the task's own that is measured on both parts; without one, those of its kind of question.
    """
    named = ALL[task].metrics if task in ALL else ()
    return next(filter(None, map(pair_of, named)), MAIN[kind_of(task)])


def is_forecast(task: str) -> bool:
    """Tell whether a task asks for forecasts, so that its errors may stand next to those of other such tasks."""
    return kind_of(task) == FORECAST


def by_mse(task: str) -> bool:
    """Tell whether a task is ranked by the MSE of forecasts, as it is unless its file or its kind says otherwise."""
    return main_of(task) == MAIN[FORECAST]


def has_blocks(run: Run) -> bool:
    """Tell whether a record has errors by block, and of the metric that ranks its task."""
    task = run.spec.task
    return run.blocks is not msgspec.UNSET and (run.blocks_of or MAIN[kind_of(task)].test) == main_of(task).test


def label(task: str, part: str = "test") -> str:
    """Return what people call the metric: test MSE, test MASE, test cross-entropy."""
    name: str = getattr(main_of(task), part)
    found: str = METRICS[name].label
    return found


def word(task: str) -> str:
    """Return the metric in one word: MSE, MASE, cross-entropy."""
    return label(task, "validation").partition(" of ")[0].split()[-1]


def validation_error(run: Run) -> float:
    """Return the metric on the validation part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec.task).validation, math.inf)


def test_error(run: Run) -> float:
    """Return the metric on the test part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec.task).test, math.inf)

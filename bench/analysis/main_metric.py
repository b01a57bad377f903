"""The metric that ranks the methods of a task: last-step MSE, or what METRICS has for another kind of question."""

from __future__ import annotations

import math

from bench.metrics import MAIN, METRICS, Main
from bench.schema.record import Run
from bench.tasks import kind_of
from implementations.kinds import FORECAST


def main_of(task: str) -> Main:
    """Return the names of the metrics that rank a task, on the validation part and on the test part."""
    return MAIN[kind_of(task)]


def is_forecast(task: str) -> bool:
    """Tell whether a task asks for forecasts, so that its errors may stand next to those of other such tasks."""
    return kind_of(task) == FORECAST


def label(task: str, part: str = "test") -> str:
    """Return what people call the metric: test MSE, test cross-entropy."""
    name: str = getattr(main_of(task), part)
    found: str = METRICS[name].label
    return found


def validation_error(run: Run) -> float:
    """Return the metric on the validation part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec.task).validation, math.inf)


def test_error(run: Run) -> float:
    """Return the metric on the test part; infinite for a run without a result."""
    return (run.metrics or {}).get(main_of(run.spec.task).test, math.inf)

"""The gate of a task with published figures: its naive forecasts have to have the published errors.

They are closed forms, so another error means other data, another split or another metric, and nothing else on the task
could be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import implementations
from bench.analysis.literature import Published, figures
from bench.data.datasets import InUnits, SeriesData
from bench.errors import UsageError
from bench.metrics import METRICS
from implementations.statistical import RowForecaster


class Passed(NamedTuple):
    """A published figure of a naive method, and ours."""

    published: Published
    ours: float

    def __str__(self) -> str:
        """Say both."""
        one = self.published
        return f"{METRICS[one.metric].label} of {one.method} {self.ours:.5g} ({one.source} {one.value:.5g})"


def check(task: str, read: Callable[[], Any]) -> Iterator[Passed]:
    """Yield each naive figure of a task with ours. Raises UsageError for the first that differs in three digits.

    read: opens the task's data, where there is a figure to compare with.
    """
    for one in figures():
        if one.task == task and one.gate:
            data = read()
            assert isinstance(data, SeriesData)
            ours = naive_error(data, one)
            if not one.agrees(ours):
                raise UsageError(f"{task}: its gate is closed, nothing is ranked: {METRICS[one.metric].label} of "
                                 f"{one.method}: got {ours:.5g}, {one.source} has {one.value:.5g}")  # fmt: skip
            yield Passed(one, ours)


def naive_error(data: SeriesData, one: Published) -> float:
    """Return the error of a naive method on the test part."""
    prepared, metric = data.prepared, METRICS[one.metric]
    how, part = prepared.preparation, prepared.parts.test
    settings = {"season_length": how.season or 1} if one.method == "seasonal_naive" else {}
    forecaster = implementations.make(one.method, "numpy", 0, **settings)
    assert isinstance(forecaster, RowForecaster)
    known = list(prepared.before(part)) if how.whole_history else prepared.known(part).values
    rows = [values[:, channel] for values in known for channel in range(values.shape[1])]
    made = forecaster.forecast_rows(rows, how.ahead).mean.reshape(len(part.series), -1, how.ahead).swapaxes(1, 2)
    spread = prepared.scaling.levels.spread[part.series] if metric.scale == "scaled" else np.ones((1, 1, 1))
    counted = slice(len(made) // one.batch * one.batch)
    truth, spread = prepared.truth(part), np.broadcast_to(spread, (len(made), *spread.shape[1:]))
    error = metric(InUnits(
        (made / spread)[counted],
        (truth / spread)[counted],
        prepared.naive_of(part)[counted],
        prepared.naive_of(part, power=2)[counted],
    ))  # fmt: skip
    assert error is not None
    return float(error)

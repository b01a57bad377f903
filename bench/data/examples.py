"""The series that the forecasts kept in a record belong to."""

from __future__ import annotations

import numpy as np

from bench.data import datasets, generators
from bench.data.series_tasks import task_of
from bench.data.windows import Windows, cut
from bench.schema.record import Run


def truth(run: Run, count: int = 3) -> Windows | None:
    """Return the first validation series that a run forecast, first channel: history [count, T], future [count, H].

    Series of a file are kept in the record. None when this version of the benchmark no longer has the data that the
    run was made on.
    """
    if run.truth:
        return Windows(np.array(run.truth.history[:count]), np.array(run.truth.future[:count]))
    task = task_of(run.spec)
    if task is None or task.series:
        return None
    series = generators.load(task)
    if datasets.digest(series) != run.spec.data_sha256:
        return None
    validation = cut(series, task).validation
    return Windows(validation.history[:count, :, 0], validation.future[:count, :, 0])


def fits(run: Run, known: Windows) -> bool:
    """Return whether a run kept one finite forecast [H] for each of these series."""
    shapes = {len(forecast) for forecast in run.examples or []}
    return (
        len(run.examples or []) == len(known.future)
        and shapes == {known.future.shape[1]}
        and bool(np.isfinite(run.examples or []).all())
    )

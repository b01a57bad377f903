"""The series that the forecasts kept in a record belong to."""

from __future__ import annotations

import numpy as np

from bench import datasets
from bench.results import Run, Spec
from bench.tasks import TASKS
from bench.windows import Windows, cut


def truth(spec: Spec, count: int = 3) -> Windows | None:
    """The first validation series that a run forecast, first channel: history [count, T], future [count, H].

    None when this version of the benchmark no longer has the data that the run was made on.
    """
    if spec.task not in TASKS:
        return None
    task = TASKS[spec.task].quick() if spec.quick else TASKS[spec.task]
    series = datasets.load(task)
    if datasets.digest(series) != spec.data_sha256:
        return None
    validation = cut(series, task).validation
    return Windows(validation.history[:count, :, 0], validation.future[:count, :, 0])


def fits(run: Run, known: Windows) -> bool:
    """Whether a run kept one finite forecast [H] for each of these series."""
    shapes = {len(forecast) for forecast in run.examples or []}
    return (
        len(run.examples or []) == len(known.future)
        and shapes == {known.future.shape[1]}
        and bool(np.isfinite(run.examples or []).all())
    )

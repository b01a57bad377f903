"""How a method does on the benchmark's own series, and on series that nobody has seen: drawn with a seed of the moment.

A method that draws the public series again from their seed, or that was fitted to them, has a small error on the first
and none of it on the second. Both are ordinary runs, so the harness' clock is held against the method's as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.analysis.verification import FACTOR
from bench.campaigns.request import Selection
from bench.campaigns.selection import specs
from bench.execution import runner
from bench.execution.handing import DataSource, new_draw
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.user_methods import Registered
from bench.records import files
from bench.schema.record import Run

PATIENCE = 900.0  # seconds of either run
TASK = "ten-step"

PROMISES = {
    "runs": "A run on the benchmark's series comes to its end.",
    "forecasts_series_that_nobody_has_seen": "On series drawn just now the error is as on the benchmark's.",
    "times_hold": "The times are those of the harness' own clock.",
}


@dataclass(frozen=True)
class Comparison:
    """What two runs say: the promises broken, or how large the errors are."""

    broken: dict[str, str] = field(default_factory=dict)
    remark: str = ""


def compare(method: str, backend: str, outsiders: Registered) -> Comparison:
    """Run the method on the quick task, on its own series and on new ones."""
    places = files.absolute(outsiders.files)
    spec = specs(
        Selection(
            methods=(method,), tasks=(TASK,), backends=(backend,), quick=True, sources=outsiders.sources,
            files=places,
        )
    )[0]  # fmt: skip
    found: list[Run] = []
    for source in (None, DataSource(places, new_draw)):
        limits = Limits(1, PATIENCE)
        found += [run for _, run in runner.run([Job(spec)], limits, files=places, data=source) if run]
    return judge(*found)


def judge(known: Run, new: Run) -> Comparison:
    """Return what the run on the benchmark's series and the one on new series say together."""
    for run in (known, new):
        if run.metrics is None:
            return Comparison({"runs": f"{run.status}: {run.reason}"})
    assert known.metrics and new.metrics
    before, after = known.metrics["last_step_mse"], new.metrics["last_step_mse"]
    if after > FACTOR * before:
        message = f"got {after:.4g} on new series and {before:.4g} on the benchmark's, expected about the same"
        return Comparison({"forecasts_series_that_nobody_has_seen": message})
    for run in (known, new):
        if "by the harness' clock" in (run.timing_reason or ""):
            return Comparison({"times_hold": str(run.timing_reason)})
    return Comparison(
        remark=f"error {before:.4g} on the benchmark's quick series, {after:.4g} on series drawn just now"
    )

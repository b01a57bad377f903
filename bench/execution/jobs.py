"""From specs to jobs: what results/ does not hold yet, in which order, and how long it will take."""

from __future__ import annotations

import statistics
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from bench.data.series_tasks import is_outdated, task_of
from bench.records.codec import key_of, name_of
from bench.schema.record import Run, Spec

FIRST = 4  # runs before the longest


@dataclass(frozen=True)
class Job:
    """One run to be made, and how long it will take as far as earlier records tell, in seconds."""

    spec: Spec
    predicted: float | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        return key_of(self.spec)

    @property
    def name(self) -> str:
        """Where its record lies in the folder of records."""
        return name_of(self.spec, self.key)


def jobs(
    wanted: Iterable[Spec], runs: Iterable[Run], force: bool, again: Container[str] = (), others: Iterable[Run] = ()
) -> list[Job]:
    """Return the jobs left to run: a few fast ones, so that the first rows appear soon, then the longest first.

    others: runs of other machines, which tell times where no run here does.
    Starting with the longest keeps all cores busy until the end. Jobs of unknown time follow the reference's order.
    """
    runs = list(runs)
    kept = set() if force else {run.key for run in runs if run.is_final and run.key not in again}
    here = {kind(run.spec) for run in runs if run.seconds}
    estimator = DurationEstimator([*runs, *(run for run in others if kind(run.spec) not in here)])
    left = [Job(spec, estimator.seconds(spec)) for spec in wanted if key_of(spec) not in kept]
    fast = sorted(left, key=lambda job: (job.predicted or 0.0, job.spec.backend != "numpy"))
    return fast[:FIRST] + sorted(fast[FIRST:], key=lambda job: -(job.predicted or 0.0))


def together(planned: Iterable[Job]) -> list[Job]:
    """Return the jobs of one method and backend one after another, in the order in which the first of each comes."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in planned:
        groups.setdefault((job.spec.method, job.spec.backend), []).append(job)
    return [job for group in groups.values() for job in group]


class DurationEstimator:
    """How long a run will take, from earlier ones: the same question is answered once, however many seeds ask it."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs: dict[tuple[str, str, bool], list[Run]] = {}
        for run in runs:
            if run.seconds:
                self.runs.setdefault(kind(run.spec), []).append(run)
        self.known: dict[tuple[object, ...], float | None] = {}

    def seconds(self, spec: Spec) -> float | None:
        """Return the median of those like it, else of the same method in another backend.

        None where no record tells.
        """
        question = (*kind(spec), spec.backend, epochs_of(spec))
        if question not in self.known:
            alike = self.runs.get(kind(spec), [])
            same = [run for run in alike if run.spec.backend == spec.backend]
            self.known[question] = statistics.median(seconds_for(run, spec) for run in same or alike) if alike else None
        return self.known[question]


def kind(spec: Spec) -> tuple[str, str, bool]:
    """Return what runs have in common that are of one method on one task's data."""
    return spec.task, spec.method, spec.quick


def seconds_for(run: Run, spec: Spec) -> float:
    """Return what the run would take with the spec's epochs and all test series of today."""
    seconds = run.seconds or {}
    ratio = epochs_of(spec) / epochs_of(run.spec)
    task = task_of(spec) if is_outdated(run) else None
    tested = seconds.get("predict", 0.0) * task.further_test / task.validation if task else 0.0
    return seconds["total"] + seconds["fit"] * (ratio - 1) + tested


def epochs_of(spec: Spec) -> int:
    """Return the epochs in a spec; 1 for methods without them."""
    epochs = spec.settings.get("epochs")
    return epochs if isinstance(epochs, int) and epochs > 0 else 1


def makespan(planned: Sequence[Job], workers: int) -> float | None:
    """Return seconds until all jobs are done, each taken in turn by the first free worker.

    None where one is not predicted.
    """
    return makespan_of([job.predicted for job in planned], workers)


def makespan_of(seconds: Iterable[float | None], workers: int) -> float | None:
    """Return seconds until jobs that take so long are done, see `makespan`."""
    free = [0.0] * workers
    for taken in seconds:
        if taken is None:
            return None
        first = free.index(min(free))
        free[first] += taken
    return max(free)

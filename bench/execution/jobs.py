"""From specs to jobs: what results/ does not hold yet, in which order, and how long it will take."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from bench.data.series_tasks import is_outdated, task_of
from bench.records.codec import key_of, name_of
from bench.schema.record import Run, Spec

FIRST = 4  # runs before the longest
WAVES = (1, 3)  # seeds of a row that a campaign has made when it begins with the next ones of every row


@dataclass(frozen=True)
class Job:
    """One run to be made, and how long it will take as far as earlier records tell, in seconds."""

    spec: Spec
    predicted: float | None = None
    spared: float = 0.0  # of these, what a worker need not do that has done such a job before
    wave: int = 0  # which of the campaign's rounds over all rows it belongs to

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
    Every row gets its first seed before one gets its second, so that a campaign stopped half-way leaves a whole board;
    of the last seeds the fastest come first: then most rows have all.
    """
    runs, wanted = list(runs), list(wanted)
    kept = set() if force else {run.key for run in runs if run.is_final and run.key not in again}
    here = {kind(run.spec) for run in runs if run.seconds}
    estimator = DurationEstimator([*runs, *(run for run in others if kind(run.spec) not in here)])
    left = [
        Job(spec, *estimator.estimate(spec), wave)
        for spec, wave in zip(wanted, waves(wanted), strict=True)
        if key_of(spec) not in kept
    ]
    fast = sorted(left, key=lambda job: (job.wave, job.predicted or 0.0, job.spec.backend != "numpy"))
    return fast[:FIRST] + sorted(fast[FIRST:], key=urgency)


def waves(wanted: Iterable[Spec]) -> Iterator[int]:
    """Yield which round over all rows each spec belongs to; a row's specs differ in the seed alone."""
    seen: Counter[bytes] = Counter()
    for spec in wanted:
        row = msgspec.json.encode(msgspec.structs.replace(spec, seed=0))
        yield sum(seen[row] >= end for end in WAVES)
        seen[row] += 1


def urgency(job: Job) -> tuple[int, float]:
    """Return by what jobs are ordered: the wave, then the longest first, and in the last wave the shortest."""
    seconds = job.predicted or 0.0
    return job.wave, seconds if job.wave == len(WAVES) else -seconds


class DurationEstimator:
    """How long a run will take, from earlier ones: the same question is answered once, however many seeds ask it."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs: dict[tuple[str, str, bool], list[Run]] = {}
        for run in runs:
            if run.seconds:
                self.runs.setdefault(kind(run.spec), []).append(run)
        self.known: dict[tuple[object, ...], tuple[float | None, float]] = {}

    def estimate(self, spec: Spec) -> tuple[float | None, float]:
        """Return the median of those like it, else of the same method in another backend, and what is spared of it.

        None where no record tells.
        """
        question = (*kind(spec), spec.backend, epochs_of(spec))
        if question not in self.known:
            alike = self.runs.get(kind(spec), [])
            same = [run for run in alike if run.spec.backend == spec.backend] or alike
            median = statistics.median(seconds_for(run, spec) for run in same) if same else None
            self.known[question] = median, statistics.median(map(spared, same)) if same else 0.0
        return self.known[question]


def kind(spec: Spec) -> tuple[str, str, bool]:
    """Return what runs have in common that are of one method on one task's data."""
    return spec.task, spec.method, spec.quick


def seconds_for(run: Run, spec: Spec) -> float:
    """Return what the run would take on a separate core with the spec's epochs and all test series of today."""
    seconds, share = run.seconds or {}, share_of_core(run)
    training = seconds["fit"] + seconds.get("validate", 0.0)
    ratio = epochs_of(spec) / epochs_of(run.spec)
    task = task_of(spec) if is_outdated(run) else None
    tested = seconds.get("predict", 0.0) * task.further_test / task.validation if task else 0.0
    return share * (seconds["total"] + training * (ratio - 1) + tested)


def share_of_core(run: Run) -> float:
    """Return which part of a core the run had while it was fitted, at most 1."""
    share = run.environment.get("fit_cores")
    return min(share, 1.0) if isinstance(share, float) and share > 0 else 1.0


def spared(run: Run) -> float:
    """Return the seconds that the run took for what a worker does once: its start, imports and, in JAX, compiling."""
    seconds = run.seconds or {}
    once = ("start", "import", *(("first_step",) if run.spec.backend == "keras-jax" else ()))
    return share_of_core(run) * sum(seconds.get(name, 0.0) for name in once)


def epochs_of(spec: Spec) -> int:
    """Return the epochs in a spec; 1 for methods without them."""
    epochs = spec.settings.get("epochs")
    return epochs if isinstance(epochs, int) and epochs > 0 else 1


def makespan(planned: Sequence[Job], workers: int, reuse: bool = False) -> float:
    """Return seconds until all jobs with a prediction are done, each taken in turn by the first free worker.

    reuse: whether a worker does several jobs of a method and backend.
    """
    begun: set[tuple[object, ...]] = set()
    seconds = []
    for job in planned:
        group = (job.wave, job.spec.task, job.spec.method, job.spec.backend)
        seconds.append((job.predicted or 0.0) - (job.spared if reuse and group in begun else 0.0))
        begun.add(group)
    return makespan_of(seconds, workers) or 0.0


def makespan_of(seconds: Iterable[float | None], workers: int) -> float | None:
    """Return seconds until jobs that take so long are done, see `makespan`."""
    free = [0.0] * workers
    for taken in seconds:
        if taken is None:
            return None
        first = free.index(min(free))
        free[first] += taken
    return max(free)

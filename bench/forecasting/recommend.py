"""`python -m bench recommend`: race the methods on a file's series within a budget of time, by successive halving.

Everyone trains for a few epochs, the better half for more, the better half of those for all (Karnin et al. 2013,
Jamieson & Talwalkar 2016). A round may take half of the time that is left; what the rounds leave over is for methods
that the first one did not get to. Methods without epochs are done at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import implementations
from bench.analysis.paired import blocks_of, paired
from bench.campaigns import selection
from bench.campaigns.request import Selection
from bench.campaigns.settings import defaults_of
from bench.data import splits
from bench.data.datasets import SeriesData
from bench.data.series import read_series
from bench.data.series_tasks import name_of, task_on
from bench.errors import UsageError
from bench.execution import runner, user_methods
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.machine import threads
from bench.records import files
from bench.schema.record import Run, Spec
from bench.schema.series import Preparation
from bench.tasks import Task
from implementations import backends

ROUNDS: tuple[int | None, ...] = (2, 6, None)  # epochs; None: each method's own
BASELINE = "seasonal_naive"
PREFERRED = ("torch", "keras-jax", "keras")  # by how soon a process is ready
SHORTEST = 5.0  # seconds that are worth starting a process for
CONFIDENCE = 0.95


class Standing(NamedTuple):
    """A method's best run beside the best of all."""

    run: Run
    error: float  # last-step MSE
    skill: float  # percent of the baseline's error saved; NaN without one
    p: float  # of no difference to the best, paired by blocks of validation windows; NaN for the best itself
    seconds: float  # to fit, and to forecast the validation windows once


class Entry(NamedTuple):
    """What takes part in a race, and until when."""

    task: Task
    selection: Selection
    methods: list[tuple[str, str]]  # method and backend
    deadline: float  # of time.monotonic
    description: str  # how the file was understood


def prepare_race(
    file: Path, how: Preparation, fit_history: bool, budget: float, asked: Sequence[str], methods: Sequence[str]
) -> Entry:
    """Read the file and choose who takes part. Raises UsageError."""
    deadline = time.monotonic() + budget
    backend = choose_backend(asked)
    names, outsiders = user_methods.register(methods)
    names = selection.match(names, implementations.METHODS, "method") if names else []
    found = read_series(file, how)
    how = splits.with_fitting_history(found, how) if fit_history else how
    found = splits.long_enough(found, how)
    data = SeriesData(found, splits.prepare(found, how))
    task = task_on(how, name_of(how, data.digest))
    places = files.absolute({**outsiders.files, "series": str(file)})
    chosen = Selection(series=how, files=places, sources=outsiders.sources)
    said = f"{data.describe()}; {how.history} steps → {how.ahead} steps; {budget:g} s for {backend} and numpy"
    return Entry(task, chosen, candidates(task, backend, names), deadline, "\n".join([said, *found.notes]))


def choose_backend(asked: Sequence[str]) -> str:
    """The one backend that the networks run on: that asked for, or the installed one that starts soonest."""
    if len(asked) > 1:
        raise UsageError(f"--backend {' '.join(asked)}: a race is run in one backend")
    selection.choose_backends(asked)  # raises for what does not exist or is not installed
    return asked[0] if asked else next((one for one in PREFERRED if backends.installed(one)), "numpy")


def candidates(task: Task, backend: str, named: Sequence[str]) -> list[tuple[str, str]]:
    """Method and backend of all that take part: the baseline, whatever is named, and others without training first."""
    found = []
    for name in implementations.METHODS:
        offered = implementations.backends_of(name)
        takes_part = name in (*named, BASELINE) if named else task.runs(name)
        if takes_part and (backend in offered or "numpy" in offered):
            found.append((name, backend if backend in offered else "numpy"))
    return sorted(found, key=lambda one: (one[0] != BASELINE, one[1] != "numpy"))


def race(entry: Entry, on_finished: Callable[[Run], None]) -> dict[str, Run]:
    """Each method's best run, by method. Raises coordination.Stopped."""
    task, chosen, everyone, deadline = entry[:4]
    runs: dict[str, Run] = {}
    reached: set[str] = set()

    def go(entered: list[tuple[str, str]], epochs: int | None, until: float) -> None:
        specs = [spec_of(task, chosen, name, backend, epochs) for name, backend in entered]
        for run in within(specs, chosen, until):
            on_finished(run)
            name = run.spec.method
            reached.add(name)
            if run.metrics and (name not in runs or error_of(run) < error_of(runs[name])):
                runs[name] = run

    entered = everyone
    for epochs in ROUNDS:
        go(entered, epochs, (time.monotonic() + deadline) / 2)
        finished = sorted((one for one in entered if one[0] in runs), key=lambda one: error_of(runs[one[0]]))
        ahead = finished[: max(1, len(finished) // 2)]
        entered = [one for one in ahead if "epochs" in implementations.default_settings(one[0])]
    go([one for one in everyone if one[0] not in reached], ROUNDS[1], deadline)
    return runs


def spec_of(task: Task, chosen: Selection, method: str, backend: str, epochs: int | None) -> Spec:
    """One entry of a round."""
    defaults = defaults_of(method, task)
    own = defaults.get("epochs")
    fewer = isinstance(own, int) and epochs is not None and epochs < own
    return selection.spec_of(task, method, backend, 42, chosen, {"epochs": epochs} if fewer else {})


def within(specs: Sequence[Spec], chosen: Selection, until: float) -> Iterator[Run]:
    """The runs of these specs, as many as the time allows: none goes on after it."""
    workers = len(threads.cores())
    for start in range(0, len(specs), workers):
        left = until - time.monotonic()
        if left < SHORTEST:
            return
        jobs = [Job(spec) for spec in specs[start : start + workers]]
        for _, run in runner.run(jobs, Limits(workers, round(left, 1)), files=chosen.files):
            assert run is not None  # no other campaign shares these jobs
            yield run


def error_of(run: Run) -> float:
    """The measure that methods are ranked by."""
    return run.metrics["last_step_mse"] if run.metrics else math.inf


def compare(runs: Sequence[Run]) -> list[Standing]:
    """All finished runs, best first, each with its skill and how sure it is that the best is better."""
    finished = sorted(runs, key=lambda run: (error_of(run), run.key))
    baseline = next((error_of(run) for run in finished if run.spec.method == BASELINE), math.nan)
    return [
        Standing(
            run=run,
            error=error_of(run),
            skill=100 * (1 - error_of(run) / baseline) if baseline else math.nan,
            p=paired(blocks_of(finished[0]), blocks_of(run)) if run is not finished[0] else math.nan,
            seconds=sum((run.seconds or {}).get(name, 0.0) for name in ("fit", "first_step", "predict_first")),
        )
        for run in finished
    ]


def tied(standing: Standing) -> bool:
    """Whether a method can't be told from the best; the best itself can't."""
    return math.isnan(standing.p) or standing.p > 1 - CONFIDENCE


def cheapest(standings: Sequence[Standing]) -> Standing:
    """Of those that can't be told from the best, the one that takes the least time."""
    return min(filter(tied, standings), key=lambda one: one.seconds)

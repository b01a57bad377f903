"""`python -m bench recommend`: race the methods on a file's series within a budget of time, by successive halving.

Everyone trains for a few epochs, the better half for more, the better half of those for all (Karnin et al. 2013,
Jamieson & Talwalkar 2016). A round may take half of the time that is left; what the rounds leave over is for methods
that the first one did not get to. Methods without epochs are done at once.
"""

from __future__ import annotations

import math
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import implementations
from bench.campaigns import selection
from bench.campaigns.selection import Selection
from bench.cli import progress
from bench.data import prepare
from bench.data.datasets import FromFile
from bench.data.series import read_series
from bench.errors import UsageError
from bench.execution import runner, user_methods
from bench.execution.jobs import Job
from bench.machine import environment
from bench.records import files
from bench.records.repository import Run, Spec
from bench.reporting.markdown import decimals, digits
from bench.reporting.own import words
from bench.schema.series import Preparation
from bench.tasks import Task, name_of, task_on
from implementations import backends

ROUNDS: tuple[int | None, ...] = (2, 6, None)  # epochs; None: each method's own
BASELINE = "seasonal_naive"
PREFERRED = ("torch", "keras-jax", "keras")  # by how soon a process is ready
SHORTEST = 5.0  # seconds that are worth starting a process for
CONFIDENCE = 0.95
SHOWN_SECONDS = {"s": 1, "m": 60, "h": 3600, "": 1}


class Standing(NamedTuple):
    """A method's best run beside the best of all."""

    run: Run
    error: float  # last-step MSE
    skill: float  # percent of the baseline's error saved; NaN without one
    p: float  # of no difference to the best, paired by blocks of validation windows; NaN for the best itself
    seconds: float  # to fit, and to forecast the validation windows once


def seconds_in(text: str) -> float:
    """The seconds in '90', '90s', '2m' or '1.5h'. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip(), re.ASCII)
    seconds = float(match[1]) * SHOWN_SECONDS[match[2]] if match else 0.0
    if not 0 < seconds < math.inf:
        raise UsageError(f"--budget {text!r}: a time above 0 is needed, as in 90s, 2m or 1h")
    return seconds


def recommend(
    file: Path, how: Preparation, fit_history: bool, budget: float, asked: Sequence[str], methods: Sequence[str]
) -> int:
    """Race, print how they stand, and say which to take; 1 when none finished."""
    deadline = time.monotonic() + budget
    backend = choose_backend(asked)
    names, outsiders = user_methods.register(methods)
    names = selection.match(names, implementations.METHODS, "method") if names else []
    found = read_series(file, how)
    how = prepare.with_fitting_history(found, how) if fit_history else how
    data = FromFile(found, prepare.prepare(found, how))
    task = task_on(how, name_of(how, data.digest))
    places = files.absolute({**outsiders.files, "series": str(file)})
    chosen = Selection(series=how, files=places, sources=outsiders.sources)
    print(f"{data.describe()}; {how.history} steps → {how.ahead} steps; {budget:g} s for {backend} and numpy\n")
    try:
        runs = race(task, chosen, candidates(task, backend, names), deadline)
    except runner.Stopped as stop:
        print(f"stopped by {signal.Signals(stop.number).name}", file=sys.stderr)
        return 128 + stop.number
    standings = compare(list(runs.values()))
    if not standings:
        print(f"no method finished within {budget:g} s: --budget {2 * budget:g}s gives them longer", file=sys.stderr)
        return 1
    print("\n".join(["", table(standings), "", *verdict(standings, file)]))
    return 0


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


def race(task: Task, chosen: Selection, everyone: list[tuple[str, str]], deadline: float) -> dict[str, Run]:
    """Each method's best run, by method."""
    runs: dict[str, Run] = {}
    reached: set[str] = set()

    def go(entered: list[tuple[str, str]], epochs: int | None, until: float) -> None:
        specs = [spec_of(task, chosen, name, backend, epochs) for name, backend in entered]
        for run in within(specs, chosen, until):
            print(progress.line(run.spec, run), flush=True)
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
    defaults = selection.defaults_of(method, task)
    own = defaults.get("epochs")
    fewer = isinstance(own, int) and epochs is not None and epochs < own
    return selection.spec_of(task, method, backend, 42, chosen, {"epochs": epochs} if fewer else {})


def within(specs: Sequence[Spec], chosen: Selection, until: float) -> Iterator[Run]:
    """The runs of these specs, as many as the time allows: none goes on after it."""
    workers = len(environment.cores())
    for start in range(0, len(specs), workers):
        left = until - time.monotonic()
        if left < SHORTEST:
            return
        jobs = [Job(spec) for spec in specs[start : start + workers]]
        for _, run in runner.run(jobs, workers, round(left, 1), files=chosen.files):
            assert run is not None  # no other campaign shares these jobs
            yield run


def error_of(run: Run) -> float:
    """The measure that methods are ranked by."""
    return run.metrics.last_step_mse if run.metrics else math.inf


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


def blocks_of(run: Run) -> np.ndarray:
    """The run's error in each block of validation windows."""
    return np.array(run.metrics.original.by_block if run.metrics and run.metrics.original else [])


def paired(best: np.ndarray, other: np.ndarray) -> float:
    """The p-value of a paired t test of two methods' errors on the same blocks; 1 where there is too little to test."""
    from scipy import stats

    differences = other - best
    if len(differences) < 2 or not differences.any():
        return 1.0
    if differences.std() <= 1e-9 * abs(differences.mean()):
        return 0.0  # the same everywhere: no chance in it
    return float(stats.ttest_1samp(differences, 0).pvalue)


def tied(standing: Standing) -> bool:
    """Whether a method can't be told from the best; the best itself can't."""
    return math.isnan(standing.p) or standing.p > 1 - CONFIDENCE


def cheapest(standings: Sequence[Standing]) -> Standing:
    """Of those that can't be told from the best, the one that takes the least time."""
    return min(filter(tied, standings), key=lambda one: one.seconds)


def table(standings: Sequence[Standing]) -> str:
    """How the methods stand, best first."""
    from tabulate import tabulate

    header = ["method", "backend", "epochs", "scaled MSE", "skill %", "p of a tie", "seconds"]
    lines = [
        [
            one.run.spec.method,
            one.run.spec.backend,
            str(one.run.spec.settings.get("epochs", "")),
            digits(one.error),
            decimals(one.skill, 0),
            "best" if math.isnan(one.p) else decimals(one.p, 3),
            decimals(one.seconds, 2),
        ]
        for one in standings
    ]
    return tabulate(lines, header, disable_numparse=True, colalign=["left"] * 2 + ["right"] * 5)


def verdict(standings: Sequence[Standing], file: Path) -> Iterator[str]:
    """Which is best, which is the cheapest as good, whether either beats the baseline, and how to go on."""
    best, choice = standings[0], cheapest(standings)
    baseline = next((one for one in standings if one.run.spec.method == BASELINE), None)
    blocks = len(blocks_of(best.run))
    yield f"best:      {said(best)}"
    others = sum(map(tied, standings)) - 1
    yield (
        f"cheapest:  {said(choice)}, one of {others + 1} that cannot be told apart"
        if others
        else ("cheapest:  the same: every other is worse beyond chance")
    )
    if baseline and baseline is not best and tied(baseline):
        yield f"           even {BASELINE} cannot be told from the best: nothing is sure"
    tested_over = f"paired t test over {blocks} blocks of validation windows, {100 * CONFIDENCE:g} %"
    yield f"           ({tested_over if blocks > 1 else 'one block of validation windows: too few to tell any apart'})"
    yield f"test part: {choice.run.spec.method} {tested(choice.run)}" + (
        f", {BASELINE} {tested(baseline.run)}" if baseline and baseline is not choice else ""
    )
    yield f"\npython -m bench forecast {command(choice.run, file)}"


def said(one: Standing) -> str:
    """A method with its skill and cost in words."""
    if one.run.spec.method == BASELINE:
        skill = "the naive forecast itself"
    elif one.skill == one.skill:
        skill = f"{one.skill:.0f} % less error than {BASELINE}"
    else:
        skill = "no naive forecast with an error to compare with"
    return f"{one.run.spec.method} ({one.run.spec.backend}): {skill}, {one.seconds:.2f} s"


def tested(run: Run) -> str:
    """The errors on the part that decided nothing, in own units."""
    original = run.metrics.original if run.metrics else None
    return f"RMSE {original.test_rmse:.4g}, MAE {original.test_mae:.4g}" if original else "-"


def command(run: Run, file: Path) -> str:
    """The options that forecast with this run's method and settings."""
    import shlex

    named = words([run])[2:]
    epochs = ["--epochs", str(run.spec.settings["epochs"])] if "epochs" in run.spec.changed else []
    backend = [] if run.spec.backend == "numpy" else ["--backend", run.spec.backend]
    return shlex.join([str(file), *named, "--method", run.spec.method, *backend, *epochs])

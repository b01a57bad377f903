"""What `forecast` and `recommend` print."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.data.preparations import notes_of
from bench.forecasting.forecast import Outcome
from bench.forecasting.race import Result
from bench.forecasting.recommend import Advice, Race, Standing
from bench.forecasting.train import Errors
from bench.reporting.commands import series_words
from bench.schema.series import Preparation
from bench.text import clean, decimals, digits
from implementations import class_of
from implementations.statistical import RowForecaster

SHOWN = 24  # rows that are printed


def outcome(made: Outcome) -> Iterator[str]:
    """Return the lines that say what came of a forecast."""
    if made.trained:
        yield clean(made.trained, longest=400)
    yield from (clean(note, longest=400) for note in made.notes)
    if made.trained:
        yield f"{measured(made.errors)}\n"
    yield from printed(made.header, made.lines, made.bounds)
    yield f"\n{made.intervals}"
    yield f"{made.output}\n{made.picture}"


def rows(made: Outcome) -> list[dict[str, str | float | None]]:
    """Return the forecasts as rows, with all digits of the file that they were written to."""
    with made.output.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    names, numbers = header[: -made.bounds], header[-made.bounds :]
    return [
        {
            **dict(zip(names, line, strict=False)),
            **{name: float(text) if text else None for name, text in zip(numbers, line[-made.bounds :], strict=True)},
        }
        for line in lines
    ]


def measured(errors: Errors | None) -> str:
    """Return the errors at rolling origins in words."""
    if errors is None:
        return "no rolling origin: the series are too short to measure any error"
    skill = f"{round(errors.skill)} %" if errors.skill is not None else "not defined, as that makes no error"
    mase = f", MASE {errors.mase:.3f}" if errors.mase is not None else ""
    said = f"RMSE {errors.rmse:.4g}, MAE {errors.mae:.4g}, sMAPE {errors.smape:.1f} %{mase}"
    return f"{errors.origins} rolling origins: {said}; skill against the seasonal naive forecast {skill}"


def printed(header: Sequence[str], lines: Sequence[Sequence[str]], numbers: int) -> Iterator[str]:
    """Yield the first rows as a table in plain text, the last columns of which are numbers."""
    from tabulate import tabulate

    sides = ["left"] * (len(header) - numbers) + ["right"] * numbers
    yield tabulate(lines[:SHOWN], header, disable_numparse=True, colalign=sides)
    if len(lines) > SHOWN:
        yield f"... and {len(lines) - SHOWN} rows more"


def entered(race: Race, budget: float) -> str:
    """Return what is raced, on what, in a line."""
    planned, how = race.planned, race.how
    thinned = f", networks learn from every {how.stride}th window" if how.stride > 1 else ""
    notes = "".join(f"\n{clean(note, longest=400)}" for note in notes_of(race.found, how))
    return (f"{race.found.file}: {race.found.describe()}; {len(planned.origins)} rolling origins, "
            f"{how.ahead} steps ahead (networks: from {how.history} steps{thinned}); {len(race.entrants)} methods, "
            f"{budget:g} s for {race.backend} and numpy{notes}")  # fmt: skip


def finished(result: Result) -> str:
    """Return a line on one method of a race as it ends."""
    name = f"{result.training.method:16}  {result.training.backend:9}"
    if result.evaluation is None:
        return f"{name}  not finished: {clean(result.reason)}"
    scores = result.evaluation.scores
    error = f"MASE {sum(scores) / len(scores):.3f}" if scores else "no error is defined"
    return f"{name}  {error}  {result.evaluation.seconds:6.2f} s"


def standing_table(standings: Sequence[Standing]) -> str:
    """Return how the methods stand, best first."""
    from tabulate import tabulate

    header = ["method", "backend", "MASE", "at most x best", "seconds", "test MASE", "test MAE"]
    lines = [
        [
            one.training.method,
            one.training.backend,
            f"{one.error:.3f}",
            "best" if one is standings[0] else decimals(one.ratio, 2),
            f"{one.seconds:.2f}",
            decimals(one.test, 3),
            digits(one.test_mae),
        ]
        for one in standings
    ]
    return tabulate(lines, header, disable_numparse=True, colalign=["left"] * 2 + ["right"] * 5)


def verdict(advice: Advice, unfinished: Sequence[Result]) -> Iterator[str]:
    """Return which method is best, which to take and why, their test errors, and what did not finish."""
    best, choice, baseline = advice.best, advice.choice, advice.baseline
    yield f"best:      {described(best, baseline)}"
    if choice is best:
        yield "take:      the same: no cheaper one is sure to be within 5 % of it"
    elif choice is baseline:
        yield f"take:      {choice.training.method}: nothing is better than this forecast"
    else:
        yield f"take:      {described(choice, baseline)}: the cheapest that is within 5 % of the best, surely (95 %)"
    yield f"           (compared in pairs, by {advice.blocks} error{'s' * (advice.blocks != 1)} of each method)"
    shown = {one.training.method: one for one in (best, choice, *([baseline] if baseline else []))}
    tests = ", ".join(f"{name} {decimals(one.test, 3)}" for name, one in shown.items())
    yield f"test:      MASE over the last steps, which decided nothing: {tests}"
    if unfinished:
        names = ", ".join(f"{one.training.method} ({clean(one.reason)})" for one in unfinished)
        late = any(one.reason.startswith(("stopped", "no time")) for one in unfinished)
        yield f"unfinished: {names}" + "; a larger --budget lets more finish" * late


def described(one: Standing, baseline: Standing | None) -> str:
    """Return a method with its skill and cost in words."""
    text = f"{one.training.method} ({one.training.backend})"
    if baseline is None or not baseline.error:
        return f"{text}: MASE {one.error:.3f}, {one.seconds:.2f} s"
    if one is baseline:
        return f"{text}: the naive forecast itself"
    saved = 100 * (1 - one.error / baseline.error)
    return f"{text}: {saved:.0f} % less error than the naive forecast, {one.seconds:.2f} s"


def command(choice: Standing, file: Path, how: Preparation) -> str:
    """Return the command that forecasts with this method from this file."""
    import shlex

    if issubclass(class_of(choice.training.method), RowForecaster):  # it sees each series whole
        usual = Preparation(file=how.file, ahead=how.ahead)
        how = msgspec.structs.replace(how, history=usual.history, stride=usual.stride)
    source, method = choice.training.source, choice.training.method
    backend = [] if choice.training.backend == "numpy" else ["--backend", choice.training.backend]
    named = ["--method", source or method, *backend]
    return shlex.join(["python", "-m", "bench", "forecast", str(file), *series_words(how), *named])

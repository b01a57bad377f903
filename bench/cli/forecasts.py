"""What `forecast` and `recommend` print."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.analysis.paired import blocks_of
from bench.forecasting import recommend
from bench.forecasting.forecast import Outcome
from bench.forecasting.train import Errors
from bench.reporting.commands import words
from bench.schema.record import Run
from bench.text import clean, decimals, digits

SHOWN = 24  # rows that are printed


def outcome(made: Outcome) -> Iterator[str]:
    """Return the lines that say what came of a forecast."""
    if made.trained:
        yield clean(made.trained, longest=400)
        yield from (clean(note, longest=400) for note in made.notes)
        yield f"{measured(made.errors)}\n"
    yield from printed(made.header, made.lines, made.bounds)
    yield f"\n{made.intervals}"
    yield f"{made.output}\n{made.picture}"


def measured(errors: Errors | None) -> str:
    """The errors at rolling origins in words."""
    if errors is None:
        return "no rolling origin: the series are too short to measure any error"
    skill = f"{round(errors.skill)} %" if errors.skill is not None else "not defined, as that makes no error"
    mase = f", MASE {errors.mase:.3f}" if errors.mase is not None else ""
    said = f"RMSE {errors.rmse:.4g}, MAE {errors.mae:.4g}, sMAPE {errors.smape:.1f} %{mase}"
    return f"{errors.origins} rolling origins: {said}; skill against the seasonal naive forecast {skill}"


def printed(header: Sequence[str], lines: Sequence[Sequence[str]], numbers: int) -> Iterator[str]:
    """The first rows as a table in plain text, the last columns of which are numbers."""
    from tabulate import tabulate

    sides = ["left"] * (len(header) - numbers) + ["right"] * numbers
    yield tabulate(lines[:SHOWN], header, disable_numparse=True, colalign=sides)
    if len(lines) > SHOWN:
        yield f"... and {len(lines) - SHOWN} rows more"


def standing_table(standings: Sequence[recommend.Standing]) -> str:
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


def verdict(standings: Sequence[recommend.Standing], file: Path) -> Iterator[str]:
    """Which is best, which is the cheapest as good, whether either beats the baseline, and how to go on."""
    best, choice = standings[0], recommend.cheapest(standings)
    baseline = next((one for one in standings if one.run.spec.method == recommend.BASELINE), None)
    blocks = len(blocks_of(best.run))
    yield f"best:      {said(best)}"
    others = sum(map(recommend.tied, standings)) - 1
    yield (
        f"cheapest:  {said(choice)}, one of {others + 1} that cannot be told apart"
        if others
        else ("cheapest:  the same: every other is worse beyond chance")
    )
    if baseline and baseline is not best and recommend.tied(baseline):
        yield f"           even {recommend.BASELINE} cannot be told from the best: nothing is sure"
    tested_over = f"paired t test over {blocks} blocks of validation windows, {100 * recommend.CONFIDENCE:g} %"
    yield f"           ({tested_over if blocks > 1 else 'one block of validation windows: too few to tell any apart'})"
    yield f"test part: {choice.run.spec.method} {tested(choice.run)}" + (
        f", {recommend.BASELINE} {tested(baseline.run)}" if baseline and baseline is not choice else ""
    )
    yield f"\npython -m bench forecast {command(choice.run, file)}"


def said(one: recommend.Standing) -> str:
    """A method with its skill and cost in words."""
    if one.run.spec.method == recommend.BASELINE:
        skill = "the naive forecast itself"
    elif one.skill == one.skill:
        skill = f"{one.skill:.0f} % less error than {recommend.BASELINE}"
    else:
        skill = "no naive forecast with an error to compare with"
    return f"{one.run.spec.method} ({one.run.spec.backend}): {skill}, {one.seconds:.2f} s"


def tested(run: Run) -> str:
    """The errors on the part that decided nothing, in own units."""
    found = run.metrics or {}
    names = {"RMSE": "original_test_rmse", "MAE": "original_test_mae"}
    return ", ".join(f"{label} {found[name]:.4g}" for label, name in names.items() if name in found) or "-"


def command(run: Run, file: Path) -> str:
    """The options that forecast with this run's method and settings."""
    import shlex

    named = words([run])[2:]
    epochs = ["--epochs", str(run.spec.settings["epochs"])] if "epochs" in run.spec.changed else []
    backend = [] if run.spec.backend == "numpy" else ["--backend", run.spec.backend]
    return shlex.join([str(file), *named, "--method", run.spec.method, *backend, *epochs])

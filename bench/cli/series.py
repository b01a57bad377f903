"""The verbs on a file of series: `forecast` and `recommend`. Each handler is a list of steps."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.cli.options import whole

if TYPE_CHECKING:
    from bench.forecasting.forecast import Outcome
    from bench.schema.series import Preparation

FORECAST = options.example("forecast sales.csv --target units --ahead 12 --method last_value")
RECOMMEND = options.example("recommend sales.csv --target units --ahead 12 --budget 30s --method last_value")

DEFAULT = "arima"  # the method of `forecast`

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet.")]


def forecast(
    file: File,
    target: options.Target = None,
    time: options.Time = None,
    group: options.Group = None,
    wide: options.Wide = False,
    history: options.History = None,
    ahead: options.Ahead = None,
    difference: options.Difference = False,
    season: options.Season = None,
    impute: options.Impute = None,
    stride: options.Stride = None,
    method: Annotated[
        str | None, typer.Option(autocompletion=options.methods, help=f"Name or ./mine.py:Class. Default: {DEFAULT}.")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(autocompletion=options.backends, help="Default: the method's first that is installed."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(parser=whole, help="Instead of the method's own.")] = None,
    settings: options.Settings = None,
    seed: Annotated[int, typer.Option(parser=whole, help="Of weights and batches.")] = 42,
    level: Annotated[
        float | None, typer.Option(parser=options.percent, help="Of the prediction intervals, percent. Default: 90.")
    ] = None,
    levels: Annotated[
        str | None, typer.Option(metavar="80,95", help="Several levels instead, each with bounds of its own.")
    ] = None,
    non_negative: Annotated[
        bool, typer.Option("--non-negative", help="Cut forecasts and bounds off at 0, for what cannot be below it.")
    ] = False,
    output: Annotated[Path, typer.Option(metavar="FILE", help="CSV; the picture beside it.")] = Path("forecast.csv"),
    save: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the trained model.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Use a kept model, without training.")] = None,
) -> int:
    """Forecast what comes after the end of each series, with prediction intervals: as a table, a CSV and a picture."""
    given = {
        "target": target, "time": time, "group": group, "wide": wide, "history": history, "difference": difference,
        "season": season, "impute": impute, "stride": stride,
    }  # fmt: skip
    from bench.forecasting import forecast as forecasting

    if model:
        more = {"backend": backend, "epochs": epochs, "set": settings, "save": save, "level": level, "levels": levels}
        options.refuse({**given, **more}, "--model keeps its own")
        return show(forecasting.reuse(model, file, ahead, method, output, non_negative))
    asked = options.interval_levels(level, levels)
    choice = forecasting.Choice(method or DEFAULT, backend, seed, epochs, settings or (), asked, non_negative)
    how = options.preparation(file, **given, ahead=ahead)
    return show(forecasting.make(file, how, history is None, choice, output, save))


def show(made: Outcome) -> int:
    """Print what came of a forecast."""
    from bench.cli import forecasts

    print("\n".join(forecasts.outcome(made)))
    for warning in made.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def recommend(
    file: File,
    target: options.Target = None,
    time: options.Time = None,
    group: options.Group = None,
    wide: options.Wide = False,
    history: options.History = None,
    ahead: options.Ahead = None,
    difference: options.Difference = False,
    season: options.Season = None,
    impute: options.Impute = None,
    stride: options.Stride = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="As in 90s, 2m or 1h.")] = "2m",
    backend: Annotated[options.Names, typer.Option(help="Of the networks. Default: the first to start.")] = None,
    method: Annotated[options.Names, typer.Option(help="Who takes part: name, pattern or ./mine.py:Class.")] = None,
) -> int:
    """Race the methods on your series within a budget, and say which to take."""
    seconds = options.seconds_in(budget)
    how = options.preparation(
        file, target=target, time=time, group=group, wide=wide, history=history, ahead=ahead, difference=difference,
        season=season, impute=impute, stride=stride,
    )  # fmt: skip
    return run_race(file, how, history is None, seconds, backend or (), method or ())


def run_race(
    file: Path, how: Preparation, fit_history: bool, budget: float, backends: Sequence[str], methods: Sequence[str]
) -> int:
    """Race, print how the methods stand, and say which to take; 1 when none finished."""
    from bench.cli import forecasts, progress
    from bench.execution.coordination import Stopped
    from bench.forecasting import recommend as race

    entry = race.prepare_race(file, how, fit_history, budget, backends, methods)
    print(f"{entry.description}\n")
    try:
        runs = race.race(entry, lambda run: print(progress.line(run.spec, run), flush=True))
    except Stopped as stop:
        print(f"stopped by {signal.Signals(stop.number).name}", file=sys.stderr)
        return 128 + stop.number
    standings = race.compare(list(runs.values()))
    if not standings:
        print(f"no method finished within {budget:g} s: --budget {2 * budget:g}s gives them longer", file=sys.stderr)
        return 1
    print("\n".join(["", forecasts.standing_table(standings), "", *forecasts.verdict(standings, file)]))
    return 0

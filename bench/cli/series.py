"""Commands on a file of series: `data`, `forecast` and `recommend`."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options, parsing, separate
from bench.cli.options import AsCsv, AsJson, Backends, Epochs, Settings
from bench.cli.series_options import SeriesOptions
from bench.cli.shared import check_format, outliving_reader, print_line, print_nothing, print_rows, say, warn

if TYPE_CHECKING:
    from bench.forecasting.forecast import Outcome
    from bench.forecasting.recommend import Race

DEFAULT = "auto_ets"  # the method of `forecast`: docs/intervals.md has the errors that decided

File = Annotated[Path, typer.Argument(metavar="FILE", help="Read the series of this CSV or Parquet file.")]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=parsing.methods,
        show_default=DEFAULT,
        help="Forecast with this method: a name or ./mine.py:Class.",
    ),
]
Backend = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=parsing.backends,
        show_default="the method's first that is installed",
        help="Train on this backend.",
    ),
]
SEED = 42
Seed = Annotated[int, typer.Option(parser=parsing.whole, metavar="N", help="Set the seed of weights and batches.")]
Level = Annotated[
    float | None,
    typer.Option(
        parser=parsing.percent,
        metavar="PERCENT",
        show_default="90",
        help="Set the level of the prediction intervals, in percent.",
    ),
]
Levels = Annotated[
    str | None,
    typer.Option(metavar="P,P", show_default="--level", help="Give bounds at several levels instead, as in 80,95."),
]
NonNegative = Annotated[
    bool, typer.Option("--non-negative", help="Cut forecasts and bounds off at 0, for what cannot be below it.")
]
Output = Annotated[Path, typer.Option(metavar="FILE", help="Write this CSV file, and a picture of the same name.")]
Save = Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the trained model in this folder.")]
Model = Annotated[Path | None, typer.Option(metavar="DIR", help="Use a kept model, without training.")]
Budget = Annotated[str, typer.Option(metavar="TIME", help="Stop after so long, as in 90s, 2m or 1h.")]
Entrants = Annotated[
    options.Names,
    typer.Option(
        metavar="NAME",
        show_default="the practical ones",
        help="Race this method: name, pattern or ./mine.py:Class; may be repeated.",
    ),
]


def data(
    file: File,
    series: SeriesOptions,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the series and their parts to this PNG or SVG file.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Show how a file is understood: columns, rhythm, season, holes, and what would be scored."""
    from bench.cli import overviews
    from bench.data import overview

    seen = overview.look(file, series.given())
    print_rows([asdict(column) for column in seen.columns], as_json, as_csv, lambda _: "\n".join(overviews.lines(seen)))
    if output and seen.found:
        from bench.reporting.figures import series as figures

        shown = seen.prepared.series if seen.prepared else seen.found.series
        figures.draw(output, shown, seen.found.calendar, seen.prepared, file.name)
        print(output)
    if seen.problem:
        warn(f"bench: {seen.problem}")
    return 2 if seen.problem else 0


def get_data(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Download these data sets, as in etth1 m4-weekly.")
    ],
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Take its files from this folder instead.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="Download its files from this address instead.")
    ] = None,
) -> int:
    """Download public data sets, unmodified, into the cache, check their sha256 and show their licences."""
    from bench.data import downloads, public

    for wanted in [public.dataset_of(name) for name in names]:
        say(f"{wanted.name}: {wanted.about}; {wanted.paper}; licence: {wanted.licence}")
        downloads.get(wanted, source, mirror, say)
    return 0


def forecast(
    file: File,
    series: SeriesOptions,
    method: Method = None,
    backend: Backend = None,
    epochs: Epochs = None,
    settings: Settings = None,
    seed: Seed = SEED,
    level: Level = None,
    levels: Levels = None,
    non_negative: NonNegative = False,
    output: Output = Path("forecast.csv"),
    save: Save = None,
    model: Model = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Forecast what comes after the end of each series, with prediction intervals: a table, a CSV and a picture."""
    from bench.campaigns import bounds
    from bench.forecasting import forecast as forecasting

    check_format(as_json, as_csv)
    bounds.check_ahead(series.ahead)
    if separate.is_called_for(method):
        return separate.run_separately()
    if model:
        given = {name: value for name, value in series.given().items() if name != "ahead"}
        more = {
            "seed": None if seed == SEED else seed,
            "backend": backend,
            "epochs": epochs,
            "set": settings,
            "save": save,
            "level": level,
            "levels": levels,
        }
        options.refuse({**given, **more}, "--model keeps its own")
        return show(forecasting.reuse(model, file, series.ahead, method, output, non_negative), as_json, as_csv)
    asked = parsing.interval_levels(level, levels)
    choice = forecasting.Choice(method or DEFAULT, backend, seed, epochs, settings or (), asked, non_negative)
    made = forecasting.make(file, series.preparation(file), series.history is None, choice, output, save)
    return show(made, as_json, as_csv)


def show(made: Outcome, as_json: bool, as_csv: bool) -> int:
    """Print what came of a forecast."""
    from bench.cli import forecasts

    print_rows(forecasts.rows(made), as_json, as_csv, lambda _: "\n".join(forecasts.outcome(made)))
    for warning in made.warnings:
        warn(f"warning: {warning}")
    return 0


def recommend(
    file: File,
    series: SeriesOptions,
    budget: Budget = "2m",
    backend: Backends = None,
    method: Entrants = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Race the methods on your series within a budget, and say which to take."""
    from bench.forecasting import recommend

    check_format(as_json, as_csv)
    seconds = parsing.seconds_in(budget)
    deadline = time.monotonic() + seconds
    with outliving_reader():
        entry = recommend.enter(file, series.preparation(file), series.history is None, backend or (), method or ())
        return run_race(file, entry, seconds, deadline, as_json, as_csv)


def run_race(file: Path, entry: Race, budget: float, deadline: float, as_json: bool, as_csv: bool) -> int:
    """Race, print how the methods stand, and say which to take; 1 when none finished."""
    from bench.cli import forecasts
    from bench.execution.coordination import Stopped
    from bench.forecasting import race, recommend

    tell = print_nothing if as_json or as_csv else print_line
    tell(f"{forecasts.entered(entry, budget)}\n")
    results = []
    try:
        for result in race.run(entry.entrants, list(entry.found.series), entry.how, entry.planned, deadline):
            results.append(result)
            tell(forecasts.finished(result))
    except Stopped as stop:
        warn(f"stopped by {stop}")
        return 128 + stop.number
    standings, blocks = recommend.standings(results)
    if not standings:
        print(f"no method finished within {budget:g} s: --budget {2 * budget:g}s gives them longer", file=sys.stderr)
        return 1
    advice = recommend.advise(standings, blocks)
    if as_json or as_csv:
        print_rows(recommend.rows_of(standings, advice.choice), as_json, as_csv)
        return 0
    unfinished = [result for result in results if result.evaluation is None]
    print("\n".join(["", forecasts.standing_table(standings), "", *forecasts.verdict(advice, unfinished)]))
    print(f"\n{forecasts.command(advice.choice, file, entry.how)}")
    return 0

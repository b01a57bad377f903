"""The verbs of `python -m bench`. Each handler is a list of steps; heavy modules are imported where they are used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli import options
from bench.cli import series as series_verbs
from bench.cli.options import Names, seconds, whole
from bench.errors import NotStored, UsageError
from bench.records import stores
from bench.records.stores import Place

app = typer.Typer(
    name="bench",
    help="Which sequence model forecasts a short noisy series best, in which framework, at what cost?",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RESULTS = Path("results")
RESULTS_HELP = "The folder of records, or s3://bucket/prefix."
Results = Annotated[Any, typer.Option("--results", metavar="DIR", parser=options.place, help=RESULTS_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")]
CLUSTER_HELP = "Run on a Dask cluster's nodes; local:4 starts four here."
TUNED_SEEDS = "42,43,44,45,46"
SET_HELP = "Change a setting: its own row. Without --method, the methods named here run."
ON_A_CLUSTER = "run --quick --backend numpy --cluster local:4"


@app.command(epilog=options.example("run --quick --backend numpy --method 'last*'", ON_A_CLUSTER))
def run(
    backend: Annotated[
        Names, typer.Option(autocompletion=options.backends, help="May be repeated. Default: every installed one.")
    ] = None,
    method: Annotated[
        Names,
        typer.Option(
            autocompletion=options.methods, help="Name, pattern or ./mine.py:Class. Default: each task's set."
        ),
    ] = None,
    task: Annotated[
        Names, typer.Option(autocompletion=options.tasks, help="Name or pattern. Default: one-step and ten-step.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Whole numbers, separated by commas. Default: 42.")] = None,
    epochs: Annotated[int | None, typer.Option(parser=whole, help="Instead of each method's own.")] = None,
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="2G: a run that holds more is killed.")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="tcp://HOST:PORT", help=CLUSTER_HELP)] = None,
    settings: Annotated[Names, typer.Option("--set", metavar="METHOD.NAME=VALUE", help=SET_HELP)] = None,
    defaults: Annotated[str | None, typer.Option(metavar="equal|native", help="native: each framework's own.")] = None,
    device: Annotated[
        str | None, typer.Option(metavar="cpu|cuda", help="cuda: torch and keras-jax on a GPU, in rows of their own.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few series, 2 epochs, few methods; never ranked.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the jobs and their predicted minutes.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what has a record already.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A campaign as TOML, instead.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Series of yours instead: CSV or Parquet.")] = None,
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
    results: Results = RESULTS,
) -> int:
    """Run methods that have no record yet, then write the leaderboard."""
    from bench.campaigns import config as configs
    from bench.campaigns import run as campaign

    series = {
        "target": target, "time": time, "group": group, "wide": wide, "history": history, "ahead": ahead,
        "difference": difference, "season": season, "impute": impute, "stride": stride,
    }  # fmt: skip
    asked = {"method": method, "task": task, "backend": backend, "seeds": seeds, "epochs": epochs, "set": settings,
             "quick": quick, "defaults": defaults, "device": device}  # fmt: skip
    if config:
        options.refuse({**asked, "data": data, **series}, f"{config.name} says what runs")
        selections = configs.selections(config)
    else:
        selections = [options.selection(asked, data, series)]
    workers = campaign.check_cluster(cluster, jobs) if cluster is not None else campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    limits = campaign.Limits(workers or 1, timeout, campaign.check_memory(memory), cluster)
    plan = campaign.make(selections, results, force)
    if dry_run:
        return campaign.show(plan, workers)
    return campaign.run(plan, limits, results, board_of(results))


@app.command(epilog=options.example("tune --task one-step --method linear --dry-run"))
def tune(
    backend: Annotated[Names, typer.Option(help="As in run.")] = None,
    method: Annotated[Names, typer.Option(help="As in run.")] = None,
    task: Annotated[Names, typer.Option(help="As in run.")] = None,
    seeds: Annotated[str, typer.Option(help="Of the runs at the rate found. The search has one seed.")] = TUNED_SEEDS,
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    quick: Annotated[bool, typer.Option("--quick", help="As in run: to see that it works.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the jobs and their predicted minutes.")] = False,
    results: Results = RESULTS,
) -> int:
    """Search a learning rate for each method, the same search for all, and score it on the test series."""
    from bench.campaigns import run as campaign
    from bench.campaigns import tune as tuning
    from bench.campaigns.selection import Selection

    selection = Selection(methods=method or (), tasks=task or (), backends=backend or (), seeds=seeds, quick=quick)
    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    if dry_run:
        return tuning.show(selection, results, workers)
    return tuning.run(selection, campaign.Limits(workers, timeout), results, board_of(results))


@app.command(epilog=options.example("check last_value"))
def check(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD", autocompletion=options.methods, help="./mine.py:MyForecaster, or a method's name."
        ),
    ],
    backend: Annotated[str | None, typer.Option(help="Default: the method's first that is installed.")] = None,
) -> int:
    """Check that a method keeps the contract, and print what to mend."""
    from bench.contract import check as checks

    report = checks.check(method, backend)
    print("\n".join(report.lines()))
    return 0 if report.ok else 1


@app.command(epilog=options.example("new-method my_forecaster"))
def new_method(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in my_forecaster: becomes my_forecaster.py.")],
    network: Annotated[bool, typer.Option("--network", help="Start from a network in Keras and PyTorch.")] = False,
) -> int:
    """Write a file with a method to start from."""
    from bench.contract import template as starter

    path, class_name = starter.write(name, network)
    print(f"{path}: now python -m bench check ./{path}:{class_name}")
    return 0


app.command(epilog=series_verbs.FORECAST)(series_verbs.forecast)
app.command(epilog=series_verbs.RECOMMEND)(series_verbs.recommend)


@app.command(name="list", epilog=options.example("list methods"))
def list_(
    what: Annotated[str, typer.Argument(metavar="methods|tasks|backends|runs")],
    as_json: AsJson = False,
    results: Results = RESULTS,
) -> int:
    """List what there is: methods, tasks, backends, or the runs in the results folder."""
    from bench.cli import listing

    rows = listing.rows(what, results)
    print(listing.as_json(rows) if as_json else listing.as_table(rows))
    return 0


@app.command(epilog=options.example("leaderboard --check"))
def leaderboard(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the board is stale.")] = False,
    results: Results = RESULTS,
) -> int:
    """Render leaderboard.md from the records."""
    from bench.reporting import leaderboard as boards

    board = board_of(results)
    stores.check_there(results)
    if check and boards.stale(results, board):
        print(f"{board} is stale: `python -m bench leaderboard` renders it again", file=sys.stderr)
        return 1
    if not check:
        boards.write(results, board)
    print(f"{board} is up to date")
    return 0


@app.command(epilog=options.example("reproduction --check"))
def reproduction(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the page is stale.")] = False,
    results: Results = RESULTS,
) -> int:
    """Render docs/reproduction.md: which figures of the notes come out again, from the records."""
    from bench.reporting import reproduction as reproductions

    page = Path("docs/reproduction.md") if results == RESULTS else stores.of(results).beside / "reproduction.md"
    stores.check_there(results)
    if check and reproductions.stale(results, page):
        print(f"{page} is stale: `python -m bench reproduction` renders it again", file=sys.stderr)
        return 1
    if not check:
        reproductions.write(results, page)
    print(f"{page} is up to date")
    return 0


@app.command(epilog=options.example("parity gru 'deep*'"))
def parity(
    methods: Annotated[
        Names, typer.Argument(metavar="[METHOD]...", help="Name or pattern. Default: all networks.")
    ] = None,
    backend: Annotated[Names, typer.Option(help="May be repeated. Default: every installed one.")] = None,
    as_json: AsJson = False,
) -> int:
    """Give the frameworks equal weights and batches, and compare outputs, losses, gradients and ten steps."""
    from bench.parity import run as campaign

    found = campaign.run(campaign.choose_methods(methods or ()), campaign.choose_engines(backend or ()))
    if as_json:
        print(json.dumps([verdict.row() for verdict in found], indent=1))
    else:
        print(f"{campaign.as_table(found)}\n\n{campaign.summary(found)}")
    return 1 if any(verdict.problem for verdict in found) else 0


@app.command(epilog=options.example("verify last_value"))
def verify(
    names: Annotated[Names, typer.Argument(metavar="[KEY|METHOD]...", help="Default: every record.")] = None,
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    tolerance: Annotated[
        float, typer.Option(parser=options.share, help="Largest share that an error may be off.")
    ] = 0.01,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Of records on series of yours.")] = None,
    results: Results = RESULTS,
) -> int:
    """Run records again: bit-exact, within tolerance, or not reproduced (exit status 1). Writes nothing."""
    from bench.campaigns import run as campaign
    from bench.campaigns import verify as verification

    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    return verification.run(results, names or (), workers, timeout, tolerance, data)


@app.command(epilog=options.example("noise twice --quick --backend numpy"))
def noise(
    folder: Annotated[
        Any, typer.Argument(metavar="DIR", parser=options.folder, help="Where both campaigns' records are kept.")
    ],
    backend: Annotated[Names, typer.Option(help="As in run.")] = None,
    method: Annotated[Names, typer.Option(help="As in run.")] = None,
    task: Annotated[Names, typer.Option(help="As in run.")] = None,
    seeds: Annotated[str, typer.Option(help="As in run.")] = "42",
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    quick: Annotated[bool, typer.Option("--quick", help="As in run: to see that it works.")] = False,
) -> int:
    """Measure this harness: everything twice, side by side, and how far the fit times of equal runs are apart."""
    from bench.campaigns import repeatability as noises
    from bench.campaigns import run as campaign
    from bench.campaigns.selection import Selection

    selection = Selection(methods=method or (), tasks=task or (), backends=backend or (), seeds=seeds, quick=quick)
    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    return noises.run(selection, folder, workers, timeout)


@app.command(epilog=options.example("merge theirs"))
def merge(
    others: Annotated[
        list[Any], typer.Argument(metavar="DIR...", parser=options.place, help="Records from other machines.")
    ],
    results: Results = RESULTS,
) -> int:
    """Take the records of other folders into one, each job once, then write the leaderboard."""
    from bench.records import merge as merging
    from bench.reporting import leaderboard as boards
    from bench.text import clean

    for other, taken in merging.merge(others, results):
        for line in taken.problems:
            print(clean(f"left out: {line}", longest=400), file=sys.stderr)
        for line in taken.conflicts:
            print(clean(line, longest=400))
        print(clean(f"{other}: {taken.summary()}", longest=400))
    board = board_of(results)
    boards.write(results, board)
    print(f"{board} is up to date")
    return 0


@app.command(epilog=options.example("compare last_value moving_average --task ten-step"))
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A method, METHOD:BACKEND, a key, or a folder.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    task: Annotated[str | None, typer.Option(help="Of the rows. Default: all that both are on.")] = None,
    as_json: AsJson = False,
    results: Results = RESULTS,
) -> int:
    """Compare two rows of the board, or two folders of records: what differs beyond noise."""
    from bench.cli import differences
    from bench.cli.listing import as_json as to_json

    rows = differences.find(first, second, task, results)
    print(to_json(rows) if as_json else differences.as_table(rows))
    return 0


@app.command(epilog=options.example("show gru"))
def show(
    method: Annotated[
        str | None,
        typer.Argument(metavar="METHOD", autocompletion=options.methods, help="A name, or ./mine.py:MyForecaster."),
    ] = None,
    pages: Annotated[Path | None, typer.Option(metavar="DIR", help="Write every method's page there instead.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a page is stale.")] = False,
    results: Results = RESULTS,
) -> int:
    """Show a method: its equations, both networks side by side, its size, the notes' figures and ours."""
    from bench.reporting import showing

    if method and not pages and not check:
        return showing.show(method, results)
    if pages and not method:
        return showing.write_pages(pages, check, results)
    raise UsageError("show METHOD, or show --pages DIR [--check]: one of them is needed")


@app.command(epilog=options.example("report --output report.html"))
def report(
    output: Annotated[Path, typer.Option(metavar="FILE", help="One HTML file, whole in itself.")] = Path("report.html"),
    results: Results = RESULTS,
) -> int:
    """Write all results as one page to look at, which works offline."""
    from bench.reporting.html import page

    size = page.write(stores.check_there(results), output)
    print(f"{output}: {size / 1e6:.1f} MB, open it in a browser")
    return 0


@app.command(epilog=options.example("plot c3270f74 --output arima.svg"))
def plot(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's key, the beginning of one, or a record's file.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="PNG or SVG. Default: KEY.png.")] = None,
    results: Results = RESULTS,
) -> int:
    """Draw a run: learning curves, and forecasts against the truth."""
    from bench.records.repository import open_run
    from bench.reporting.figures import drawing

    record = open_run(run, results)
    path = check_picture(output or Path(f"{record.key}.png"))
    drawing.plot_run(record, path)
    print(path)
    return 0


records = typer.Typer(
    help="The folder of records.", epilog=options.example("results check"), rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(records, name="results")


@records.command(name="check", epilog=options.example("results check"))
def check_records(results: Results = RESULTS) -> int:
    """Name every file that is no valid record, and exit 1 if there is one. Changes nothing."""
    from bench.records import repository
    from bench.text import clean

    runs, problems = repository.read(stores.check_there(results))
    for problem in problems:
        print(clean(problem, longest=400))
    print(f"{len(runs)} records, {len(problems)} files that are none")
    return 1 if problems else 0


def board_of(results: Place) -> Path:
    """Where the board of a folder of records lies: beside the default one, inside any other."""
    return Path("leaderboard.md") if results == RESULTS else stores.of(results).beside / "leaderboard.md"


def check_picture(path: Path) -> Path:
    """The path itself. Raises UsageError when no picture can be written there."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"--output {str(path)!r}: a name that ends in .png or .svg is needed")
    if not path.parent.is_dir():
        raise UsageError(f"--output {str(path)!r}: there is no folder {str(path.parent)!r}")
    return path


def main() -> int:
    """Run the command line and return the exit status: 2, and one line on standard error, for bad input."""
    # a shell completes after a command's name: with `python -m bench` for one, its start-up file would be broken
    name = "bench" if any(word.endswith("-completion") for word in sys.argv[1:2]) else None
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")  # a locale may lack a letter
    try:
        return app(standalone_mode=False, prog_name=name) or 0
    except NotStored as error:
        print(error.content, end="")
        return complain(str(error), 2)
    except UsageError as error:
        return complain(str(error), 2)
    except typer.TyperException as error:
        return complain(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return complain("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader is gone, as in `bench list runs | head`
        return 1
    except OSError as error:
        return complain(f"{error.strerror}: {error.filename or 'standard output'}", 1)


def complain(message: str, status: int) -> int:
    """Print one line and return the status."""
    from bench.text import clean

    print(f"bench: {clean(message, longest=1000)}", file=sys.stderr)
    return status

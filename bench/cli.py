"""The verbs of `python -m bench`. Each handler is a list of steps; heavy modules are imported where they are used."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UsageError

app = typer.Typer(
    name="bench",
    help="Which sequence model forecasts a short noisy series best, in which framework, at what cost?",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RESULTS = Path("results")
Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="The folder of records.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")]
Names = list[str] | None
SET_HELP = "Change a setting: its own row. Without --method, the methods named here run."


def whole(text: str) -> int:
    """The text as a whole number; typer's own message does not name what it got."""
    with contextlib.suppress(ValueError):
        return int(text)
    raise typer.BadParameter(f"{text!r} is not a whole number")


def seconds(text: str) -> float:
    """The text as a number."""
    with contextlib.suppress(ValueError):
        return float(text)
    raise typer.BadParameter(f"{text!r} is not a number of seconds")


def share(text: str) -> float:
    """The text as a number."""
    with contextlib.suppress(ValueError):
        return float(text)
    raise typer.BadParameter(f"{text!r} is not a number")


@app.command()
def run(
    backend: Annotated[Names, typer.Option(help="May be repeated. Default: every installed one.")] = None,
    method: Annotated[Names, typer.Option(help="Name or pattern ('lstm*'). Default: each task's own set.")] = None,
    task: Annotated[Names, typer.Option(help="Name or pattern. Default: all.")] = None,
    seeds: Annotated[str, typer.Option(help="Whole numbers, separated by commas.")] = "42",
    epochs: Annotated[int | None, typer.Option(parser=whole, help="Instead of each method's own.")] = None,
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="2G: a run that holds more is killed.")] = None,
    settings: Annotated[Names, typer.Option("--set", metavar="METHOD.NAME=VALUE", help=SET_HELP)] = None,
    defaults: Annotated[str, typer.Option(metavar="equal|native", help="native: each framework's own.")] = "equal",
    quick: Annotated[bool, typer.Option("--quick", help="Few series, 2 epochs, few methods; never ranked.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the jobs and their predicted minutes.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what has a record already.")] = False,
    results: Results = RESULTS,
) -> int:
    """Run methods that have no record yet, then write the leaderboard."""
    from bench import campaign
    from bench.selection import Selection

    selection = Selection(
        methods=method or (),
        tasks=task or (),
        backends=backend or (),
        seeds=seeds,
        epochs=epochs,
        settings=settings or (),
        quick=quick,
        defaults=defaults,
    )
    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    limits = campaign.Limits(workers, timeout, campaign.check_memory(memory))
    plan = campaign.make(selection, results, force)
    if dry_run:
        return campaign.show(plan, workers)
    return campaign.run(plan, limits, results, board_of(results))


@app.command(name="list")
def list_(
    what: Annotated[str, typer.Argument(metavar="methods|tasks|backends|runs")],
    as_json: AsJson = False,
    results: Results = RESULTS,
) -> int:
    """List what there is: methods, tasks, backends, or the runs in the results folder."""
    from bench import listing

    rows = listing.rows(what, results)
    print(listing.as_json(rows) if as_json else listing.as_table(rows))
    return 0


@app.command()
def leaderboard(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the board is stale.")] = False,
    results: Results = RESULTS,
) -> int:
    """Render leaderboard.md from the records."""
    from bench import leaderboard as boards

    board = board_of(results)
    if not results.is_dir():
        raise UsageError(f"no results folder {str(results)!r}: `python -m bench run` makes one")
    if check and boards.stale(results, board):
        print(f"{board} is stale: `python -m bench leaderboard` renders it again", file=sys.stderr)
        return 1
    if not check:
        boards.write(results, board)
    print(f"{board} is up to date")
    return 0


@app.command()
def reproduction(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the page is stale.")] = False,
    results: Results = RESULTS,
) -> int:
    """Render docs/reproduction.md: which figures of the notes come out again, from the records."""
    from bench import reproduction as reproductions

    page = Path("docs/reproduction.md") if results == RESULTS else results / "reproduction.md"
    if not results.is_dir():
        raise UsageError(f"no results folder {str(results)!r}: `python -m bench run` makes one")
    if check and reproductions.stale(results, page):
        print(f"{page} is stale: `python -m bench reproduction` renders it again", file=sys.stderr)
        return 1
    if not check:
        reproductions.write(results, page)
    print(f"{page} is up to date")
    return 0


@app.command()
def parity(
    methods: Annotated[
        Names, typer.Argument(metavar="[METHOD]...", help="Name or pattern. Default: all networks.")
    ] = None,
    backend: Annotated[Names, typer.Option(help="May be repeated. Default: every installed one.")] = None,
    as_json: AsJson = False,
) -> int:
    """Give the frameworks equal weights and batches, and compare outputs, losses, gradients and ten steps."""
    from bench.parity import campaign

    found = campaign.run(campaign.choose_methods(methods or ()), campaign.choose_engines(backend or ()))
    if as_json:
        print(json.dumps([verdict.row() for verdict in found], indent=1))
    else:
        print(f"{campaign.as_table(found)}\n\n{campaign.summary(found)}")
    return 1 if any(verdict.problem for verdict in found) else 0


@app.command()
def verify(
    names: Annotated[Names, typer.Argument(metavar="[KEY|METHOD]...", help="Default: every record.")] = None,
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    tolerance: Annotated[float, typer.Option(parser=share, help="Largest share that an error may be off.")] = 0.01,
    results: Results = RESULTS,
) -> int:
    """Run records again: bit-exact, within tolerance, or not reproduced (exit status 1). Writes nothing."""
    from bench import campaign
    from bench import verify as verification

    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    return verification.run(results, names or (), workers, timeout, tolerance)


@app.command()
def noise(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where both campaigns' records are kept.")],
    backend: Annotated[Names, typer.Option(help="As in run.")] = None,
    method: Annotated[Names, typer.Option(help="As in run.")] = None,
    task: Annotated[Names, typer.Option(help="As in run.")] = None,
    seeds: Annotated[str, typer.Option(help="As in run.")] = "42",
    jobs: Annotated[int | None, typer.Option(parser=whole, help="Runs at once. Default: one for each core.")] = None,
    timeout: Annotated[float, typer.Option(parser=seconds, help="Seconds until a run is killed.")] = 1800.0,
    quick: Annotated[bool, typer.Option("--quick", help="As in run: to see that it works.")] = False,
) -> int:
    """Measure this harness: everything twice, side by side, and how far the fit times of equal runs are apart."""
    from bench import campaign
    from bench import noise as noises
    from bench.selection import Selection

    selection = Selection(methods=method or (), tasks=task or (), backends=backend or (), seeds=seeds, quick=quick)
    workers = campaign.check_workers(jobs)
    campaign.check_timeout(timeout)
    return noises.run(selection, folder, workers, timeout)


@app.command()
def plot(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's key, the beginning of one, or a record's file.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="PNG or SVG. Default: KEY.png.")] = None,
    results: Results = RESULTS,
) -> int:
    """Draw a run: learning curves, and forecasts against the truth."""
    from bench import plots
    from bench.listing import open_run

    record = open_run(run, results)
    path = check_picture(output or Path(f"{record.key}.png"))
    plots.plot_run(record, path)
    print(path)
    return 0


records = typer.Typer(help="The folder of records.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(records, name="results")


@records.command()
def check(results: Results = RESULTS) -> int:
    """Name every file that is no valid record, and exit 1 if there is one. Changes nothing."""
    from bench import campaign

    return campaign.check(results)


def board_of(results: Path) -> Path:
    """Where the board of a folder of records lies: beside the default one, inside any other."""
    return Path("leaderboard.md") if results == RESULTS else results / "leaderboard.md"


def check_picture(path: Path) -> Path:
    """The path itself. Raises UsageError when no picture can be written there."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"--output {str(path)!r}: a name that ends in .png or .svg is needed")
    if not path.parent.is_dir():
        raise UsageError(f"--output {str(path)!r}: there is no folder {str(path.parent)!r}")
    return path


def main() -> int:
    """Run the command line and return the exit status: 2, and one line on standard error, for bad input."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")  # a locale may lack a letter
    try:
        return app(standalone_mode=False) or 0
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
    from bench.markdown import clean

    print(f"bench: {clean(message, longest=1000)}", file=sys.stderr)
    return status

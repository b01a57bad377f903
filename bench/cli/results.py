"""Commands that read records: `leaderboard`, `compare`, `show`, `report`, `list` and `plot`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import parsing, separate
from bench.cli.options import RESULTS, AsCsv, AsJson, Results, Tasks
from bench.cli.shared import known, print_rows, say, warn, warn_of
from bench.errors import UsageError

Stale = Annotated[bool, typer.Option("--check", hidden=True, help="Exit 1 when leaderboard.md is stale.")]
Top = Annotated[
    int | None, typer.Option(metavar="N", parser=parsing.whole, show_default="10", help="Show the best N of each task.")
]
A = Annotated[str, typer.Argument(metavar="A", help="Compare this: a method, METHOD:BACKEND, a key, or a folder.")]
B = Annotated[str, typer.Argument(metavar="B", help="Compare with this.")]
Method = Annotated[
    str | None,
    typer.Argument(
        metavar="METHOD",
        autocompletion=parsing.methods,
        show_default=False,
        help="Show this method (a name, or ./mine.py:MyForecaster), or the record with this key.",
    ),
]
OldPages = Annotated[Path | None, typer.Option("--pages", metavar="DIR", hidden=True, help="See `pages`.")]
Output = Annotated[Path, typer.Option(metavar="FILE", help="Write this HTML file.")]
Picture = Annotated[
    Path | None, typer.Option(metavar="FILE", show_default="KEY.png", help="Write this PNG or SVG file.")
]


def leaderboard(
    task: Tasks = None,
    top: Top = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    check: Stale = False,
    results: Results = RESULTS,
) -> int:
    """Print the leaderboard: the best methods of each task, from the records."""
    from bench.cli import board, maintain
    from bench.records import repository

    if check:
        return maintain.check_board(results)
    if top is not None and top < 1:
        raise UsageError(f"--top {top}: needed 1 or more")
    runs = known(results, keep=repository.no_curve)
    warn_of(runs.problems)
    methods = board.ranked(runs, task or ())
    if as_json or as_csv:
        print_rows(board.as_rows(methods, top), as_json, as_csv)
    else:
        print(board.all_as_text(methods, board.TOP if top is None else top))
    return 0


def compare(
    first: A,
    second: B,
    task: Annotated[
        str | None, typer.Option(metavar="NAME", show_default="all that both are on", help="Compare on this task.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    results: Results = RESULTS,
) -> int:
    """Compare two rows of the board, or two folders of records: what differs beyond noise."""
    from bench.cli import differences

    rows, notes = differences.find(first, second, task, results)
    for note in notes:
        warn(note)
    print_rows(rows, as_json, as_csv, differences.as_table)
    return 0


def show(
    method: Method = None,
    pages: OldPages = None,
    check: Stale = False,
    results: Results = RESULTS,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Show a method (equations, both networks, size, figures) or the record with a key."""
    from bench.analysis.table import at_defaults
    from bench.cli import maintain, record
    from bench.execution import user_methods
    from bench.records import repository, stores
    from bench.reporting import method_pages
    from implementations import METHODS

    if pages and not method:
        return maintain.write_method_pages(pages, check, results)
    if method is None or pages or check:
        raise UsageError("show: name a method, as in `bench show gru`")
    if method not in METHODS and record.KEY.fullmatch(method):
        beside = repository.read(stores.published_of(results)).runs
        run = repository.find([*known(results).all, *beside], method)
        print_rows([record.as_row(run)], as_json, as_csv, lambda _: record.as_text(run))
        return 0
    if separate.is_called_for(method):
        return separate.run_separately()
    names, _ = user_methods.register([method], here=True)
    runs = at_defaults(known(results, required=False).all)
    width, methods = shutil.get_terminal_size().columns, method_pages.methods_beside(names[0])
    if as_json or as_csv:
        print_rows(method_pages.figure_rows(methods, runs), as_json, as_csv)
    else:
        print(method_pages.page(methods, runs, width), end="")
    return 0


def report(output: Output = Path("report.html"), results: Results = RESULTS) -> int:
    """Write all results as one HTML page that works offline."""
    from bench.reporting.html import page

    runs = known(results)
    size = page.write_runs(runs.mine or runs.published, runs.problems, output)
    print(f"{output}: {size / 1e6:.1f} MB, open it in a browser")
    return 0


def list_(
    what: Annotated[str, typer.Argument(metavar="methods|tasks|backends|runs", help="List these.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    results: Results = RESULTS,
) -> int:
    """List methods, tasks, backends, or the runs in the results folder."""
    from bench.cli import listing

    rows, problems = listing.rows(what, results)
    warn_of(problems)
    print_rows(rows, as_json, as_csv)
    if what == "runs" and not rows:
        warn(f"no records in {results}: `python -m bench run` makes some; `leaderboard` shows those that are published")
    return 0


def plot(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Draw this run: a key, its beginning, a record's file, or a method.")
    ],
    output: Picture = None,
    results: Results = RESULTS,
) -> int:
    """Draw a run: learning curves, and forecasts against the truth."""
    from bench.cli import listing
    from bench.reporting.figures import drawing

    record, why = listing.open_run(run, results, known(results, required=False).published)
    path = check_picture(output or Path(f"{record.key}.png"))
    drawing.plot_run(record, path)
    if why:
        print(why, file=sys.stderr)
    say(str(path))
    return 0


def check_picture(path: Path) -> Path:
    """Return the path. Raises UsageError when no picture can be written there."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"--output {str(path)!r}: needed a name that ends in .png or .svg")
    if not path.parent.is_dir():
        raise UsageError(f"--output {str(path)!r}: no folder {str(path.parent)!r}")
    return path

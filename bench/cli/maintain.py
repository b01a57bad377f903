"""Commands on the folder of records and the pages made from it: `results check`, `merge` and `pages`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import RESULTS, Check, Results
from bench.cli.parsing import place
from bench.cli.shared import board_of, say, warn_of

if TYPE_CHECKING:
    from bench.records.stores import Place

METHOD_PAGES = Path("docs/methods")
READMES = (Path("README.md"), Path("README.zh-CN.md"))
REPRODUCTION = Path("docs/reproduction.md")
PUBLISHED = Path("docs/published.md")
Others = Annotated[list[Any], typer.Argument(metavar="DIR...", parser=place, help="Take the records of these folders.")]


def check_records(results: Results = RESULTS) -> int:
    """List files that are not valid records, and exit 1 if there is one. Changes nothing."""
    from bench.records import repository, stores

    runs, problems = repository.read_all(stores.check_there(results))
    for problem in problems:
        say(problem)
    print(f"{len(runs):,} records, {len(problems)} invalid {'file' if len(problems) == 1 else 'files'}")
    return 1 if problems else 0


def export(
    form: Annotated[str, typer.Option("--format", metavar="fev", help="Write this kind of table.")] = "fev",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default="standard output", help="Write it to this file.")
    ] = None,
    results: Results = RESULTS,
) -> int:
    """Write the records as fev's result CSV: errors on the last steps of each series."""
    from bench.errors import unknown
    from bench.records import files, repository, stores
    from bench.reporting import fev

    if form != "fev":
        raise unknown("value of --format", form, ["fev"])
    runs, problems = repository.read_all(stores.check_there(results))
    warn_of(problems)
    text = fev.as_csv(runs)
    if output is None:
        print(text, end="")
        return 0
    files.replace(output, text.encode())
    say(f"{output}: {text.count(chr(10)) - 1} rows")
    return 0


def merge(others: Others, results: Results = RESULTS) -> int:
    """Take the records of other folders into one, each job once, then write the leaderboard."""
    from bench.records import merge as merging

    for other, taken in merging.merge(others, results):
        warn_of(taken.problems)
        for line in taken.conflicts:
            say(line)
        say(f"{other}: {taken.summary()}")
    write_board(results)
    return 0


def pages(check: Check = False, results: Results = RESULTS) -> int:
    """Write the pages made from records: leaderboard.md and, in a clone, docs/reproduction.md and docs/methods."""
    from bench.records import stores

    stores.check_there(results)
    write = [check_board if check else write_board]
    if results == RESULTS and METHOD_PAGES.is_dir():
        write += [check_reproduction if check else write_reproduction, check_published if check else write_published]
        statuses = [step(results) for step in write] + [write_method_pages(METHOD_PAGES, check, results)]
        statuses += [publish(results, check), write_excerpts(board_of(results), check)]
    else:
        statuses = [step(results) for step in write]
    return max(statuses)


def reproduction(check: Check = False, results: Results = RESULTS) -> int:
    """Write docs/reproduction.md: which figures of the reference come out again, from the records."""
    from bench.records import stores

    stores.check_there(results)
    return check_reproduction(results) if check else write_reproduction(results)


def write_board(results: Place) -> int:
    """Write the leaderboard."""
    from bench.reporting import leaderboard

    board = board_of(results)
    leaderboard.write(results, board)
    return up_to_date(board)


def check_board(results: Place) -> int:
    """Say whether the leaderboard is up to date."""
    from bench.records import stores
    from bench.reporting import leaderboard

    board = board_of(results)
    return stale(board) if leaderboard.stale(stores.check_there(results), board) else up_to_date(board)


def reproduction_of(results: Place) -> Path:
    """Return where the page on reproduction lies."""
    from bench.records import stores

    return REPRODUCTION if results == RESULTS else stores.of(results).beside / "reproduction.md"


def write_reproduction(results: Place) -> int:
    """Write the page on reproduction."""
    from bench.reporting import reproduction as reproductions

    page = reproduction_of(results)
    reproductions.write(results, page)
    return up_to_date(page)


def check_reproduction(results: Place) -> int:
    """Say whether the page on reproduction is up to date."""
    from bench.reporting import reproduction as reproductions

    page = reproduction_of(results)
    return stale(page) if reproductions.stale(results, page) else up_to_date(page)


def write_published(results: Place) -> int:
    """Write the page on published figures."""
    from bench.records import stores
    from bench.reporting import literature

    literature.write(stores.published_of(results), PUBLISHED)
    return up_to_date(PUBLISHED)


def check_published(results: Place) -> int:
    """Say whether the page on published figures is up to date."""
    from bench.records import stores
    from bench.reporting import literature

    page_is_stale = literature.stale(stores.published_of(results), PUBLISHED)
    return stale(PUBLISHED) if page_is_stale else up_to_date(PUBLISHED)


def write_method_pages(target: Path, check: bool, results: Place) -> int:
    """Write every method's page, or say which are stale."""
    from bench.analysis.table import at_defaults
    from bench.records import repository
    from bench.reporting import method_pages

    method_pages.check_folder(target)
    runs = at_defaults(repository.read(results)[0])
    if not check:
        method_pages.write(target, runs)
    return max([stale(path) for path in method_pages.stale(target, runs)] if check else [], default=0) or up_to_date(
        target
    )


def publish(results: Place, check: bool) -> int:
    """Write the records that are installed with the benchmark, or say whether they are up to date."""
    from bench.records import published, repository

    shown = Path("bench/records") / published.PATH.name
    runs = repository.read(results).runs
    if not check:
        published.write(runs, shown)
    return stale(shown) if check and published.stale(runs, shown) else up_to_date(shown)


def write_excerpts(board: Path, check: bool) -> int:
    """Write the first rows of the board into the READMEs, or say which are stale."""
    from bench.records import files
    from bench.reporting import excerpt

    status = 0
    for readme in filter(Path.is_file, READMES):
        text = readme.read_text(encoding="utf-8")
        if (wanted := excerpt.updated(text, board.read_text(encoding="utf-8"))) != text:
            status = max(status, stale(readme) if check else 0)
            if not check:
                files.replace(readme, wanted.encode())
    return status


def stale(page: Path) -> int:
    """Say that a page was made from other records."""
    print(f"{page} is stale: `python -m bench pages` writes it again", file=sys.stderr)
    return 1


def up_to_date(page: Path) -> int:
    """Say that a page is up to date."""
    print(f"{page} is up to date")
    return 0

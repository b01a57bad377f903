"""What all commands share when they print: rows, problems, one line for bad input, output whose reader may leave."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from bench.cli.options import RESULTS
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.records.repository import Keep
    from bench.records.stores import Place
    from bench.schema.record import Run

LONGEST = 400  # characters of a line about a file

Row = dict[str, Any]


class Known(NamedTuple):
    """The runs that a reading command answers from."""

    mine: Sequence[Run]  # of the folder of records
    published: Sequence[Run]  # that come with the benchmark, where the folder is the default one and lacks them
    problems: Sequence[str]  # lines about files that are no valid records

    @property
    def all(self) -> list[Run]:
        """The folder's own, and those published on rows of the board that it lacks."""
        from bench.records.published import row_of

        rows = {row_of(run) for run in self.mine}
        return [*self.mine, *(run for run in self.published if row_of(run) not in rows)]


def known(results: Place, required: bool = True, keep: Keep | None = None) -> Known:
    """Return the runs of the folder; for the default folder add the published ones.

    keep: read the folder's records without most of what fills memory, see repository.read.

    required: raise UsageError for another folder that is not there, and where there is nothing at all.
    """
    from bench.records import published, repository, stores

    beside = list(published.read()) if results == RESULTS else []
    if required and not beside:
        stores.check_there(results)
    mine, problems = repository.read(results, keep)
    gc.freeze()  # they live as long as the command: a collector that visits a hundred thousand takes a second of ten
    keys = {run.key for run in mine}
    others = [run for run in beside if run.key not in keys]
    in_clone = len(others) < len(beside) / 2  # then the folder holds the published records themselves
    return Known(mine, [] if in_clone else others, problems)


def board_of(results: Place) -> Path:
    """Return the path of a results folder's board: next to the default folder, inside any other."""
    from bench.records import stores

    return Path("leaderboard.md") if results == RESULTS else stores.of(results).beside / "leaderboard.md"


def say(text: str) -> None:
    """Print one line of what may come from a file, cleaned."""
    from bench.text import clean

    print(clean(text, longest=LONGEST), flush=True)


def warn(text: str) -> None:
    """Print one line on standard error, cleaned."""
    from bench.text import clean

    print(clean(text, longest=LONGEST), file=sys.stderr, flush=True)


def warn_of(problems: Iterable[str]) -> None:
    """Name the files that are left out, as no valid records."""
    for problem in problems:
        warn(f"left out: {problem}")


def print_line(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)


def print_nothing(_text: str) -> None:
    """Print nothing: a program reads the rows alone."""


def check_format(as_json: bool, as_csv: bool) -> None:
    """Raise UsageError for both, before anything is computed."""
    if as_json and as_csv:
        raise UsageError("--json and --csv: one of them")


def print_rows(
    rows: Sequence[Row], as_json: bool, as_csv: bool, table: Callable[[Sequence[Row]], str] | None = None
) -> None:
    """Print rows of one shape: as JSON, as CSV, or as a table. Raises UsageError for both."""
    from bench.cli import listing

    check_format(as_json, as_csv)
    write = listing.as_json if as_json else listing.as_csv if as_csv else table or listing.as_table
    print(write(rows))


def complain(message: str, status: int) -> int:
    """Print one line on standard error and return the status."""
    from bench.text import clean

    print(f"bench: {clean(message, longest=1000)}", file=sys.stderr)
    return status


class Patient:
    """A stream that outlives its reader: once nobody reads, what is written is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with self.kept():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        with self.kept():
            self.stream.flush()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Warn once, within the block, of a reader that has gone; the stream then leads nowhere."""
        try:
            yield
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            warn("nobody reads the output any more; the campaign goes on")


@contextlib.contextmanager
def outliving_reader() -> Iterator[None]:
    """Let a closed pipe, within the block, end the printing and nothing else."""
    stream = sys.stdout
    if stream is None:  # no output at all, as under some supervisors
        yield
        return
    sys.stdout = Patient(stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = stream

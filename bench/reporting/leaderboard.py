"""From the records to leaderboard.md, its details and its pictures: the same records give the same bytes.

records -> assess -> pages.pages -> leaderboard.md and <folder>/boards/*.md
                  -> pictures -> <folder>/figures/*.png
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bench.analysis import anytime
from bench.errors import UsageError
from bench.records import files, repository, stores
from bench.records.stores import FIGURES, Place
from bench.reporting.assessment import Board, assess
from bench.reporting.pages import BOARDS, DEFAULT_PATHS, LONGEST, Paths, pages
from bench.schema.record import Run


def render(runs: Sequence[Run], problems: Sequence[str] = ()) -> str:
    """Return the leaderboard as one Markdown page: a function of the records alone, whatever their order.

    `problems` are lines about files that are no valid records.
    """
    return text(assess(runs), problems)


def text(board: Board, problems: Sequence[str] = (), paths: Paths = DEFAULT_PATHS) -> str:
    """Return the page with all details in it, however long that makes it."""
    return pages(board, problems, paths, longest=None)[paths.main]


@repository.collection_paused()
def write(place: Place, board: Path) -> None:
    """Write the leaderboard of a folder of records, its details into <folder>/boards, its pictures into figures.

    A picture whose data did not change is left as it is; pages of tasks that are gone are deleted. Raises UsageError
    where a file cannot be written.
    """
    assessed, wanted = _wanted(place, board)
    folder = stores.of(place).beside / FIGURES
    outdated = [picture for picture in assessed.pictures if not picture.is_current(folder)]
    if outdated:
        make_folder(folder)
    for picture in outdated:
        picture.draw(folder)
    for path, content in wanted.items():
        make_folder(path.parent)
        files.replace(path, content)
    for path in _unwanted(place, wanted):
        path.unlink()


@repository.collection_paused()
def stale(place: Place, board: Path) -> bool:
    """Tell whether a page or a picture is missing, was made from other records, or is of a task that is gone."""
    assessed, wanted = _wanted(place, board)
    folder = stores.of(place).beside / FIGURES
    if any(not path.is_file() or path.read_bytes() != content for path, content in wanted.items()):
        return True
    return bool(_unwanted(place, wanted)) or not all(picture.is_current(folder) for picture in assessed.pictures)


def _wanted(place: Place, board: Path) -> tuple[Board, dict[Path, bytes]]:
    """Return the board of a folder of records, and its pages by path."""
    runs, problems = repository.read(place, keep=anytime.thinned)
    assessed, beside = assess(runs), stores.of(place).beside
    figures, boards = beside / FIGURES, beside / BOARDS
    paths = Paths(
        board.name,
        _relative(figures, board.parent),
        _relative(boards, board.parent),
        _relative(board, boards),
        _relative(figures, boards),
    )
    found = pages(assessed, problems, paths, LONGEST)
    folders = {name: board.parent if name == board.name else boards for name in found}
    return assessed, {folders[name] / name: content.encode() for name, content in found.items()}


def _unwanted(place: Place, wanted: dict[Path, bytes]) -> list[Path]:
    """Return the pages of details that lie there and are no longer made."""
    folder = stores.of(place).beside / BOARDS
    kept = {path.name for path in wanted}
    return sorted(path for path in folder.glob("*.md") if path.name not in kept)


def make_folder(folder: Path) -> None:
    """Create the folder where it is missing. Raises UsageError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{str(folder)!r} cannot be written: {files.reason_of(error)}") from None


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()

"""From the records to leaderboard.md and its pictures: the same records give the same bytes.

results.read -> assess -> text -> leaderboard.md
                       -> pictures -> results/figures/*.png
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from bench.analysis import anytime, hardware, ranking, reference, tuning
from bench.analysis.across_tasks import over_tasks
from bench.analysis.table import frame, of_board, select, under_current_names
from bench.analysis.tuning import Found, Row
from bench.errors import UsageError
from bench.records import files, repository, stores
from bench.records.stores import FIGURES, Place
from bench.reporting import commands
from bench.reporting.figures.catalogue import Picture, pictures
from bench.reporting.markdown import escape, folded
from bench.reporting.sections import across_tasks, measures, provenance, series, summary, tuned
from bench.reporting.sections import anytime as times
from bench.reporting.text import prose
from bench.schema.record import Run
from bench.tasks import ALL, REAL
from bench.text import digits


@dataclass(frozen=True)
class Board:
    """The records, sorted out: what the text and the pictures are made from."""

    runs: dict[str, Run]  # those that count, by key
    tried: pd.DataFrame  # the same as a table, see ranking.frame
    left_out: pd.DataFrame  # those that do not, with the column `why`
    ranked: pd.DataFrame  # see ranking.rank
    methods: pd.DataFrame  # see ranking.by_method
    pictures: list[Picture]
    found: Mapping[Row, Found]  # by searches, see tuning


#: what the references do, up to their error
REACHES = {
    "bayes": "knows the generator and averages all that can follow a history. No method can be expected below its",
    "least_squares_oracle": "knows the formula of the series and fits it to each history by least squares. It reaches",
}


def assess(runs: Sequence[Run]) -> Board:
    """Sort out which records count, and rank them."""
    runs = under_current_names(runs)
    tried, left_out = select(frame(runs))
    counted = set(tried["key"])
    by_key = {run.key: run for run in runs if run.key in counted}
    ranked = ranking.rank_table(tried)
    methods = ranking.by_method(ranked)
    drawn = pictures(by_key, ranked, methods)
    return Board(by_key, tried, left_out, ranked, methods, drawn, tuning.searched(runs))


def render(runs: Sequence[Run], problems: Sequence[str] = (), figures: str = "results/figures") -> str:
    """The leaderboard as Markdown: a function of the records alone, whatever their order.

    `problems` are lines about files that are no valid records; `figures` is the path from the board to its pictures.
    """
    return text(assess(runs), problems, figures)


@repository.collection_paused()
def write(place: Place, board: Path) -> None:
    """Write the leaderboard of a folder of records, and its pictures into <folder>/figures.

    A picture whose data did not change is left as it is. Raises UsageError where a file cannot be written.
    """
    runs, problems = repository.read(place, keep=anytime.thinned)
    assessed, folder = assess(runs), stores.of(place).beside / FIGURES
    outdated = [picture for picture in assessed.pictures if not picture.is_current(folder)]
    if outdated:
        make_folder(folder)
    for picture in outdated:
        picture.draw(folder)
    make_folder(board.parent)
    files.replace(board, text(assessed, problems, _relative(folder, board)).encode())


@repository.collection_paused()
def stale(place: Place, board: Path) -> bool:
    """Whether the leaderboard or one of its pictures is missing or was made from other records."""
    runs, problems = repository.read(place, keep=anytime.thinned)
    assessed, folder = assess(runs), stores.of(place).beside / FIGURES
    if not board.is_file() or board.read_bytes() != text(assessed, problems, _relative(folder, board)).encode():
        return True
    return not all(picture.is_current(folder) for picture in assessed.pictures)


def make_folder(folder: Path) -> None:
    """Create the folder where it is missing. Raises UsageError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{str(folder)!r} cannot be written: {files.reason_of(error)}") from None


def _relative(folder: Path, board: Path) -> str:
    return Path(os.path.relpath(folder, board.parent)).as_posix()


def text(board: Board, problems: Sequence[str], figures: str) -> str:
    """The whole page."""
    found = set(board.tried[["task", "quick"]].itertuples(index=False, name=None))
    names = {task for task, _ in found}
    blocks = [prose("lead")]
    for task in _in_order(names):
        if (task, False) in found:
            blocks += [f"## {escape(task)}", *_section(board, task, False, figures)]
        if (task, True) in found:
            quick, heading = _section(board, task, True, figures), f"{escape(task)}, quick runs"
            blocks += (
                [folded(heading, prose("quick"), *quick)]
                if (task, False) in found
                else [f"## {heading}", prose("quick"), *quick]
            )
    if not found:
        blocks.append("No records yet: `python -m bench run` makes them.")
    blocks += _over_tasks(board.methods)
    blocks += ["## How to read it", prose("how_to_read"), prose("one_row")]
    if board.runs:
        blocks += ["## Machines", "\n".join([provenance.machines(board.runs.values()), *_normalised(board)])]
    blocks.append(provenance.left_out(board.left_out, problems))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(board: Board, task: str, quick: bool, figures: str) -> list[str]:
    """One task: the summary, and all the rest of it folded."""
    rows, tried = of_board(board.ranked, task, quick), of_board(board.tried, task, quick)
    default, changed = rows[~rows["tuned"]], rows[rows["tuned"]]
    means = of_board(board.methods, task, quick)
    failed = tried[tried["status"] != "ok"]
    runs = [run for run in board.runs.values() if (run.spec.task, run.spec.quick) == (task, quick)]
    by_time = anytime.table([] if quick else runs)
    timed = times.at_each_time(by_time)
    shown = [_image(picture, figures) for picture in board.pictures if picture.task == task and not quick]
    if default.empty:
        shown_first = "No run with default settings has succeeded yet."
        again = ""
    else:
        shown_first = f"{summary.summary(means[~means['tuned']], default, failed)}\n\n{prose('legend')}"
        again = commands.commands(
            task,
            quick,
            default,
            sorted(tried.loc[ranking.is_default(tried), "seed"].unique()),
            data=commands.words(runs),
            references=commands.references(runs),
        )
    return [
        shown_first,
        _floor(task, ranking.references(tried)),
        summary.beyond(rows["method"]),
        summary.beside_classical(default),
        times.best_at(by_time),
        *series.section(runs),
        series.outsiders(runs),
        *tuned.tuned(tuning.table(board.tried, board.found, task, quick)),
        folded(
            "Every measure, one row per method × backend, and what failed",
            measures.full_table(default) if len(default) else "",
            f"**Changed settings, ranked apart**\n\n{measures.full_table(changed)}" if len(changed) else "",
            measures.cost_of_native(ranking.cost_of_native(rows)),
            measures.every_seed(rows),
            measures.failures(failed),
        ),
        folded("Error against training time: after 1, 10 and 60 seconds", timed) if timed else "",
        folded("The command that repeats it", again) if again else "",
        *shown,
    ]


def _in_order(tasks: set[str]) -> list[str]:
    """The benchmark's tasks as they stand in ALL, then others by name."""
    return [*(name for name in ALL if name in tasks), *sorted(tasks - set(ALL))]


def _over_tasks(methods: pd.DataFrame) -> list[str]:
    """How methods do over several tasks: all, those that need several steps, real series; each set of tasks once."""
    found = _in_order(set(methods.loc[~methods["quick"], "task"]))
    several = [task for task in found if task not in ALL or ALL[task].ahead > 1]
    blocks, shown = [], []
    for title, tasks in (
        ("All tasks", found),
        ("All tasks that forecast several steps", several),
        ("Real series", [task for task in several if task in REAL]),
    ):
        rows = over_tasks(methods, tasks)
        if len(rows) and tasks not in shown:
            blocks += [f"**{title}**: {escape(', '.join(tasks), 1000)}", across_tasks.over_tasks(rows)]
            shown.append(tasks)
    return ["## Over all tasks", *blocks, prose("over_tasks")] if blocks else []


def _normalised(board: Board) -> list[str]:
    """What was done to times of several kinds of machines."""
    return [f"- {line}" for line in map(escape, hardware.describe_normalisation(list(board.runs.values())))]


def _floor(task: str, references: pd.DataFrame) -> str:
    """The lines that no method can be expected below."""
    if task not in reference.figures():
        return ""
    floor = digits(reference.NOISE_FLOOR, 3)
    lines = [
        f"The noise in the series alone has a mean square of 0.1²/12 = {floor}: no method can be expected below it."
    ]
    lines += [
        f"`{row['method']}` {REACHES[row['method']]} {digits(row['error'])}." for row in references.to_dict("records")
    ]
    if not references.empty:
        first = references["method"].iloc[0]
        lines += [f"References are not ranked; the full table compares each error with that of `{first}` (× limit)."]
    return "\n".join(lines)


def _image(picture: Picture, figures: str) -> str:
    return f"![{escape(picture.shows, 400)}]({quote(f'{figures}/{picture.name}')})"

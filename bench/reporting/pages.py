"""The pages of a board: a summary page, and the details of each task, in it or in separate files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from bench.analysis import hardware, ranking
from bench.analysis.across_tasks import TASKS_TO_RANK, over_tasks, without_error
from bench.analysis.table import of_board
from bench.reporting.assessment import Board, in_order
from bench.reporting.columns import COLUMNS
from bench.reporting.markdown import escape, folded
from bench.reporting.sections import across_tasks, overview, provenance, summary
from bench.reporting.sections.task import Section, section
from bench.reporting.text import prose
from bench.tasks import ALL, FURTHER, REAL
from bench.tasks.main_metric import is_forecast

BOARDS = "boards"  # the folder of details, beside the records
LONGEST = 60_000  # bytes of a page with its details in it


class Paths(NamedTuple):
    """Where the pages are: pictures and details as seen from the main page, and what it is called from a detail."""

    main: str = "leaderboard.md"
    figures: str = "results/figures"
    boards: str = "results/boards"
    back: str = "../../leaderboard.md"
    figures_from_boards: str = "../figures"


DEFAULT_PATHS = Paths()


def pages(board: Board, problems: Sequence[str], paths: Paths, longest: int | None) -> dict[str, str]:
    """Return the text of every page by file name: the main one, and those of details where it would be too long."""
    sections = [section(board, task, quick) for task, quick in _boards(board)]
    whole = main_page(board, problems, sections, lambda one: one.inside(paths.figures))
    if longest is None or len(whole.encode()) <= longest:
        return {paths.main: whole}

    def linked(one: Section) -> list[str]:
        return [f"[All rows, seeds, times and commands of {one.heading}]({quote(f'{paths.boards}/{one.file}')})"]

    found = {paths.main: main_page(board, problems, [one for one in sections if not one.quick], linked)}
    for file in dict.fromkeys(one.file for one in sections):
        found[file] = details_page([one for one in sections if one.file == file], paths)
    return found


def _boards(board: Board) -> list[tuple[str, bool]]:
    """Return the boards with records, in the benchmark's order, full runs before quick ones."""
    found = set(board.tried[["task", "quick"]].itertuples(index=False, name=None))
    order = in_order({task for task, _ in found})
    return [(task, quick) for task in order for quick in (False, True) if (task, quick) in found]


def main_page(
    board: Board, problems: Sequence[str], sections: Sequence[Section], details: Callable[[Section], list[str]]
) -> str:
    """Return the page that answers first; details: the blocks below the summary of a task."""
    blocks = [prose("lead"), *_answer(board)]
    full = {one.task for one in sections if not one.quick}
    for one in sections:
        if one.quick and one.task in full:
            blocks.append(folded(one.heading, prose("quick"), *one.shown, *details(one)))
        else:
            blocks += [f"## {one.heading}", *([prose("quick")] if one.quick else []), *one.shown, *details(one)]
    if not sections:
        blocks.append("No records yet: `python -m bench run` makes them.")
    blocks += _over_tasks(board)
    blocks += ["## How to read it", prose("ranking"), *_without_blocks(board), legend(), prose("one_row")]
    if board.runs:
        lines = [f"- {line}" for line in map(escape, hardware.describe_normalisation(list(board.runs.values())))]
        blocks += ["## Machines", "\n".join([provenance.machines(board.runs.values()), *lines])]
    blocks.append(provenance.left_out(board.left_out, problems))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _answer(board: Board) -> list[str]:
    """Return the first screen: who is the best on each task, and one table of all methods of the main one."""
    default = board.methods[~board.methods["quick"] & ~board.methods["apart"]]
    task = overview.main_task(default)
    if task is None:
        return []
    rows = default[default["task"] == task]
    title = f"All methods on **{escape(task)}**, by place. {summary.times_of(default)}"
    references = ranking.references(of_board(board.tried, task, quick=False))
    beyond = summary.beyond(default["method"])
    ranked = board.ranked[~board.ranked["quick"] & ~board.ranked["apart"]]
    verdicts = "\n".join(filter(None, [overview.verdicts(default, board.tasks()), overview.frameworks(ranked)]))
    explained = "\n".join(filter(None, [title, overview.limit(references), overview.marks(rows)]))
    return [verdicts, explained, overview.overview(rows), overview.noise(board.tasks()), beyond]


def _over_tasks(board: Board) -> list[str]:
    """Return how methods do over several tasks: all, those of several steps, real series; each set of tasks once."""
    exact = without_error(board.methods)
    found = [
        task for task in board.tasks() if is_forecast(task) and task not in (*FURTHER, *exact)
    ]  # few methods there
    several = [task for task in found if task not in ALL or ALL[task].ahead > 1]
    blocks: list[str] = []
    shown: list[list[str]] = []
    for title, tasks in (
        ("All tasks", found),
        ("All tasks that forecast several steps", several),
        ("Real series", [task for task in several if task in REAL]),
    ):
        rows = over_tasks(board.methods, tasks)
        if len(rows) and tasks not in shown:
            names = escape(", ".join(tasks), 1000)
            blocks += [f"**{title}** ({len(tasks)}: {names})", across_tasks.over_tasks(rows)]
            shown.append(tasks)
    most = max((len(tasks) for tasks in shown), default=0)
    said = prose("few_tasks" if most < TASKS_TO_RANK else "many_tasks").format(count=most)
    if exact:
        blocks.append(f"Left out, as the naive forecast makes no error there: {escape(', '.join(exact), 1000)}.")
    return ["## Over several tasks", said, *blocks] if shown else []


def _without_blocks(board: Board) -> list[str]:
    """Say of which tasks the records have no blocks of test series."""
    lacking = board.methods[board.methods["blocks"].isna() & ~board.methods["quick"] & ~board.methods["apart"]]
    tasks = in_order(set(lacking["task"]))
    return [prose("without_blocks").format(tasks=escape(", ".join(tasks), 1000))] if tasks else []


def legend() -> str:
    """Say what each column means."""
    return "\n".join(f"- **{column.label}**: {column.help}" for column in COLUMNS if column.help)


def details_page(sections: Sequence[Section], paths: Paths) -> str:
    """Return the page with all rows of one task, those of quick runs below."""
    first, *more = sections
    blocks = [f"# {first.heading}", f"Details; the summary and what columns mean: [leaderboard]({quote(paths.back)})."]
    blocks += first.apart(paths.figures_from_boards)
    for one in more:
        blocks += [f"## {one.heading}", prose("quick"), *one.shown, *one.apart(paths.figures_from_boards)]
    return "\n\n".join(block for block in blocks if block) + "\n"

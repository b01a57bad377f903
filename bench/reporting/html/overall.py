"""The table that the page opens on: one row per method, its rank on each task, what it costs, and when to use it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from bench.analysis.across_tasks import over_tasks
from bench.analysis.advice import uses
from bench.analysis.table import each
from bench.reporting.assessment import Board
from bench.reporting.columns import OVERVIEW, PLACE, columns_of, rank_text, row_label
from bench.reporting.sections.overview import REPEATED, main_task, verdict
from bench.tasks import REAL
from bench.text import clean, decimals

MOST = 4  # tasks with ranks, and sets of tasks with a skill: more would not fit 1,200 px
WORDS = "use"  # the column that may wrap
SKILL = "The share of the naive forecast's error that is saved, the mean over these tasks with a 95 % interval."


class Cell(NamedTuple):
    """A cell: its text as HTML, what it sorts by, and its class."""

    text: str = ""
    order: float | str | None = None
    kind: str = "number"


class Part(NamedTuple):
    """A column: its head, what it means, its class, and the cell of each method that has one."""

    label: str
    meaning: str
    kind: str
    cells: dict[str, Cell]


class Overview(NamedTuple):
    """The table by columns, what is said about each task, and the task of the costs; empty without full runs."""

    methods: list[str]
    parts: list[Part]
    answers: list[str]
    task: str | None


def overview(board: Board, places: Mapping[tuple[str, str], str]) -> Overview:
    """Return the table of a board; places: the name of the row of a task and method that the page leads to."""
    default = board.methods[~board.methods["quick"] & ~board.methods["apart"]]
    task = main_task(default)
    if task is None:
        return Overview([], [], [], None)
    default = default[~default["method"].str.endswith(REPEATED)]
    rows = default[default["task"] == task]
    methods = [*rows["method"], *sorted(set(default["method"]) - set(rows["method"]))]
    ranked = [ranks(default, name) for name in decided(default, task, board.tasks())]
    parts = [names(default, methods, (task, *board.tasks()), places), *ranked]
    parts += [part for title, tasks in sets_of(board.tasks()) if (part := skills(board, title, tasks))]
    answers = [f"{clean(one)}: {verdict(default[default['task'] == one], mark='')}" for one in board.tasks()]
    return Overview(methods, [*parts, *figures(rows)], answers, task)


def names(
    default: pd.DataFrame, methods: Sequence[str], tasks: Sequence[str], places: Mapping[tuple[str, str], str]
) -> Part:
    """Return the column of methods: each leads to its row on the first task that it has one on."""
    labels = {row.method: clean(row_label(row)) for row in each(default)}
    cells = {}
    for number, name in enumerate(methods):
        place = next((places[clean(task), name] for task in tasks if (clean(task), name) in places), "")
        button = f'<button type="button" data-row="{place}">{html.escape(labels[name])}</button>'
        cells[name] = Cell(button, number, "head")
    return Part("method", "Leads to its curves, forecasts and command.", "head", cells)


def decided(default: pd.DataFrame, main: str, tasks: Sequence[str]) -> list[str]:
    """Return the main task, and others on which not every method may be the best; those with the most methods."""
    apart = default.groupby("task")["rank_low"].max() > 1
    counts = default["task"].value_counts()
    found = [name for name in tasks if name == main or apart.get(name, False)]
    most = sorted(found, key=lambda name: (name != main, -counts.get(name, 0)))[:MOST]
    return [main, *(name for name in found if name in most and name != main)]


def ranks(default: pd.DataFrame, task: str) -> Part:
    """Return places on a task with the ranks that are possible, bold where the first is."""
    rows = each(default[default["task"] == task])
    cells = {
        row.method: Cell(
            html.escape(rank_text(row)), float(row.place), "number best" if row.rank_low == 1 else "number"
        )
        for row in rows
    }
    return Part(f"rank, {clean(task)}", f"{PLACE} Sorted by place.", "number", cells)


def sets_of(tasks: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the sets of tasks with a skill: real series, and all tasks where that is another set."""
    real = [name for name in tasks if name in REAL]
    found = [(f"skill %, {len(real)} real series", real), (f"skill %, all {len(tasks)} tasks", list(tasks))]
    return found[:1] if real == list(tasks) else found


def skills(board: Board, title: str, tasks: Sequence[str]) -> Part | None:
    """Return the skill of each method with a result on all of these tasks; None where there are too few."""
    cells = {}
    for row in each(over_tasks(board.methods, tasks)):
        low, high = decimals(round(row.skill_low) + 0.0, 0), decimals(round(row.skill_high) + 0.0, 0)
        cells[row.method] = Cell(f"{decimals(row.skill, 0)} ({low} to {high})", -float(row.skill))
    return Part(title, SKILL, "number", cells) if cells else None


def figures(rows: pd.DataFrame) -> list[Part]:
    """Return the figures of the main task: error, cost, and when to use a method."""
    rows = rows.assign(use=pd.Series(uses(rows), index=rows.index))
    found = []
    for column in columns_of(rows, OVERVIEW):
        if column.name in ("place", "method"):
            continue
        kind = "words" if column.name == WORDS else "number"
        cells = {
            row.method: Cell(html.escape(clean(column.format(row))), column.value(row), kind) for row in each(rows)
        }
        found.append(Part(column.label, column.help.replace("`", ""), kind, cells))
    return found


def section(found: Overview) -> str:
    """Return the table as HTML; empty without records of full runs."""
    if not found.parts:
        return ""
    header = "".join(map(head_of, found.parts))
    rows = (f"<tr>{''.join(cell_of(part, name) for part in found.parts)}</tr>" for name in found.methods)
    lines = "\n".join(rows)
    answers = "".join(f"<li>{html.escape(one)}</li>" for one in found.answers)
    answer = next((one for one in found.answers if one.startswith(f"{clean(found.task or '')}:")), "")
    return f"""<section id="all" aria-labelledby="all-title">
<h2 id="all-title">Which method</h2>
<p class="answer">{html.escape(answer)}</p>
<p>One row per method with its defaults, best first. In brackets: the ranks that are possible, bold where the first is.
Error, cost and use are those on {html.escape(clean(found.task or ""))}. A method leads to its curves, forecasts and
command; column heads sort.</p>
<div class="wide" role="region" aria-labelledby="all-title" tabindex="0">
<table id="overall" class="display compact cards" aria-labelledby="all-title">
<thead><tr>{header}</tr></thead><tbody>
{lines}
</tbody></table></div>
<h3>Each task in words</h3>
<ul class="answers">{answers}</ul>
</section>"""


def head_of(part: Part) -> str:
    """Return the head of a column; its meaning is shown on hover."""
    meaning = html.escape(part.meaning, quote=True)
    return f'<th scope="col" class="{part.kind}" title="{meaning}">{html.escape(part.label)}</th>'


def cell_of(part: Part, name: str) -> str:
    """Return a cell with its label, for cards on a phone, and what it sorts by; an empty one sorts last."""
    cell = part.cells.get(name, Cell(kind=part.kind))
    order = 1e9 if cell.order is None or cell.order != cell.order else cell.order
    sort = "" if part.kind == "words" else f' data-order="{order}"'
    label = html.escape(part.label, quote=True)
    return f'<td class="{cell.kind}" data-label="{label}"{sort}>{cell.text}</td>'

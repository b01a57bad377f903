"""One task of the board: what is shown at once, and its details."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd

from bench.analysis import advice, anytime, ranking, tuning
from bench.analysis.table import of_board
from bench.reporting import commands
from bench.reporting.assessment import Board
from bench.reporting.figures.catalogue import Picture
from bench.reporting.markdown import escape, folded
from bench.reporting.sections import anytime as times
from bench.reporting.sections import measures, series, summary, tuned
from bench.schema.record import Run
from bench.tasks.main_metric import is_forecast
from bench.text import digits

NO_ROWS = "No run with default settings has succeeded yet."


class Detail(NamedTuple):
    """Blocks under one title."""

    title: str
    blocks: list[str]


@dataclass(frozen=True)
class Section:
    """The blocks of one task, of its full or of its quick runs."""

    task: str
    quick: bool
    shown: list[str]
    details: list[Detail]
    pictures: list[Picture]

    @property
    def heading(self) -> str:
        """Its title."""
        return escape(f"{self.task}, quick runs" if self.quick else self.task)

    @property
    def file(self) -> str:
        """The name of the file of its details."""
        return re.sub(r"[^A-Za-z0-9_.-]", "_", self.task) + ".md"

    def inside(self, figures: str) -> list[str]:
        """Return the details as blocks to open, for the page that has the summary."""
        return [*(folded(one.title, *one.blocks) for one in self.details), *self._images(figures)]

    def apart(self, figures: str) -> list[str]:
        """Return the details as blocks under headings, for a separate page."""
        return [*(block for one in self.details for block in (f"## {one.title}", *one.blocks)), *self._images(figures)]

    def _images(self, figures: str) -> list[str]:
        return [f"![{escape(one.shows, 400)}]({quote(f'{figures}/{one.name}')})" for one in self.pictures]


def section(board: Board, task: str, quick: bool) -> Section:
    """Return the blocks of one task."""
    rows, tried, methods = (of_board(table, task, quick) for table in (board.ranked, board.tried, board.methods))
    default = rows[~rows["apart"]]
    runs = [run for run in board.runs.values() if (run.spec.task, run.spec.quick) == (task, quick)]
    backend = ranking.timed_backend(default if len(default) else rows) if len(rows) else ""
    by_time = anytime.table([] if quick or not is_forecast(task) else runs, backend, board.factors)
    shown = [
        *_summary(methods[~methods["apart"]]),
        _limits(ranking.references(tried)),
        times.best_at(by_time),
        series.described(runs),
        series.outsiders(runs),
    ]
    details = [
        Detail("At a searched learning rate", tuned.tuned(tuning.table(board.tried, board.found, task, quick))),
        Detail("Every measure, one row per method × backend", _measures(rows, methods, tried)),
        Detail("Errors in the data's own units", series.own_units(runs)),
        Detail("Error against training time: after 1, 10 and 60 seconds", [times.at_each_time(by_time, backend)]),
        Detail("The command that repeats it", _commands(task, quick, default, tried, runs)),
    ]
    kept = [Detail(one.title, [block for block in one.blocks if block]) for one in details]
    pictures = [picture for picture in board.pictures if picture.task == task and not quick]
    return Section(task, quick, [one for one in shown if one], [one for one in kept if one.blocks], pictures)


def _summary(methods: pd.DataFrame) -> list[str]:
    """Return the table of competitors, and how the networks do against the best classical method."""
    if methods.empty:
        return [NO_ROWS]
    found = summary.beside_classical(advice.against_classical(methods))
    return [summary.summary(methods), summary.tested_on(methods), _on_device(methods), found]


def _on_device(methods: pd.DataFrame) -> str:
    """Say that networks ran on an accelerator, where they are a board's main rows."""
    return "Networks ran on an accelerator: none ran on the processor." if (methods["device"] != "cpu").any() else ""


def _measures(rows: pd.DataFrame, methods: pd.DataFrame, tried: pd.DataFrame) -> list[str]:
    """Return all rows with every figure, the competitors with changed settings, and what failed."""
    default, apart = rows[~rows["apart"]], rows[rows["apart"]]
    changed = methods[methods["apart"]]
    return [
        measures.full_table(default) if len(default) else "",
        f"**Changed settings, ranked apart**\n\n{summary.summary(changed)}" if len(changed) else "",
        f"**Changed settings, every measure**\n\n{measures.full_table(apart)}" if len(apart) else "",
        measures.cost_of_native(ranking.cost_of_native(rows)),
        measures.every_seed(rows),
        measures.failures(tried[tried["status"] != "ok"]),
    ]


def _commands(
    task: str, quick: bool, default: pd.DataFrame, tried: pd.DataFrame, runs: Sequence[Run]
) -> list[str]:  # fmt: skip
    """Return what to type to make the default rows again."""
    if default.empty:
        return []
    counted = tried[ranking.unchanged(tried)]
    seeds = {str(backend): sorted(rows["seed"].unique()) for backend, rows in counted.groupby("backend")}
    data, references = commands.words(runs), commands.references(runs)
    return [commands.commands(task, quick, default, seeds, data=data, references=references)]


#: what the references do, up to their error
REACHES = {
    "bayes": "knows the generator and averages all that can follow a history. No method can be expected below its",
    "least_squares_oracle": "knows the formula of the series and fits it to each history by least squares. It reaches",
}


def _limits(references: pd.DataFrame) -> str:
    """Say what the references reach; empty where none ran."""
    if references.empty:
        return ""
    lines = [
        f"`{row['method']}` {REACHES[row['method']]} {digits(row['error'])}." for row in references.to_dict("records")
    ]
    return "\n".join(
        [
            *lines,
            f"× limit, in the details, is over the error of `{references['method'].iloc[0]}`, which is not ranked.",
        ]
    )

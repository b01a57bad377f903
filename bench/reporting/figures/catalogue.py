"""The board's pictures: what each shows, from which data, and whether the file at hand was made from them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

from bench.data.examples import fits, truth
from bench.schema.record import Run
from bench.tasks.main_metric import is_forecast, label, validation_error
from bench.text import digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: raise it when a picture of the same data comes out differently: pictures of older versions count as stale
DRAWING = 2
BEST = 4  # methods whose forecasts are drawn


@dataclass(frozen=True)
class Picture:
    """A figure of the board: its task and file, what it shows, the digest of its data, and how to draw it."""

    task: str
    name: str
    shows: str
    digest: str
    figure: Callable[[], Figure]

    def is_current(self, folder: Path) -> bool:
        """Return whether the folder holds this picture, made from this data."""
        return digest_in(folder / self.name) == self.digest

    def draw(self, folder: Path) -> None:
        """Draw it into the folder. Raises UsageError where that cannot be written."""
        from bench.reporting.figures import style  # matplotlib takes longer to import than a board to render

        style.save(self.figure(), folder / self.name, source=self.digest)


def pictures(runs: Mapping[str, Run], ranked: pd.DataFrame, methods: pd.DataFrame) -> list[Picture]:
    """Draw full runs with default settings: for each task error against time, and the best forecasts."""
    rows, means = (table[~table["quick"] & ~table["apart"]] for table in (ranked, methods))
    found = []
    for task, board in rows.groupby("task", sort=True):
        best = means.loc[means["task"] == task, "method"].head(BEST)
        found += [time_picture(str(task), board), *forecasts_picture(str(task), board, best, runs.values())]
    return found


def time_picture(task: str, board: pd.DataFrame) -> Picture:
    """Return error against fit time for the rows of one task."""
    drawn = board[["method", "backend", "test_mse", "fit_seconds", "timing_valid", "pareto"]]
    metric = str(board["ranked_by"].iloc[0])
    shows = f"{task}: {label(metric)} against fit seconds, with the Pareto front"
    drawing = partial(_time_figure, task, metric, board)
    return Picture(task, _name(task, "time"), shows, digest_of(drawn.to_dict("list")), drawing)


def _time_figure(*arguments: Any) -> Figure:
    from bench.reporting.figures import drawing

    return drawing.pareto_figure(*arguments)


def forecasts_picture(task: str, board: pd.DataFrame, methods: Iterable[str], runs: Iterable[Run]) -> list[Picture]:
    """Return forecasts by these methods, each in its best backend; empty where the runs kept none that can be drawn."""
    if not is_forecast(task):
        return []
    best = board.drop_duplicates("method").set_index("method")["backend"]  # rows come best first
    wanted = {(method, best[method]): None for method in methods}
    chosen: dict[tuple[str, str], Run] = {}
    for run in runs:
        spec, row = run.spec, (run.spec.method, run.spec.backend)
        default = spec.task == task and spec.plain and run.status == "ok"
        if default and row in wanted and (row not in chosen or spec.seed < chosen[row].spec.seed):
            chosen[row] = run
    known = truth(next(iter(chosen.values()))) if chosen else None
    if known is None:
        return []
    drawn = [chosen[row] for row in wanted if row in chosen and fits(chosen[row], known)]
    if not drawn:
        return []
    forecasts = {_label(run): run.examples for run in drawn}
    shows = f"{task}: validation series and their forecasts by {', '.join(forecasts)}"
    digest = digest_of([known.history.tolist(), known.future.tolist(), forecasts])
    return [Picture(task, _name(task, "forecasts"), shows, digest, partial(_forecast_figure, task, known, forecasts))]


def _label(run: Run) -> str:
    error = digits(validation_error(run)) if run.metrics else ""
    return f"{run.spec.method} ({run.spec.backend}, seed {run.spec.seed}): {error}"


def _forecast_figure(*arguments: Any) -> Figure:
    from bench.reporting.figures import drawing

    return drawing.forecast_figure(*arguments)


def _name(task: str, what: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', task)}--{what}.png"


def digest_of(data: Any) -> str:
    """Return what a picture of this data carries inside."""
    return hashlib.sha256(msgspec.json.encode([DRAWING, data], order="deterministic")).hexdigest()[:16]


def digest_in(path: Path) -> str | None:
    """Return the digest of the data that a picture was drawn from, which it carries inside; None where it has none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.info.get("Source")
    except (OSError, UnidentifiedImageError):
        return None

"""The figure of some results: the test error of each method."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from bench.errors import UsageError
from bench.tasks.main_metric import label

if TYPE_CHECKING:
    import pandas as pd

TALLEST = 40  # methods in a panel


class NotebookFigure(Figure):
    """A figure that a notebook shows, also before anything has imported pyplot."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def draw(runs: pd.DataFrame) -> Figure:
    """Draw the mean error on the test part of each method and backend, the best on top, one panel for each task.

    Raises UsageError where no run has finished.
    """
    ok = runs[runs["status"] == "ok"] if len(runs) else runs
    if not len(ok):
        raise UsageError("nothing to draw: no run has finished")
    panels = [(str(task), metric, means_of(rows, metric)) for task, rows in ok.groupby("task", sort=False)
              for metric in rows["ranked_by"].unique()]  # fmt: skip
    heights = [len(means) + 2 for *_, means in panels]
    figure = NotebookFigure(figsize=(7, 0.3 * sum(heights)), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (task, metric, means) in zip(grid, panels, strict=True):
        axes.plot(means.to_numpy(), range(len(means)), "o")
        axes.set_yticks(range(len(means)), list(means.index))
        axes.set_ylim(-0.5, len(means) - 0.5)
        axes.set(title=task, xlabel=f"{label(metric)}, mean over seeds")
        axes.grid(axis="x", alpha=0.3)
    return figure


def means_of(rows: pd.DataFrame, metric: str) -> pd.Series[float]:
    """Return the mean of a metric of each method, backend and changed settings, the largest first."""
    names = rows["method"] + ", " + rows["backend"] + rows["changed"].map(lambda text: f" ({text})" if text else "")
    means: pd.Series[float] = rows.reindex(columns=[metric])[metric].groupby(names).mean()
    return means.sort_values(ascending=False).tail(TALLEST)

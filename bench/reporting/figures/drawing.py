"""Pictures: one run's learning curves and forecasts; for the board, error against time and the best forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from bench.analysis import reference
from bench.data.examples import fits, truth
from bench.data.windows import Windows
from bench.errors import UsageError
from bench.records.bounds import EPOCH
from bench.reporting.figures.labels import name_points
from bench.reporting.figures.style import (
    BACKENDS,
    BLACK,
    BLUE,
    CYCLE,
    OTHER_BACKEND,
    RED,
    checked_suffix,
    plain,
    save,
    style,
)
from bench.schema.record import Run
from bench.tasks import main_metric

#: fits faster than this are drawn at it: they would stretch a logarithmic axis over nothing
SHORTEST_FIT = 0.01


def plot_run(run: Run, path: Path) -> None:
    """Draw one run into a PNG or SVG: learning curves above, forecasts of validation series below.

    The reference's own curves lie faintly below, where it prints some. Raises UsageError for another suffix, and for a
    run that has neither curves nor forecasts.
    """
    checked_suffix(path)
    known = truth(run) if run.examples and main_metric.is_forecast(run.spec.task) else None
    known = known if known is not None and fits(run, known) else None
    if not _has_curve(run) and known is None:
        raise UsageError(f"nothing to draw: run {run.key} has no curve and no forecasts ({run.status}: {run.reason})")
    save(run_figure(run, known), path)


def _has_curve(run: Run) -> bool:
    return bool(run.curve and run.curve.get("loss"))


def run_figure(run: Run, known: Windows | None) -> Figure:
    """Return the picture of one run: its learning curves, its forecasts of `known` series, or both."""
    spec = run.spec
    rows = [_has_curve(run), known is not None]
    with style():
        figure = Figure(figsize=(9, 3.4 * sum(rows) + 0.5), layout="constrained")
        changed = spec.differences() + ["quick"] * spec.quick
        extra = f" ({', '.join(changed)})" if changed else ""
        figure.suptitle(plain(f"{spec.method} on {spec.task}, {spec.backend}, seed {spec.seed}{extra}"))
        parts = figure.subfigures(sum(rows), 1, squeeze=False)[:, 0]
        if rows[0]:
            _draw_curves(parts[0].subplots(), run)
        if rows[1] and known is not None:
            error = f", MSE {run.metrics['last_step_mse']:.4g}" if run.metrics else ""
            _draw_forecasts(parts[-1], known, {f"forecast{error}": run.examples or []})
    return figure


def _draw_curves(axes: Axes, run: Run) -> None:
    printed = None if run.spec.quick else reference.figure(run.spec.task, run.spec.method)
    faint: dict[str, Any] = {"alpha": 0.35, "linestyle": "--"}
    drawn = [(printed.curve if printed else {}, ", reference", faint), (run.curve or {}, "", {"marker": "."})]
    for curve, suffix, look in drawn:
        # the training loss is a mean over the epoch, the validation loss is taken at its end: hence half an epoch
        for name, text, shift, color in (("loss", "training", 0.5, BLUE), ("val_loss", "validation", 0.0, RED)):
            values = curve.get(name) or []
            if values:
                epochs = np.array(curve.get(EPOCH) or range(1, len(values) + 1))
                axes.plot(epochs - shift, values, color=color, label=text + suffix, **look)
    loss = "cross-entropy" if "cross_entropy" in (run.metrics or {}) else "MSE of all outputs"
    axes.set(yscale="log", xlabel="epoch", ylabel=loss, xlim=(0, None), title="Learning curves")
    _plain_ticks(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25, which="both")
    axes.legend()


def reproduction_figure(curves: Mapping[str, tuple[Sequence[float], Sequence[tuple[str, Sequence[float]]]]]) -> Figure:
    """Draw for each title the reference's validation losses, dashed, and ours by backend: one value per epoch each."""
    with style():
        rows = -(-len(curves) // 3)
        figure = Figure(figsize=(9, 2.3 * rows + 0.5), layout="constrained")
        panels = list(figure.subplots(rows, 3, squeeze=False).flat)
        for axes, (title, (printed, ours)) in zip(panels, curves.items(), strict=False):
            for backend, values in ours:
                color, _ = BACKENDS.get(backend, OTHER_BACKEND)
                axes.plot(np.arange(1, len(values) + 1), values, color=color, alpha=0.5, linewidth=1, label=backend)
            axes.plot(
                np.arange(1, len(printed) + 1), printed, color=BLACK, linestyle="--", linewidth=1.4, label="reference"
            )
            axes.set(yscale="log")
            axes.set_title(plain(title), fontsize=8)
            _plain_ticks(axes.yaxis)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        for axes in panels[len(curves) :]:
            axes.set_axis_off()
        handles = {
            label: handle
            for axes in figure.axes
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.supxlabel("epoch")
        figure.supylabel("validation MSE of all outputs")
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=len(handles))
    return figure


def forecast_figure(task: str, known: Windows, forecasts: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw forecasts by label, each [count, H], with the truth of as many series and the end of their history."""
    with style():
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        figure.suptitle(plain(f"{task}: validation series and the best methods' forecasts"))
        _draw_forecasts(figure, known, forecasts)
    return figure


def _draw_forecasts(figure: Any, known: Windows, forecasts: Mapping[str, Sequence[Sequence[float]]]) -> None:
    ahead = known.future.shape[1]
    past = min(known.history.shape[1], max(10, 2 * ahead))
    steps = np.arange(1, ahead + 1)
    panels = figure.subplots(1, len(known.future), sharey=True, squeeze=False)[0]
    for series, axes in enumerate(panels):
        axes.plot(np.arange(1 - past, 1), known.history[series, -past:], color="0.55", marker=".", label="history")
        whole = np.concatenate([known.history[series, -1:], known.future[series]])
        axes.plot([0, *steps], whole, color="black", marker="X", markersize=6, markevery=slice(1, None), label="truth")
        for place, (label, values) in enumerate(forecasts.items()):
            color, marker = CYCLE[place % len(CYCLE)]
            # with one step ahead all forecasts share one x: set side by side, they can be told apart
            shift = (place - (len(forecasts) - 1) / 2) * 0.35 if ahead == 1 else 0
            axes.plot(
                steps + shift, values[series], color=color, marker=marker, markersize=4, alpha=0.85, label=plain(label)
            )
        axes.set(xlabel="step ahead", title=f"validation series {series + 1}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("value")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))


def pareto_figure(task: str, metric: str, rows: pd.DataFrame) -> Figure:
    """Return error against fit time for the rows of one board (see `ranking.rank`), on logarithmic axes, and the
    Pareto front. metric: the test metric that ranks.

    Points of the front are named first, then each other method at its best point, where there is room. Hollow points
    were timed on a disturbed machine.
    """
    rows = rows[rows["fit_seconds"].notna() & (rows["test_mse"] > 0)]
    rows = rows.assign(seconds=rows["fit_seconds"].clip(lower=SHORTEST_FIT))
    with style():
        figure = Figure(figsize=(10, 7), layout="constrained")
        axes = figure.subplots()
        axes.set(
            xscale="log",
            yscale="log",
            xlabel=f"fit, seconds on one core (at least {SHORTEST_FIT} is drawn)",
            ylabel="MSE, test part" if main_metric.by_mse(metric) else main_metric.label(metric),
            title=plain(f"{task}: error against fit time"),
        )
        axes.grid(alpha=0.25, linewidth=0.5)
        for backend in [*BACKENDS, *sorted(set(rows["backend"]) - set(BACKENDS))]:
            _draw_backend(axes, backend, rows[rows["backend"] == backend])
        front = rows[rows["pareto"]].sort_values(["seconds", "test_mse"])
        axes.plot(
            front["seconds"],
            front["test_mse"],
            drawstyle="steps-post",
            color=RED,
            linewidth=1.2,
            zorder=1,
            label="Pareto front: nothing is both faster and better",
        )
        axes.margins(0.08)
        _plain_ticks(axes.yaxis)
        _plain_ticks(axes.xaxis)
        axes.legend(loc="upper right")
        name_points(figure, axes, rows)
    return figure


def _plain_ticks(axis: Axis) -> None:
    """Write 0.02 instead of 2 x 10^-2: the tables say it that way."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _draw_backend(axes: Axes, backend: str, group: pd.DataFrame) -> None:
    if group.empty:
        return
    color, marker = BACKENDS.get(backend, OTHER_BACKEND)
    ring = np.where(group["pareto"], "black", "white")
    fill = [color if valid else "none" for valid in group["timing_valid"]]
    edge = [shade if valid else color for shade, valid in zip(ring, group["timing_valid"], strict=True)]
    axes.scatter(
        group["seconds"], group["test_mse"], s=36, c=fill, marker=marker, edgecolors=edge, linewidths=0.8, zorder=2
    )
    axes.scatter([], [], s=36, c=color, marker=marker, label=plain(backend))

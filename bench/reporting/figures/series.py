"""A picture of a file's series: what is trained on, what is validated on, and what is the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.data.calendar import Calendar
from bench.data.series import Series
from bench.data.splits import Prepared
from bench.reporting.figures.style import BLACK, BLUE, ORANGE, plain, save, style

PANELS = 6  # series drawn
TICKS = 6


def draw(path: Path, series: Sequence[Series], calendar: Calendar, prepared: Prepared | None, title: str) -> None:
    """Write the picture, PNG or SVG. Raises UsageError where that cannot be."""
    shown = series[:PANELS]
    with style():
        figure = Figure(figsize=(8, 1.8 * len(shown) + 0.6), layout="constrained")
        for place, one in enumerate(shown):
            axes = figure.add_subplot(len(shown), 1, place + 1)
            steps = np.arange(one.start, one.end)
            axes.plot(steps, one.values, color=BLACK, linewidth=0.9)
            if one.imputed.any():
                rows = np.flatnonzero(one.imputed[:, 0])
                axes.plot(steps[rows], one.values[rows, 0], ".", color=ORANGE, label="filled in")
            for name, colour, begin, end in spans(one, place, prepared):
                axes.axvspan(begin, end, color=colour, alpha=0.15, linewidth=0, label=name)
            ticks = np.unique(np.linspace(one.start, one.end - 1, TICKS).round().astype(int))
            axes.set_xticks(ticks, [calendar.at(int(step)) for step in ticks])
            axes.set_title(plain(one.name or title), loc="left")
            if place == 0 and axes.get_legend_handles_labels()[1]:
                axes.legend(loc="upper left", ncols=3)
        figure.suptitle(plain(title) + (f" ({len(shown)} of {len(series)} shown)" if len(series) > len(shown) else ""))
    save(figure, path)


def spans(one: Series, place: int, prepared: Prepared | None) -> list[tuple[str, str, float, float]]:
    """Return where the futures of a series' validation and test windows are: name, colour, first and last step."""
    if prepared is None:
        return []
    found, how = [], prepared.preparation
    for name, colour in (("validation", BLUE), ("test", ORANGE)):
        part = getattr(prepared.parts, name)
        starts = part.starts[part.series == place]
        if len(starts):
            begin = one.start + starts[0] + how.length - how.ahead
            found.append((name, colour, begin - 0.5, one.start + starts[-1] + how.length - 0.5))
    return found

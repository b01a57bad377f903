"""A picture of forecasts: the end of each series, what comes next, and how far it may be off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.data.series import Series, SeriesSet
from bench.forecasting.intervals import IntervalForecast
from bench.reporting.figures.style import BLACK, BLUE, plain, save, style

PANELS = 6  # series and channels drawn
BEFORE = 3  # times the forecast's length that is drawn of the past


def draw(path: Path, found: SeriesSet, made: IntervalForecast, title: str) -> None:
    """Write the picture, PNG or SVG. Raises UsageError where that cannot be."""
    every = [(place, channel) for place in range(len(found.series)) for channel in range(len(found.channels))]
    panels = every[:PANELS]
    with style():
        figure = Figure(figsize=(8, 2.6 * len(panels) + 0.4), layout="constrained")
        all_axes = np.atleast_1d(figure.subplots(len(panels), 1))
        for axes, (place, channel) in zip(all_axes, panels, strict=True):
            forecast, lower, upper = (part[..., place, :, channel] for part in made[:3])
            of_channel = IntervalForecast(forecast, lower, upper, made.levels)
            panel(axes, found, found.series[place], of_channel, channel)
        all_axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2 + len(made.levels), borderpad=0)
        figure.suptitle(plain(title) + (f" ({len(panels)} of {len(every)} shown)" if len(every) > len(panels) else ""))
    save(figure, path)


def panel(axes: Axes, found: SeriesSet, series: Series, made: IntervalForecast, channel: int) -> None:
    """Draw one channel of one series: the past, the forecast [steps], and its intervals [V, steps]."""
    steps = len(made.forecast)
    past = series.values[-max(BEFORE * steps, 20) :, channel]
    before, after = np.arange(1 - len(past), 1), np.arange(1, steps + 1)
    axes.plot(before, past, color=BLACK, linewidth=1.2, label="known")
    axes.plot(np.r_[0, after], np.r_[past[-1], made.forecast], color=BLUE, linewidth=1.6, label="forecast")
    for low, high, level in zip(made.lower, made.upper, made.levels, strict=True):
        lower, upper = (np.r_[past[-1], bound] for bound in (low, high))  # one step has a width, too
        label = f"{level:g} % interval"
        axes.fill_between(np.r_[0, after], lower, upper, color=BLUE, alpha=0.2, linewidth=0, label=label)
    shown = np.unique(np.linspace(before[0], steps, 6).round().astype(int))
    axes.set_xticks(shown, [found.calendar.at(series.end - 1 + int(step)) for step in shown])
    name = " ".join(part for part in (series.name, found.channels[channel]) if part)
    axes.set_title(plain(name), loc="left")

"""Names next to the points of a scatter plot, placed without overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from bench.reporting.figures.style import plain

#: distances from the point at which a name is tried, in pixels, the nearest first
RADII = (7, 12, 19, 28, 40, 54, 70, 88, 108)
ANGLES = np.arange(0, 2 * np.pi, np.pi / 8)
SIZE = 8


def name_points(figure: Figure, axes: Axes, rows: pd.DataFrame) -> None:
    """Write `method` next to the points at `seconds` and `test_mse`, with a thin line to names further away.

    Points of the front (`pareto`) get their names first; then each other method at its best point, while there is
    space. The layout is frozen, because places are in pixels.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    pixels = axes.transData.transform(rows[["seconds", "test_mse"]].to_numpy())
    points = rows.assign(x=pixels[:, 0], y=pixels[:, 1]).sort_values(["test_mse", "seconds"], kind="stable")
    front, rest = points[points["pareto"]], points[~points["pareto"]].drop_duplicates("method")
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in pixels]
    legend = axes.get_legend()
    taken += ([legend.get_window_extent()] if legend else []) + _steps(front)
    for row in pd.concat([front, rest[~rest["method"].isin(front["method"])]]).itertuples():
        _name(axes, row, taken)


def _steps(front: pd.DataFrame) -> list[Bbox]:
    """Return the front's line, horizontal to the next point and then down, as boxes two pixels wide."""
    walk = front.sort_values("seconds")
    corners = zip(walk["x"], walk["y"], walk["x"].shift(-1), walk["y"].shift(-1), strict=True)
    boxes = []
    for x, y, next_x, next_y in list(corners)[:-1]:
        boxes += [Bbox([[x, y - 1], [next_x, y + 1]]), Bbox([[next_x - 1, next_y], [next_x + 1, y]])]
    return boxes


def _name(axes: Axes, row: Any, taken: list[Bbox]) -> None:
    text = axes.annotate(
        plain(row.method), (row.seconds, row.test_mse), xytext=(0, 0), textcoords="figure pixels", va="bottom",
        fontsize=SIZE, weight="bold" if row.pareto else "normal",
        arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3},
    )  # fmt: skip
    size = Text.get_window_extent(text)  # the words alone: an annotation's own extent has the line in it
    place = free_place(row.x, row.y, size.width, size.height, taken, axes.bbox)
    if place is None:
        text.remove()
        return
    text.set_position((place.x0, place.y0))
    taken.append(place)


def free_place(x: float, y: float, width: float, height: float, taken: list[Bbox], inside: Bbox) -> Bbox | None:
    """Return the nearest free box of this size around a point, on rings of growing radius; None if there is none."""
    for radius in RADII:
        for angle in ANGLES:
            dx, dy = np.cos(angle), np.sin(angle)
            # the box touches the ring with its near edge or corner, not with its centre
            left, bottom = x + radius * dx + width * (dx - 1) / 2, y + radius * dy + height * (dy - 1) / 2
            box = Bbox.from_bounds(left, bottom, width, height)
            within = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if within and not box.count_overlaps(taken):
                return box
    return None

"""How all figures look, and how they are written.

Figures are made without pyplot and in matplotlib's default style, so they look the same whatever the user's settings
are, and change none of them. The same data gives the same bytes on one version of matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.figure import Figure

from bench.errors import UsageError
from bench.records import files

#: colours of Okabe and Ito (2008), which colour-blind readers can tell apart; the marker says the same again
BLACK, BLUE, RED, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PINK, SKY, ORANGE = "#CC79A7", "#56B4E9", "#E69F00"
BACKENDS = {"numpy": (BLACK, "D"), "keras": (BLUE, "o"), "keras-jax": (ORANGE, "s"), "torch": (GREEN, "^")}
OTHER_BACKEND = (PINK, "v")
CYCLE = [(BLUE, "o"), (RED, "s"), (GREEN, "^"), (PINK, "v"), (SKY, "D"), (ORANGE, "P")]
SUFFIXES = (".png", ".svg")

_STYLE = {
    "svg.hashsalt": "aheadbench",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 100,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in matplotlib's default style with ours on it, whatever the user's settings are."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


def save(figure: Figure, path: Path, source: str = "") -> None:
    """Write a figure as PNG or SVG, by the path's suffix; `source` is kept inside the file.

    Raises UsageError for another suffix, or where the path cannot be written.
    """
    suffix = checked_suffix(path)
    stamp: dict[str, Any] = {"Software": None} if suffix == ".png" else {"Date": None, "Creator": None}
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=suffix[1:], metadata={**stamp, "Source": source} if source else stamp)
    files.replace(path, buffer.getvalue())


def checked_suffix(path: Path) -> str:
    """Return the path's suffix in small letters. Raises UsageError unless it is .png or .svg."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"cannot draw a {path.suffix or 'file without suffix'} ({path.name!r}): choose .png or .svg")
    return suffix


def plain(text: str) -> str:
    """Return text that matplotlib draws literally: a dollar would start a formula, control characters have no glyph."""
    return "".join(letter for letter in text if letter.isprintable()).replace("$", r"\$")

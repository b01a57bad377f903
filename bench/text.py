"""Texts for people: one clean line, and numbers with a fixed count of digits."""

from __future__ import annotations

import math
import re
import unicodedata

NOTHING = "–"
ZERO = 1e-300  # what is smaller is no error at all

_ANSI = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.?")


def clean(text: str, longest: int = 200) -> str:
    """Make one line that prints: no escapes, control or direction characters, cut at `longest` characters."""
    if not (text.isascii() and text.isprintable()):  # nearly always it is, and this takes a while
        text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in _ANSI.sub("", text))
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def digits(value: float, count: int = 4) -> str:
    """Return a number with `count` significant digits, zeros at the end included; a dash where there is none.

    Below ZERO it is 0: an error of 0 is replaced by the smallest number, for its logarithm.
    """
    value = 0.0 if abs(value) < ZERO else value
    return f"{value:#.{count}g}".rstrip(".") if math.isfinite(value) else NOTHING


def decimals(value: float, count: int = 1) -> str:
    """Return a number with `count` digits after the point; a dash where there is none."""
    text = f"{value:.{count}f}" if math.isfinite(value) else NOTHING
    return text.removeprefix("-") if text.startswith("-") and not text.strip("-0.") else text

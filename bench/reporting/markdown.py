"""Text for Markdown: escaped, formatted, set in tables."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

NOTHING = "–"

_ANSI = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.?")
#: letters with a meaning in Markdown or HTML, and underscores that are not inside a word
_SPECIAL = re.compile(r"[&<>|`*~$\[\]\\#!]|(?<![^\W_])_|_(?![^\W_])")


def clean(text: str, longest: int = 200) -> str:
    """One line that prints: no terminal escapes, no control or direction characters, cut at `longest` characters."""
    if not (text.isascii() and text.isprintable()):  # nearly always it is, and this takes a while
        text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in _ANSI.sub("", text))
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def escape(text: str, longest: int = 200) -> str:
    """Text that Markdown and HTML show as it stands, also inside a table: special characters become entities."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", clean(text, longest))


def digits(value: float, count: int = 4) -> str:
    """A number with `count` significant digits, zeros at the end included; a dash where there is none."""
    return f"{value:#.{count}g}".rstrip(".") if math.isfinite(value) else NOTHING


def decimals(value: float, count: int = 1) -> str:
    """A number with `count` digits after the point; a dash where there is none."""
    return f"{value:.{count}f}" if math.isfinite(value) else NOTHING


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: Iterable[int] = ()) -> str:
    """A pipe table of finished texts, aligned right except for the columns in `left`."""
    import tabulate

    columns = set(left)
    align = ["left" if place in columns else "right" for place in range(len(headers))]
    padding, tabulate.MIN_PADDING = tabulate.MIN_PADDING, 0  # two more spaces a column would not fit a screen
    try:
        return tabulate.tabulate(rows, headers, tablefmt="pipe", colalign=align, disable_numparse=True)
    finally:
        tabulate.MIN_PADDING = padding


def folded(summary: str, *blocks: str) -> str:
    """Blocks that a reader opens with a click."""
    inner = "\n\n".join(block for block in blocks if block)
    return f"<details>\n<summary>{summary}</summary>\n\n{inner}\n\n</details>"

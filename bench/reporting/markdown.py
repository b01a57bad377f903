"""Text for Markdown: escaped and set in tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bench.text import clean

#: letters with a meaning in Markdown or HTML, and underscores that are not inside a word
_SPECIAL = re.compile(r"[&<>|`*~$\[\]\\#!]|(?<![^\W_])_|_(?![^\W_])")


def escape(text: str, longest: int = 200) -> str:
    """Return text that Markdown and HTML show literally, also inside a table: special characters become entities."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", clean(text, longest))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: Iterable[int] = ()) -> str:
    """Set a pipe table of finished texts, aligned right except for the columns in `left`."""
    columns = set(left)
    widths = [max(1, *map(_width, column)) for column in zip(headers, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell + " " * (width - _width(cell)) if place in columns else " " * (width - _width(cell)) + cell
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        ":" + "-" * (width + 1) if place in columns else "-" * (width + 1) + ":" for place, width in enumerate(widths)
    ]
    return "\n".join([line(headers), f"|{'|'.join(rule)}|", *map(line, rows)])


def _width(text: str) -> int:
    """Count the columns that a text takes on a screen."""
    return len(text)


def folded(summary: str, *blocks: str) -> str:
    """Return blocks that a reader opens with a click."""
    inner = "\n\n".join(block for block in blocks if block)
    return f"<details>\n<summary>{summary}</summary>\n\n{inner}\n\n</details>"

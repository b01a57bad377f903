"""What `data` prints of a file."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data.overview import Overview
from bench.text import clean


def lines(seen: Overview) -> Iterator[str]:
    """Return the lines that say how a file is understood."""
    from tabulate import tabulate

    header = ["column", "role", "holds", "missing", "first cells"]
    rows = [
        [clean(one.name), one.role, one.kind, str(one.missing), clean(one.examples, longest=40)] for one in seen.columns
    ]
    yield tabulate(rows, header, disable_numparse=True, colalign=["left", "left", "left", "right", "left"])
    if seen.left:
        yield f"... and {seen.left} columns more"
    yield ""
    yield from (clean(line, longest=400) for line in seen.lines)

"""The first rows of the board in a README: the table between two comments."""

from __future__ import annotations

import re

PLACE = re.compile(r"<!-- board -->.*?<!-- /board -->", re.DOTALL)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def updated(readme: str, board: str) -> str:
    """Return a README with the first rows of a board's first table, as many as it has now; as it is without a place."""
    first = TABLE.search(board)
    place = PLACE.search(readme)
    shown = TABLE.search(place[0]) if place else None
    if not (first and place and shown):
        return readme
    rows = "".join(first[0].splitlines(keepends=True)[: shown[0].count("\n")])
    return readme[: place.start()] + place[0].replace(shown[0], rows) + readme[place.end() :]

"""The prose of the pages, a file each."""

from functools import cache
from importlib.resources import files


@cache
def prose(name: str) -> str:
    """Return the text of a file here, without the newline at its end."""
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8").removesuffix("\n")

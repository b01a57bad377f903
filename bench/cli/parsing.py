"""From the texts of a command line to values, and the names that a shell completes. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from typing import Any

import typer

from bench.errors import UsageError

SECONDS = {"s": 1, "m": 60, "h": 3600, "": 1}


def parser(kind: Callable[[str], Any], what: str) -> Callable[[str], Any]:
    """Read a text as this kind of number; typer's own message does not name what it got."""

    def parse(text: str) -> Any:
        with contextlib.suppress(ValueError):
            return kind(text)
        raise typer.BadParameter(f"{text!r} is not {what}")

    return parse


def checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the same reader, its errors with the option's name."""

    def parse(text: str) -> Any:
        try:
            return read(text)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


@checked
def place(text: str) -> Any:
    """Read a folder of records, or s3://bucket/prefix."""
    from bench.records import stores

    return stores.place(text)


@checked
def folder(text: str) -> Any:
    """Read a folder."""
    from bench.records import stores

    return stores.folder(text)


whole = parser(int, "a whole number")
seconds = parser(float, "a number of seconds")
share = parser(float, "a number")
percent = parser(float, "a number of percent")


def seconds_in(text: str) -> float:
    """Return the seconds in '90', '90s', '2m' or '1.5h'. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip(), re.ASCII)
    found = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 0 < found < math.inf:
        raise UsageError(f"--budget {text!r}: needed a time above 0, as in 90s, 2m or 1h")
    return found


def interval_levels(level: float | None, levels: str | None) -> tuple[float, ...]:
    """Return levels in percent, from one or from '80,95': 90 unless given. Raises UsageError."""
    if levels is None:
        return (90.0 if level is None else level,)
    if level is not None:
        raise UsageError(f"--level {level:g} and --levels {levels}: give one of them")
    try:
        found = tuple(dict.fromkeys(float(part) for part in levels.split(",")))
    except ValueError:
        raise UsageError(f"--levels {levels!r}: needed percentages separated by commas, as in 80,95") from None
    return found


def methods(incomplete: str) -> list[str]:
    """Return the methods whose names a shell may complete this to."""
    import implementations

    return [name for name in implementations.METHODS if name.startswith(incomplete)]


def backends(incomplete: str) -> list[str]:
    """Return the backends whose names a shell may complete this to."""
    from implementations.backends import BACKENDS

    return [name for name in BACKENDS if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """Return the tasks whose names a shell may complete this to."""
    from bench.tasks import ALL, SETS

    return [name for name in (*ALL, *SETS) if name.startswith(incomplete)]

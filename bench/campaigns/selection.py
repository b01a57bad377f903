"""What a user selects on the command line, checked and resolved into specs: one for each run."""

from __future__ import annotations

import contextlib
import fnmatch
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, get_args

import msgspec

import implementations
from bench.data import datasets
from bench.data.series_tasks import name_of, task_on
from bench.errors import UsageError, unknown
from bench.machine import threads
from bench.schema.record import Source, Spec
from bench.schema.series import Preparation
from bench.tasks import ALL, TASKS, Task
from implementations import backends

QUICK_EPOCHS = 2
DEFAULTS = ("equal", "native")
DEVICES = ("cpu", "cuda")

Setting = int | float | str | bool | None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a user asked for, as given on the command line: empty means the default."""

    methods: Sequence[str] = ()  # patterns
    tasks: Sequence[str] = ()
    backends: Sequence[str] = ()
    seeds: str = "42"
    epochs: int | None = None
    settings: Sequence[str] = ()  # method.name=value
    quick: bool = False
    defaults: str = "equal"  # or native
    device: str = "cpu"  # or cuda
    series: Preparation | None = None  # how a file is read, instead of tasks
    sources: Mapping[str, Source] = field(default_factory=dict)  # of methods from outside, by name
    files: Mapping[str, str] = field(default_factory=dict)  # where files named above lie on this machine


def specs(selection: Selection) -> list[Spec]:
    """Every run of the selection. Raises UsageError, naming what is allowed, for anything that does not exist."""
    changes = parse_settings(selection.settings)
    methods = [] if not selection.methods else match(selection.methods, implementations.METHODS, "method")
    methods = methods or list(changes)  # --set alone runs what it names, not the whole board
    tasks = choose_tasks(selection)
    chosen = choose_backends(selection.backends, check_device(selection.device))
    seeds = parse_seeds(selection.seeds)
    check_epochs(selection.epochs)
    check_defaults(selection.defaults)
    for method in changes:
        if method not in methods:
            name = next(iter(changes[method]))
            raise UsageError(f"--set {method}.{name}: {method} is not among the methods of this run")
    found = [
        msgspec.structs.replace(first, seed=seed)
        for task in tasks
        for method in methods or filter(task.runs, implementations.METHODS)
        for backend in implementations.backends_of(method)
        if backend in chosen
        for first in [spec_of(task, method, backend, seeds[0], selection, changes.get(method, {}))]
        for seed in seeds
    ]
    if not found:
        offered = "; ".join(f"{method} has {', '.join(implementations.backends_of(method))}" for method in methods)
        raise UsageError(f"nothing to run on {', '.join(selection.backends)}: {offered}")
    return found


def check_epochs(epochs: int | None) -> None:
    """Raise UsageError for less than one epoch."""
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs {epochs}: at least 1 is needed")


def check_defaults(defaults: str) -> None:
    """Raise UsageError for others than equal or native."""
    if defaults not in DEFAULTS:
        raise unknown("value of --defaults", defaults, DEFAULTS)


def choose_tasks(selection: Selection) -> list[Task]:
    """The tasks asked for, or the one on the series of a file."""
    if selection.series:
        if selection.tasks:
            raise UsageError("--task and --data: a run is on tasks of the benchmark, or on your series")
        unnamed = task_on(selection.series, "")
        digest = data_digest(unnamed, selection.files["series"])
        tasks = [replace(unnamed, name=name_of(selection.series, digest))]
    else:
        tasks = [ALL[name] for name in (match(selection.tasks, ALL, "task") if selection.tasks else TASKS)]
    return [task.quick() for task in tasks] if selection.quick else tasks


def match(patterns: Sequence[str], names: Iterable[str], what: str) -> list[str]:
    """The names that any of the glob patterns matches, in order. Raises UsageError for a pattern without any."""
    names = list(names)
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise unknown(what, pattern, names)
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def check_device(device: str) -> str:
    """The device. Raises UsageError for another one than cpu or cuda, and for cuda where there is none."""
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    if device == "cuda" and not threads.has_cuda():
        raise UsageError("--device cuda: NVIDIA's driver shows no device on this machine; cpu is allowed")
    return device


def choose_backends(asked: Sequence[str], device: str = "cpu") -> list[str]:
    """The backends asked for, or every installed one that computes on the device; numpy always, for the baselines."""
    able = [name for name, backend in backends.BACKENDS.items() if device in backend.devices]
    for name in asked:
        if name in backends.BACKENDS and name not in [*able, "numpy"]:
            raise UsageError(f"backend {name!r} computes on cpu alone; with --device {device}: {', '.join(able)}")
        if name not in backends.BACKENDS:
            raise unknown("backend", name, backends.BACKENDS)
        if not backends.installed(name):
            extra = backends.extra(name)
            raise UsageError(f"backend {name!r} is not installed: pip install 'aheadbench[{extra}]'")
    return ["numpy", *(asked or (name for name in able if name != "numpy" and backends.installed(name)))]


def parse_seeds(text: str) -> list[int]:
    """Seeds from '42,43': whole numbers in 0..2**32-1 (NumPy's range), none twice. Raises UsageError."""
    seeds = []
    for part in (part.strip() for part in text.split(",")):
        if not (part.isascii() and part.isdecimal()) or int(part) >= 2**32:
            raise UsageError(f"--seeds {text!r}: {part!r} is not a whole number in 0..{2**32 - 1}")
        if int(part) in seeds:
            raise UsageError(f"--seeds {text!r}: {part} is given twice")
        seeds.append(int(part))
    return seeds


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, Setting]]:
    """Method -> setting -> value, from 'gru.units=32' and the like."""
    changes: dict[str, dict[str, Setting]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        method, dot, name = target.rpartition(".")
        if not (equals and dot and method and name):
            raise UsageError(f"--set {text!r}: METHOD.NAME=VALUE is needed, as in gru.units=32")
        method = implementations.current_name(method)
        if method not in implementations.METHODS:
            raise unknown("method", method, implementations.METHODS)
        known = implementations.all_settings(method)
        if name not in known:
            raise unknown(f"setting of {method}", name, known)
        changes.setdefault(method, {})[name] = parse_value(method, name, value)
    return changes


def parse_value(method: str, name: str, value: str) -> Setting:
    """The value as the type that the method's class states. Raises UsageError."""
    kind = implementations.setting_type(method, name)
    text = None if value.lower() == "none" and type(None) in get_args(kind) else value
    with contextlib.suppress(msgspec.ValidationError):
        setting: Setting = msgspec.convert(text, kind, strict=False)
        if not isinstance(setting, float) or math.isfinite(setting):
            return setting
    default = implementations.all_settings(method)[name]
    raise UsageError(f"--set {method}.{name}={value}: {value!r} is not {describe(kind)} (default: {default})")


def describe(kind: Any) -> str:
    """A setting's type in words."""
    words = {int: "a whole number", float: "a number", bool: "true or false", type(None): "none"}
    return " or ".join(words.get(part, str(part)) for part in get_args(kind) or (kind,))


def spec_of(
    task: Task, method: str, backend: str, seed: int, selection: Selection, changes: dict[str, Setting]
) -> Spec:
    """One run's spec, with every setting resolved and those named that are not the default."""
    defaults = defaults_of(method, task, selection.quick)
    settings = without_off(method, defaults, resolve(defaults, selection.epochs, changes))
    changed = tuple(sorted(name for name in settings if name not in defaults or settings[name] != defaults[name]))
    if changed:
        check_settings(method, backend, seed, settings)
    return Spec(
        task=task.name,
        method=method,
        backend=backend,
        seed=seed,
        settings=settings,
        changed=changed,
        quick=selection.quick,
        defaults="native" if selection.defaults == "native" and backend != "numpy" else msgspec.UNSET,
        data_sha256=data_digest(task, selection.files.get("series")),
        series=task.series or msgspec.UNSET,
        source=selection.sources.get(method, msgspec.UNSET),
        device="cuda" if selection.device == "cuda" and backend != "numpy" else msgspec.UNSET,
    )


def defaults_of(method: str, task: Task, quick: bool = False) -> dict[str, Setting]:
    """Return a method's settings on a task: few epochs in a quick run; on series from a file, as the method adapts."""
    defaults = implementations.default_settings(method)
    if task.series:
        defaults = implementations.class_of(method).adapted(defaults, task.series.season)
    return {**defaults, "epochs": QUICK_EPOCHS} if "epochs" in defaults and quick else defaults


def resolve(defaults: dict[str, Setting], epochs: int | None, changes: dict[str, Setting]) -> dict[str, Setting]:
    """The settings with what was asked for; epochs, where the method has any."""
    trains = "epochs" in defaults and epochs is not None
    return {**defaults, **({"epochs": epochs} if trains else {}), **changes}


def without_off(method: str, defaults: dict[str, Setting], settings: dict[str, Setting]) -> dict[str, Setting]:
    """The settings but those that are no default of the method and as if they had not been given."""
    known = implementations.all_settings(method)
    return {name: value for name, value in settings.items() if name in defaults or value != known[name]}


def check_settings(method: str, backend: str, seed: int, settings: dict[str, Setting]) -> None:
    """Raise UsageError for values that the method refuses, before anything runs or is written."""
    try:
        implementations.make(method, backend, seed, **settings)
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from None


@cache
def data_digest(task: Task, path: str | None = None) -> str:
    """The sha256 of the task's series, which may lie in a file: other data is another run."""
    return open_data(task, path).digest


@cache
def open_data(task: Task, path: str | None = None) -> datasets.GeneratedData | datasets.SeriesData:
    """The task's data, read once."""
    return datasets.open_data(task, {"series": path} if path else {})


def understood(selection: Selection) -> str | None:
    """How the file of series was understood, in words; None where there is none."""
    if selection.series is None:
        return None
    data = open_data(choose_tasks(selection)[0], selection.files["series"])
    assert isinstance(data, datasets.SeriesData)
    return f"{selection.series.file}: {data.describe()}"

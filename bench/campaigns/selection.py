"""From a Selection to specs: one for each run, every name and value checked."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec

import implementations
from bench.campaigns import bounds, settings, task_files
from bench.campaigns.request import Selection, Setting, check_seeds
from bench.data import bundled, datasets
from bench.data.series import state_of
from bench.data.series_tasks import name_of, task_on
from bench.errors import UsageError, unknown
from bench.machine import threads
from bench.schema.record import Spec
from bench.tasks import ALL, SETS, TASKS, Task
from implementations import backends, needs_folder

DEFAULTS = ("equal", "native")
DEVICES = ("cpu", "cuda")
SELECT = ("last", "validation")
#: what people call a framework -> the backend that runs it
SPOKEN = {"tensorflow": "keras", "tf": "keras", "jax": "keras-jax", "flax": "keras-jax", "pytorch": "torch"}
MOST_EPOCHS = 1_000_000
MOST_OPEN = 64  # data sets that are kept in memory: more than there are tasks


def specs(selection: Selection) -> list[Spec]:
    """Return every run of the selection. Raises UsageError, naming what is allowed, for what does not exist."""
    methods = choose_methods(selection)
    tasks = choose_tasks(selection)
    bundled.check_there(task.series.file for task in tasks if task.series and task.series.bundled)
    chosen = choose_backends(selection.backends, check_device(selection.device))
    seeds = check_seeds(selection.seeds)
    if selection.device == "cuda" and (local := next(filter(needs_folder, methods), None)):
        raise UsageError(f"--device cuda: {local} computes on cpu alone")
    check_epochs(selection.epochs)
    check_defaults(selection.defaults)
    check_select(selection.select)
    places = places_of(selection)
    found = [
        msgspec.structs.replace(first, seed=seed)
        for task in tasks
        for method in answering(task, methods, selection.methods)
        for backend in implementations.backends_of(method)
        if backend in chosen
        for first in [spec_of(task, method, backend, seeds[0], selection, selection.settings.get(method, {}), places)]
        for seed in selection.seeds_of.get(backend, seeds)
    ]
    if not found:
        raise nothing_to_run(methods, chosen)
    return found


def nothing_to_run(methods: Sequence[str], chosen: Sequence[str]) -> UsageError:
    """Return the error for methods that run on no chosen backend: what each needs, and how to install one of them."""
    needed = list(dict.fromkeys(name for method in methods for name in implementations.backends_of(method)))
    offered = "; ".join(f"{method} has {', '.join(implementations.backends_of(method))}" for method in methods)
    hint = ""
    if not any(map(backends.installed, needed)):
        extras = " or ".join(f"'aheadbench[{backends.extra(name)}]'" for name in reversed(needed))
        hint = f": none is installed, pip install {extras}"
    return UsageError(f"nothing to run on {', '.join(dict.fromkeys(chosen))}: {offered}{hint}")


def choose_methods(selection: Selection) -> list[str]:
    """Return the methods asked for, those with changed settings if no other is; none: each task's set.

    Raises UsageError for names that do not exist and for settings of a method that is not among those asked for.
    """
    if not selection.methods:
        return list(selection.settings)  # --set alone runs what it names, not the whole board
    methods = match(selection.methods, implementations.METHODS, "method")
    for method, changes in selection.settings.items():
        if method not in methods:
            raise UsageError(f"--set {method}.{next(iter(changes))}: {method} is not among the methods of this run")
    return [one for one in methods if one in {*selection.methods, *selection.settings} or not needs_folder(one)]


def answering(task: Task, methods: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Return the methods of a run that answer the task's kind of question: its own set, where none is asked for.

    Raises UsageError for one that is asked for by its name and does not.
    """
    able = [name for name in methods or filter(task.runs, implementations.METHODS)
            if task.kind in implementations.kinds_of(name)]  # fmt: skip
    named = set(asked) & set(methods) if asked else set(methods)
    if unable := sorted(named - set(able)):
        others = [name for name in implementations.METHODS if task.kind in implementations.kinds_of(name)]
        raise UsageError(f"task {task.name}: {unable[0]} does not {task.kind}; choose from {', '.join(others)}")
    return able


def check_epochs(epochs: int | None) -> None:
    """Raise UsageError for less than one epoch, or more than anything is trained for."""
    if epochs is not None and not 1 <= epochs <= MOST_EPOCHS:
        raise UsageError(f"--epochs {epochs}: needed {'1 or more' if epochs < 1 else f'{MOST_EPOCHS} or fewer'}")


def check_defaults(defaults: str) -> None:
    """Raise UsageError for others than equal or native."""
    if defaults not in DEFAULTS:
        raise unknown("value of --defaults", defaults, DEFAULTS)


def check_select(select: str) -> None:
    """Raise UsageError for others than last or validation."""
    if select not in SELECT:
        raise unknown("value of --select", select, SELECT)


def choose_tasks(selection: Selection) -> list[Task]:
    """Return the tasks asked for, or the one on the series of a file."""
    if selection.series:
        if selection.tasks:
            raise UsageError("--task and --data: a run is on tasks of the benchmark, or on your series")
        unnamed = task_on(selection.series, "")
        digest = data_digest(unnamed, selection.files["series"])
        tasks = [replace(unnamed, name=name_of(selection.series, digest))]
    else:
        tasks = named_tasks(selection.tasks) if selection.tasks else list(TASKS.values())
    return [task.quick() for task in tasks] if selection.quick else tasks


def named_tasks(names: Sequence[str]) -> list[Task]:
    """Return the tasks of names, patterns, sets and files, each once. Raises UsageError for what does not exist."""
    files = [name for name in names if task_files.is_file(name)]
    named = [one for name in names if name not in files for one in SETS.get(name, (name,))]
    for name in named:
        if name not in ALL and not fnmatch.filter(map(str.lower, ALL), name.lower()):
            raise unknown("task", name, [*SETS, *ALL])
    found = [ALL[name] for name in (match(named, ALL, "task") if named else [])]
    found += [task for name in files for task, _ in task_files.open_tasks(name)]
    twice = {one.name for one in found if sum(one.name == other.name for other in found) > 1}
    if twice:
        raise UsageError(f"--task: two tasks of files are called {min(twice)}: each needs another name")
    return found


def places_of(selection: Selection) -> dict[str, str]:
    """Return where on this machine lies what the specs of a selection name: see Selection.files."""
    found = [one for name in selection.tasks if task_files.is_file(name) for one in task_files.open_tasks(name)]
    return {**selection.files, **{datasets.place_of(task.name): place for task, place in found if place}}


def match(patterns: Sequence[str], names: Iterable[str], what: str) -> list[str]:
    """Return the names that any of the glob patterns matches, in order; capitals count where both spellings exist.

    Raises UsageError for a pattern without any.
    """
    names = list(names)
    found: set[str] = set()
    for pattern in patterns:
        matching = [name for name in names if fnmatch.fnmatchcase(name, pattern)] or [
            name for name in names if fnmatch.fnmatchcase(name.lower(), pattern.lower())
        ]
        if not matching:
            raise unknown(what, pattern, names)
        found |= set(matching)
    return [name for name in names if name in found]


def check_device(device: str) -> str:
    """Return the device. Raises UsageError for another one than cpu or cuda, and for cuda where there is none."""
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    if device == "cuda" and not threads.has_cuda():
        raise UsageError("--device cuda: NVIDIA's driver shows no device on this machine; cpu is allowed")
    return device


def backend_named(name: str, what: str = "backend", allowed: Iterable[str] = backends.BACKENDS) -> str:
    """Return the backend of this name; capitals do not count. Raises UsageError for another than those allowed."""
    allowed, spelled = list(allowed), name.lower()
    if spelled in allowed:
        return spelled
    if SPOKEN.get(spelled) in allowed:
        raise UsageError(f"unknown {what} {name!r}: did you mean {SPOKEN[spelled]}?")
    raise unknown(what, name, allowed)


def choose_backends(asked: Sequence[str], device: str = "cpu") -> list[str]:
    """Return numpy, for the baselines, and the backends asked for, or every installed one that runs on the device.

    Raises UsageError for one that does not exist, is not installed, or does not run on the device.
    """
    able = [name for name, backend in backends.BACKENDS.items() if device in backend.devices]
    asked = [backend_named(name) for name in asked]
    for name in asked:
        if name not in [*able, "numpy"]:
            raise UsageError(f"backend {name!r} computes on cpu alone; with --device {device}: {', '.join(able)}")
        if not backends.installed(name):
            extra = backends.extra(name)
            raise UsageError(f"backend {name!r} is not installed: pip install 'aheadbench[{extra}]'")
    return ["numpy", *(asked or (name for name in able if name != "numpy" and backends.installed(name)))]


def spec_of(
    task: Task, method: str, backend: str, seed: int, selection: Selection, changes: Mapping[str, Setting],
    places: Mapping[str, str],
) -> Spec:  # fmt: skip
    """Return one run's spec: every setting resolved, those that are not the default named."""
    defaults = settings.defaults_of(method, task, selection.quick)
    if "select" in implementations.all_settings(method):
        changes = {"select": selection.select, **changes}
    resolved = settings.without_off(method, defaults, settings.resolve(defaults, selection.epochs, changes))
    resolved = settings.identified(method, resolved)
    changed = tuple(sorted(name for name in resolved if name not in defaults or resolved[name] != defaults[name]))
    if changed:
        settings.check_settings(method, backend, seed, resolved, task.kind)
        bounds.check_steps(method, {name: resolved[name] for name in changed}, task.history)
    return Spec(
        task=task.name,
        method=method,
        backend=backend,
        seed=seed,
        settings=resolved,
        changed=changed,
        quick=selection.quick,
        defaults="native" if selection.defaults == "native" and backend != "numpy" else msgspec.UNSET,
        data_sha256=data_digest(task, places.get(datasets.place_of(task.name)) or places.get("series")),
        series=task.series or msgspec.UNSET,
        source=selection.sources.get(method, msgspec.UNSET),
        device="cuda" if selection.device == "cuda" and backend != "numpy" else msgspec.UNSET,
    )


def data_digest(task: Task, path: str | None = None) -> str:
    """Return the sha256 of the task's series, which may lie in a file: other data is another run."""
    return opened(task, path, path and state_of(path))[1]


def open_data(task: Task, path: str | None = None) -> datasets.GeneratedData | datasets.SeriesData:
    """Return the task's data, read once as long as its file does not change."""
    return opened(task, path, path and state_of(path))[0]


@lru_cache(maxsize=MOST_OPEN)
def opened(task: Task, path: str | None, _state: object) -> tuple[datasets.GeneratedData | datasets.SeriesData, str]:
    """Return the task's data and their digest; _state makes a changed file a different entry of the cache."""
    data = datasets.open_data(task, {"series": path} if path else {})
    return data, data.digest


def understood(selection: Selection) -> str | None:
    """Return how the file of series was understood, in words; None where there is none."""
    if selection.series is None:
        return None
    data = open_data(choose_tasks(selection)[0], selection.files["series"])
    assert isinstance(data, datasets.SeriesData)
    return "\n".join([f"{selection.series.file}: {data.describe()}", *data.found.notes])

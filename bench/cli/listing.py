"""What `python -m bench list` shows: rows of one shape, as a table or as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import metrics
from bench.errors import unknown
from bench.records import repository
from bench.records.stores import Place
from bench.schema.record import Run
from bench.text import clean

Row = dict[str, Any]


def rows(what: str, folder: Place) -> tuple[list[Row], list[str]]:
    """Return the rows of a kind, and lines about files that are left out. Raises UsageError for an unknown kind."""
    kinds: dict[str, Callable[[], list[Row]]] = {"methods": methods, "tasks": tasks, "backends": backends}
    if what == "runs":
        return runs(folder)
    if what not in kinds:
        raise unknown("list", what, [*kinds, "runs"])
    return kinds[what](), []


def methods() -> list[Row]:
    """Return each method, those of packages last, its backends, and the tasks that run it unless methods are named."""
    import implementations
    from bench.execution import user_methods
    from bench.tasks import ALL
    from implementations.user_methods import packaged

    for name in packaged():
        user_methods.find(name)
    return [
        {
            "name": name,
            "backends": list(implementations.backends_of(name)),
            "tasks": [task.name for task in ALL.values() if task.runs(name) and "." not in name],
        }
        for name in implementations.METHODS
    ]


def tasks() -> list[Row]:
    """Return each task: its data, and its sizes where they are known before it is read."""
    from bench.tasks import ALL  # here, since their files are read: `list runs` does not need them

    fields = ("name", "dataset", "seed", "history", "ahead", "train", "validation", "test")
    sizes = fields[-3:]
    rows = []
    for task in ALL.values():
        row = {field: getattr(task, field) for field in fields}
        unknown_sizes = dict.fromkeys(sizes) if not task.count else {}
        rows.append(row | ({"seed": None} if task.series else {}) | unknown_sizes)  # series of a file are not drawn
    return rows


def backends() -> list[Row]:
    """Return each backend, whether it is installed, and the extra that installs it."""
    from implementations.backends import BACKENDS, extra, installed

    return [{"name": name, "installed": installed(name), "extra": extra(name)} for name in BACKENDS]


def runs(folder: Place) -> tuple[list[Row], list[str]]:
    """Return each record of the folder, and a line for each file that is no valid record."""
    found, problems = repository.look_up(folder, repository.names(folder))
    return run_rows(found.values()), problems


def run_rows(found: Iterable[Run]) -> list[Row]:
    """Return runs in short."""
    shown = [metric.name for metric in metrics.shown("list")]
    return [run_row(run, shown) for run in found]


def identity(run: Run) -> Row:
    """Return which run it is: its key, task, method, backend and seed."""
    spec = run.spec
    return {
        "key": run.key,
        "task": spec.task,
        "method": spec.method,
        "backend": spec.backend,
        "seed": spec.seed,
    }


def run_row(run: Run, shown: Sequence[str]) -> Row:
    """Return a run in short, with these metrics."""
    spec = run.spec
    return {
        **identity(run),
        "changed": ({"defaults": "native"} if spec.native else {})
        | ({"device": "cuda"} if spec.cuda else {})
        | {name: spec.settings[name] for name in spec.changed},
        "quick": spec.quick,
        "status": run.status,
        **{name: (run.metrics or {}).get(name) for name in shown},
        "total_seconds": run.seconds["total"] if run.seconds else None,
        "code": run.code[:8] if run.code else None,
        "started_at": run.started_at,
    }


def as_json(found: Sequence[Row]) -> str:
    """Return the rows as a JSON list of objects."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def as_csv(found: Sequence[Row]) -> str:
    """Return the rows as comma-separated values, under the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found[0] if found else [])
    writer.writerows([plain(value) for value in row.values()] for row in found)
    return text.getvalue().rstrip("\n")


def plain(value: Any) -> Any:
    """Return a value as a program reads it from CSV: all digits of a number, a dash nowhere."""
    return cell(value) if isinstance(value, dict | list | bool) else value


def as_table(found: Sequence[Row]) -> str:
    """Return the rows as a table in plain text; not by tabulate, with which a list of runs takes half as long again."""
    if not found:
        return ""
    lines = [list(found[0]), *([cell(value) for value in row.values()] for row in found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cell(value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, str):  # most are
        return clean(value)
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else clean(str(value))


def open_run(name: str, folder: Place, published: Sequence[Run] = ()) -> tuple[Run, str | None]:
    """Return the run in a file of that name, or with a key that begins so, or the newest of a method; and which it is.

    Those of the folder come before those that are published. Raises UsageError where there is none.
    """
    if Path(name).is_file():
        return repository.open_run(name, folder), None
    mine = list(repository.read(folder).runs)
    for found, whose in ((mine, ""), ([run for run in published if run.examples], "published ")):
        of_method = [run for run in found if run.spec.method == name.lower() and run.metrics]
        if of_method and not any(run.key.startswith(name) for run in found):
            newest = max(of_method, key=lambda run: run.started_at)
            spec = newest.spec
            which = f"{spec.task}, {spec.backend}, seed {spec.seed}, key {newest.key}"
            return newest, f"the newest {whose}run of {spec.method}: {which}"
    return repository.find([*mine, *published], name), None

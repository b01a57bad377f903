"""A method to learn from: equations, source, both networks, size, the reference's figures and ours.

The same pages lie in docs/methods, one for each file of methods: a function of the sources and of the records.
"""

from __future__ import annotations

import ast
import inspect
import statistics
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import implementations
from bench.analysis import reference
from bench.analysis.times import timing_of
from bench.errors import UsageError, unknown
from bench.records import files
from bench.reporting.columns import seconds
from bench.reporting.markdown import table
from bench.schema.record import Run
from bench.tasks.main_metric import test_error, validation_error
from bench.text import digits
from implementations import METHODS, NetworkForecaster, class_of
from implementations.forecaster import Forecaster

NETWORKS = {"keras_network": "Keras", "torch_network": "PyTorch"}
SOURCES = "../../implementations/methods"  # seen from docs/methods


def page_of(method: str) -> str:
    """Return the name of the file of methods that a method is in."""
    return class_of(method).__module__.rpartition(".")[2]


def pages() -> dict[str, list[str]]:
    """Return every file of methods with the methods in it, in order."""
    found: dict[str, list[str]] = {}
    for method in METHODS:
        if "." not in method:
            found.setdefault(page_of(method), []).append(method)
    return found


def methods_beside(method: str) -> list[str]:
    """Return the methods on the page of a method. Raises UsageError for one that does not exist."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    return pages().get(page_of(method), [method])


def page(methods: Sequence[str], runs: Iterable[Run], width: int | None = None) -> str:
    """Return the page of the methods in one file.

    Width: columns of a terminal, where networks may stand side by side.
    """
    name = page_of(methods[0])
    module = inspect.getmodule(class_of(methods[0]))
    found = [run for run in runs if run.spec.method in methods and not run.spec.quick and not run.spec.changed]
    blocks = [
        f"# {name}",
        inspect.getdoc(module) or "",
        f"Source: [{name}.py]({SOURCES}/{name}.py)." if width is None else "",
        "## Methods and settings",
        settings(methods),
        *networks(methods, width),
        "## Figures",
        figures(methods, found),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def settings(methods: Sequence[str]) -> str:
    """Return every method of the file: backends, what an output depends on, the settings with their defaults."""
    lines = []
    for method in methods:
        made = implementations.make(method, implementations.backends_of(method)[0], seed=42)
        defaults = ", ".join(f"{name}={value}" for name, value in implementations.default_settings(method).items())
        backends = ", ".join(implementations.backends_of(method))
        lines.append([f"`{method}`", backends, memory(made), strategy(made), defaults or "none"])
    return table(["method", "backends", "depends on", "forecasts", "settings"], lines, left=range(5))


def memory(made: Forecaster) -> str:
    """Return what an output depends on, in words."""
    if not isinstance(made, NetworkForecaster):
        return "the history of each series"
    if size := made.state_size():
        return f"a state of {size} {'numbers' if size > 1 else 'number'}"
    field = made.receptive_field()
    return f"the last {field} steps" if field else "all steps of the window"


def strategy(made: Forecaster) -> str:
    """Return how the method reaches several steps ahead."""
    if not isinstance(made, NetworkForecaster):
        return "any number of steps"
    if made.at_every_step:
        return "the next steps, at every step"
    return "one step, fed back" if made.strategy.block(2) == 1 else "all steps at the last one"


def networks(methods: Sequence[str], width: int | None) -> Iterator[str]:
    """Yield both networks of each class, side by side."""
    for maker in dict.fromkeys(class_of(method) for method in methods):
        if not issubclass(maker, NetworkForecaster):
            continue
        left, right = (code(maker, network) for network in NETWORKS)
        yield f"## {maker.__name__}: the networks"
        if width is None:
            yield "\n\n".join(["<table><tr><th>Keras</th><th>PyTorch</th></tr><tr><td>", fenced(left), "</td><td>",
                               fenced(right), "</td></tr></table>"])  # fmt: skip
        else:
            yield side_by_side(left, right, width)


def code(maker: type[Forecaster], network: str) -> str:
    """Return the source of a network's builder, without its signature's annotations."""
    source = textwrap.dedent(inspect.getsource(getattr(maker, network)))
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    body = source.splitlines()[tree.body[0].lineno - 1 :]
    return textwrap.dedent("\n".join(body))


def fenced(source: str) -> str:
    """Return a block of Python."""
    return f"```python\n{source}\n```"


def side_by_side(left: str, right: str, width: int) -> str:
    """Return two texts in columns where they fit the width, else one below the other."""
    pair = left.splitlines(), right.splitlines()
    columns = max(map(len, pair[0])) + 4
    if columns + max(map(len, pair[1])) > width:
        return f"Keras\n\n{left}\n\nPyTorch\n\n{right}"
    height = max(map(len, pair))
    rows = zip(["Keras", "", *pair[0], *[""] * height], ["PyTorch", "", *pair[1], *[""] * height], strict=False)
    return "\n".join(f"{one:<{columns}}{other}".rstrip() for one, other in list(rows)[: height + 2])


def figures(methods: Sequence[str], runs: Sequence[Run]) -> str:
    """Set errors, parameters and fit seconds per task and backend; means over seeds, times as the board has them."""
    rows = figure_rows(methods, runs)
    if not rows and implementations.needs_folder(methods[0]):
        return "None here: it forecasts with a model of yours ([how](../your-series.md#with-a-pretrained-model))."
    if not rows:
        return "No record of it yet: `python -m bench run` makes one."
    headers = ["task", "method", "backend", "reference", "val MSE", "test MSE", "parameters", "fit s", "timed runs"]
    explained = (
        "Last-step MSE at default settings, means over seeds. The reference's figure is on the validation part;\n"
        "the board ranks by the test part. The figures of which-generator are cross-entropies. Times are medians of\n"
        "undisturbed runs; `?`: every run was disturbed."
    )
    return f"{explained}\n\n{table(headers, list(map(_cells, rows)), left=range(3))}"


def figure_rows(methods: Sequence[str], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the figures of each method, task and backend as plain values."""
    found = []
    for method in methods:
        of_method = [run for run in runs if run.spec.method == method and run.metrics]
        for task, backend in sorted({(run.spec.task, run.spec.backend) for run in of_method}):
            chosen = [run for run in of_method if (run.spec.task, run.spec.backend) == (task, backend)]
            row = {"task": task, "method": method, "backend": backend}
            found.append(row | _figures(chosen, reference.figure(task, method)))
    return found


def _figures(runs: Sequence[Run], figure: reference.Figure | None) -> dict[str, Any]:
    """Return the figures of one method on one task in one backend."""
    val, test = (
        statistics.fmean(error(run) for run in runs if run.metrics) for error in (validation_error, test_error)
    )
    fit = timing_of(runs, "fit")
    return {
        "reference": figure.last_step_mse if figure else None,
        "val_mse": val,
        "test_mse": test,
        "parameters": runs[0].parameters,
        "fit_seconds": fit.median,
        "timed_runs": fit.undisturbed,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    """Return a row of figures as texts."""
    printed, parameters = row["reference"], row["parameters"]
    return [
        row["task"], f"`{row['method']}`", row["backend"], digits(float("nan") if printed is None else printed),
        digits(row["val_mse"]), digits(row["test_mse"]), "" if parameters is None else f"{parameters:,}",
        seconds(row["fit_seconds"], row["timed_runs"] > 0), str(row["timed_runs"]),
    ]  # fmt: skip


def write(folder: Path, runs: Sequence[Run]) -> None:
    """Write every page and their index. Raises UsageError where that cannot be."""
    for path, text in rendered(folder, runs).items():
        files.replace(path, text.encode(), into_new_folder=True)


def stale(folder: Path, runs: Sequence[Run]) -> list[Path]:
    """List pages that are missing, out of date, or of methods that are gone."""
    wanted = rendered(folder, runs)
    other = [path for path, text in wanted.items() if not path.is_file() or path.read_bytes() != text.encode()]
    return other + sorted(path for path in folder.glob("*.md") if path not in wanted)


def rendered(folder: Path, runs: Sequence[Run]) -> dict[Path, str]:
    """Return every page of the folder."""
    found = {folder / f"{name}.md": page(methods, runs) for name, methods in pages().items()}
    return {**found, folder / "README.md": index()}


def index() -> str:
    """Return the list of pages."""
    lines = [
        f"- [{name}]({name}.md): {(inspect.getdoc(inspect.getmodule(class_of(methods[0]))) or '').splitlines()[0]}"
        for name, methods in pages().items()
    ]
    made = "Made by `python -m bench pages` from sources and records; the tests check them."
    return "\n".join(["# The methods", "", made, "", *lines, ""])


def check_folder(folder: Path) -> Path:
    """Return the folder itself. Raises UsageError for a file."""
    if folder.is_file():
        raise UsageError(f"--pages {str(folder)!r}: got a file, needed a folder")
    return folder

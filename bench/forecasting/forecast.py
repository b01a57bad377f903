"""Forecast a file's series, step by step: check, read, train or load, forecast, write. Returns data, prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.campaigns import selection
from bench.contract import check
from bench.data import splits
from bench.data.series import SeriesSet, read_series
from bench.data.series_tasks import task_on
from bench.errors import UsageError, unknown
from bench.execution import user_methods
from bench.forecasting import figure, table, train
from bench.forecasting import model as models
from bench.forecasting.model import Model
from bench.forecasting.train import Training
from bench.schema.series import Preparation
from implementations import METHODS


class Choice(NamedTuple):
    """What is to be trained, as given on the command line."""

    method: str
    backend: str | None
    seed: int
    epochs: int | None
    settings: Sequence[str]
    level: float  # percent


class Outcome(NamedTuple):
    """What came of it: how the method did, the forecasts as a table, and where they were written."""

    trained: str | None  # what was trained on what, and its errors; None for a kept model
    header: list[str]
    lines: list[list[str]]
    intervals: str  # what they rest on
    output: Path
    picture: Path


def make(file: Path, how: Preparation, fit_history: bool, choice: Choice, output: Path, save: Path | None) -> Outcome:
    """Train, measure the errors, and forecast. fit_history: whether the length of the history is chosen here."""
    check_output(output, file)
    check_folder(save)
    what = resolve(how, choice)
    found = read_series(file, how)
    how = splits.with_fitting_history(found, how, test=False) if fit_history else how
    model, errors = train.train(found, how, what)
    trained = f"{how.history} steps → {how.ahead} steps, trained on {file.name} ({found.describe()})"
    if save:
        models.save(model, save)
    outcome = finish(model, found, how.ahead, output, f"{what.method}: the next {how.ahead} steps of {file.name}")
    return outcome._replace(trained=f"{what.method} ({what.backend}), {trained}\n{errors}")


def reuse(folder: Path, file: Path, steps: int | None, method: str | None, output: Path) -> Outcome:
    """Forecast with a kept model, which says how the file is read."""
    check_output(output, file)
    user_methods.register([method] if method else [])
    model = models.load(folder)
    how = model.kept.preparation
    found = read_series(file, how)
    steps = how.ahead if steps is None else steps
    if steps < 1:
        raise UsageError(f"--ahead {steps}: at least 1 is needed")
    return finish(model, found, steps, output, f"{model.forecaster.name}: the next {steps} steps of {file.name}")


def finish(model: Model, found: SeriesSet, steps: int, output: Path, title: str) -> Outcome:
    """Forecast, write the table, draw it."""
    made = train.ahead(model, found, steps)
    header, lines = table.rows(found, model.kept.preparation, made)
    table.write_csv(output, header, lines)
    picture = output.with_suffix(".png")
    figure.draw(picture, found, made, model.kept.level, title)
    said = f"{model.kept.level:g} % intervals from the errors of {model.kept.windows} validation windows"
    return Outcome(None, header, lines, said, output, picture)


def resolve(how: Preparation, choice: Choice) -> Training:
    """The method, its backend and every setting. Raises UsageError, naming what is allowed, for what does not exist."""
    names, registered = user_methods.register([choice.method])
    name = names[0]
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    selection.check_epochs(choice.epochs)
    changes = selection.parse_settings(choice.settings)
    for other in changes.keys() - {name}:
        raise UsageError(f"--set {other}.{next(iter(changes[other]))}: the method is {name}")
    if not 0 < choice.level < 100:
        raise UsageError(f"--level {choice.level:g}: more than 0 and less than 100 percent are needed")
    settings = selection.resolve(selection.defaults_of(name, task_on(how, "")), choice.epochs, changes.get(name, {}))
    source = choice.method if name in registered.sources else None
    return Training(name, check.choose(name, choice.backend), choice.seed, settings, source, choice.level)


def check_output(output: Path, file: Path) -> None:
    """Raise UsageError unless a CSV can be written there, and is not the one that is read."""
    if output.suffix.lower() != ".csv":
        raise UsageError(f"--output {str(output)!r}: a name that ends in .csv is needed")
    if output.resolve() == file.resolve():
        raise UsageError(f"--output {str(output)!r}: this is the file of the series")
    if not output.parent.is_dir():
        raise UsageError(f"--output {str(output)!r}: there is no folder {str(output.parent)!r}")


def check_folder(folder: Path | None) -> None:
    """Raise UsageError where a model would be mixed with other files."""
    if folder is not None and (folder.is_file() or (folder.is_dir() and any(folder.iterdir()))):
        raise UsageError(f"--save {str(folder)!r}: a folder that is new or empty is needed")

"""Forecast a file's series, step by step: check, read, train or load, forecast, write. Returns data, prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.campaigns import settings as asked
from bench.campaigns.request import LARGEST_SEED
from bench.campaigns.selection import check_epochs
from bench.contract import check
from bench.data import splits
from bench.data.preparations import notes_of
from bench.data.series import SeriesSet, read_series
from bench.data.series_tasks import task_on
from bench.errors import UsageError, unknown
from bench.execution import user_methods
from bench.forecasting import figure, table, train
from bench.forecasting import model as models
from bench.forecasting.ahead import ahead
from bench.forecasting.model import Model
from bench.forecasting.predictor import Training
from bench.schema.series import Preparation
from bench.tasks import REFERENCES
from implementations import METHODS, class_of
from implementations.statistical import RowForecaster


class Choice(NamedTuple):
    """What is to be trained, as given on the command line."""

    method: str
    backend: str | None
    seed: int
    epochs: int | None
    settings: Sequence[str]
    levels: Sequence[float]  # percent
    non_negative: bool


class Outcome(NamedTuple):
    """What came of it: how the method did, the forecasts as a table, and where they were written."""

    trained: str | None  # what was trained on what; None for a kept model
    errors: train.Errors | None
    header: list[str]
    lines: list[list[str]]
    bounds: int  # columns of numbers
    intervals: str  # what they rest on
    warnings: tuple[str, ...]
    output: Path
    picture: Path
    notes: tuple[str, ...] = ()  # what was left out or decided when the file was read


def make(file: Path, how: Preparation, fit_history: bool, choice: Choice, output: Path, save: Path | None) -> Outcome:
    """Train, measure the errors, and forecast. fit_history: whether the length of the history is chosen here."""
    check_output(output, file)
    check_folder(save)
    what = resolve(how, choice)
    found = read_series(file, how)
    if how.drop_short:
        found = splits.long_enough(found, splits.with_fitting_history(found, how) if fit_history else how)
    rows = issubclass(class_of(what.method), RowForecaster)
    how = train.with_fitting_history(found, how, choice.levels) if fit_history and not rows else how
    with user_methods.contained():
        model, errors = train.train(found, how, what, choice.levels)
    history = "all that is known" if rows else f"{how.history} steps"
    trained = f"{history} → {how.ahead} steps, fitted to all of {file.name} ({found.describe()})"
    if save:
        models.save(model, save)
    title = f"{what.method}: the next {how.ahead} steps of {file.name}"
    outcome = finish(model, found, how.ahead, output, title, choice.non_negative)
    return outcome._replace(
        trained=f"{what.method} ({what.backend}), {trained}", errors=errors, notes=tuple(notes_of(found, how))
    )


def reuse(
    folder: Path, file: Path, steps: int | None, method: str | None, output: Path, non_negative: bool = False
) -> Outcome:
    """Forecast with a kept model, which says how the file is read; new rows and new series go on from it."""
    check_output(output, file)
    named, _ = user_methods.register([method] if method else [], here=True)
    model = models.load(folder)
    if named and named[0] != (kept := model.predictor.forecaster.name):
        raise UsageError(f"--method {method}: the kept model is {kept}")
    how = model.kept.preparation
    found = read_series(file, how)
    steps = how.ahead if steps is None else steps
    if steps < 1:
        raise UsageError(f"--ahead {steps}: needed 1 or more")
    title = f"{model.predictor.forecaster.name}: the next {steps} steps of {file.name}"
    return finish(model, found, steps, output, title, non_negative)._replace(notes=found.notes)


def finish(model: Model, found: SeriesSet, steps: int, output: Path, title: str, non_negative: bool) -> Outcome:
    """Forecast, write the table, draw it."""
    with user_methods.contained():
        made, warnings = ahead(model, found, steps, non_negative)
    how = model.kept.preparation
    header, lines = table.rows(found, how, made)
    table.write_csv(output, header, lines)
    picture = output.with_suffix(".png")
    figure.draw(picture, found, made, title)
    header, lines = table.rows(found, how, made, shown=True)
    bounds = 1 + 2 * len(made.levels)
    return Outcome(None, None, header, lines, bounds, rest_on(model, made.levels), warnings, output, picture)


def rest_on(model: Model, given: Sequence[float]) -> str:
    """Return what the intervals rest on, and where the errors cannot tell the level that was asked for."""
    calibration, asked = model.kept.calibration, model.kept.asked
    missing = [level for level in asked if level not in given]
    said = f"{percent(given)} intervals" if given else "no intervals"
    if calibration.own:
        checked = f"times {calibration.pooled:.2f} by the errors at {calibration.origins} rolling origins"
        return f"{said} of the method's own, " + (checked if calibration.origins else "not checked: too few steps")
    said += f" from the errors at {calibration.origins} rolling origins"
    if not missing:
        return said
    errors = f"{calibration.independent:.1f} errors that do not overlap"
    most = f"they can tell {calibration.largest:.0f} % at most" if calibration.largest >= 1 else "they can tell none"
    return f"{said}, not {percent(missing)}: of {errors}, {most}; a longer series or a smaller --ahead gives more"


def percent(levels: Sequence[float]) -> str:
    """Return levels in words."""
    return " and ".join(f"{level:g} %" for level in levels)


def resolve(how: Preparation, choice: Choice) -> Training:
    """Return the method, its backend and every setting.

    Raises UsageError, naming what is allowed, for what does not exist.
    """
    names, registered = user_methods.register([choice.method], here=True)
    name = names[0]
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    if name in REFERENCES:
        raise UsageError(f"--method {choice.method}: it knows the formula of the benchmark's own series, which "
                         f"{how.file} does not follow: choose another method")  # fmt: skip
    check_epochs(choice.epochs)
    if not 0 <= choice.seed <= LARGEST_SEED:
        raise UsageError(f"--seed {choice.seed}: needed a whole number in 0..{LARGEST_SEED}")
    changes = asked.parse_settings(choice.settings)
    for other in changes.keys() - {name}:
        raise UsageError(f"--set {other}.{next(iter(changes[other]))}: the method is {name}")
    for level in choice.levels:
        if not 0 < level < 100:
            raise UsageError(f"--level {level:g}: needed a percentage above 0 and below 100")
    settings = asked.resolve(asked.defaults_of(name, task_on(how, "")), choice.epochs, changes.get(name, {}))
    settings = asked.identified(name, settings)
    source = choice.method if name in registered.sources else None
    return Training(name, check.choose(name, choice.backend), choice.seed, settings, source)


def check_output(output: Path, file: Path) -> None:
    """Raise UsageError unless a CSV can be written there, and is not the one that is read."""
    if output.suffix.lower() != ".csv":
        raise UsageError(f"--output {str(output)!r}: needed a name that ends in .csv")
    if output.resolve() == file.resolve():
        raise UsageError(f"--output {str(output)!r}: this is the file of the series")
    if not output.parent.is_dir():
        raise UsageError(f"--output {str(output)!r}: no folder {str(output.parent)!r}")


def check_folder(folder: Path | None) -> None:
    """Raise UsageError where a model would be mixed with other files."""
    if folder is not None and (folder.is_file() or (folder.is_dir() and any(folder.iterdir()))):
        raise UsageError(f"--save {str(folder)!r}: needed a new or empty folder")

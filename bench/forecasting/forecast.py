"""What `python -m bench forecast` does, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.campaigns import selection
from bench.contract import check
from bench.data import prepare
from bench.data.series import SeriesSet, read_series
from bench.errors import UsageError, unknown
from bench.execution import user_methods
from bench.forecasting import model as forecast
from bench.forecasting.model import Model, Training
from bench.reporting.markdown import clean
from bench.schema.series import Preparation
from bench.tasks import task_on
from implementations import METHODS


class Choice(NamedTuple):
    """What is to be trained, as given on the command line."""

    method: str
    backend: str | None
    seed: int
    epochs: int | None
    settings: Sequence[str]
    level: float  # percent


def make(file: Path, how: Preparation, fit_history: bool, choice: Choice, output: Path, save: Path | None) -> int:
    """Train, say how good it is, and forecast. fit_history: whether it is for us to choose how long the history is."""
    check_output(output, file)
    check_folder(save)
    what = resolve(how, choice)
    found = read_series(file, how)
    how = prepare.with_fitting_history(found, how, test=False) if fit_history else how
    model, errors = forecast.train(found, how, what)
    trained = f"{how.history} steps → {how.ahead} steps, trained on {file.name} ({found.describe()})"
    print(f"{what.method} ({what.backend}), {clean(trained, longest=400)}\n{errors}\n")
    if save:
        forecast.save(model, save)
    return finish(model, found, how.ahead, output, f"{what.method}: the next {how.ahead} steps of {file.name}")


def reuse(folder: Path, file: Path, steps: int | None, method: str | None, output: Path) -> int:
    """Forecast with a kept model, which says how the file is read."""
    check_output(output, file)
    user_methods.register([method] if method else [])
    model = forecast.load(folder)
    how = model.kept.preparation
    found = read_series(file, how)
    steps = how.ahead if steps is None else steps
    if steps < 1:
        raise UsageError(f"--ahead {steps}: at least 1 is needed")
    return finish(model, found, steps, output, f"{model.forecaster.name}: the next {steps} steps of {file.name}")


def finish(model: Model, found: SeriesSet, steps: int, output: Path, title: str) -> int:
    """Print the forecast, write it, draw it."""
    from bench.forecasting import figure

    made = forecast.ahead(model, found, steps)
    header, lines = forecast.rows(found, model.kept.preparation, made)
    print("\n".join(forecast.printed(header, lines)))
    print(f"\n{model.kept.level:g} % intervals from the errors of {model.kept.windows} validation windows")
    forecast.write_csv(output, header, lines)
    picture = output.with_suffix(".png")
    figure.draw(picture, found, made, model.kept.level, title)
    print(f"{output}\n{picture}")
    return 0


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

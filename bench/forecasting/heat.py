"""One method's part in a race, in a separate process: `python -m bench.forecasting.heat FOLDER`.

The folder holds the instructions; all heats share one file of series. The process starts to watch the harness before it
imports anything heavy.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import msgspec
import numpy as np

from bench.data.series import Series
from bench.errors import UsageError
from bench.execution.orders import one_line
from bench.forecasting.evaluate import Evaluation, Plan, evaluate
from bench.forecasting.predictor import Training
from bench.machine.system.keeper import end_with_input
from bench.schema.series import Preparation


class Order(msgspec.Struct, frozen=True):
    """What to do."""

    training: Training
    preparation: Preparation
    plan: Plan
    data: str  # the path of the series


class Answer(msgspec.Struct, frozen=True):
    """What came of it: an evaluation, or why there is none."""

    evaluation: Evaluation | None
    reason: str | None


def write_series(path: Path, series: list[Series]) -> None:
    """Write series for all heats, read and cut once."""
    arrays = {f"values{number}": one.values for number, one in enumerate(series)}
    arrays |= {f"imputed{number}": one.imputed for number, one in enumerate(series)}
    np.savez(path, names=np.array([one.name for one in series]), **arrays)  # type: ignore[arg-type]


def read_series(path: Path) -> list[Series]:
    """Return the inverse."""
    with np.load(path) as found:
        return [
            Series(str(name), found[f"values{number}"], found[f"imputed{number}"], 0)
            for number, name in enumerate(found["names"])
        ]


def answer(order: Order) -> Answer:
    """Do what the order says."""
    from bench.execution import user_methods

    if order.training.source:
        user_methods.load(order.training.source)
    try:
        found = evaluate(read_series(Path(order.data)), order.preparation, order.training, order.plan)
    except UsageError as error:
        return Answer(None, one_line(str(error)))
    return Answer(found, None)


def end_with_the_race() -> None:
    """Wait until the race is gone, however it went, and go too: its end of standard input closes with it."""
    end_with_input(sys.stdin.fileno())


def main() -> None:
    """Do the order in the folder named on the command line."""
    threading.Thread(target=end_with_the_race, daemon=True).start()
    folder = Path(sys.argv[1])
    order = msgspec.json.decode((folder / "order.json").read_bytes(), type=Order)
    (folder / "answer.json").write_bytes(msgspec.json.encode(answer(order)))


if __name__ == "__main__":
    main()

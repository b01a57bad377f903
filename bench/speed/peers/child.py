"""A contestant's process: `python -m bench.speed.peers.child NAME` trains what each line of its input asks for.

It stays alive from round to round, so that imports are paid once, and answers a line for a line. Nothing of the product
but its data is imported here: the peers' environment has little else.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from bench.data import generators, windows
from bench.tasks import TASKS

TASK = TASKS["ten-step"]
#: which file has a contestant's `train`
MODULES = {
    "reference": "reference",
    "keras": "ours",
    "keras-jax": "ours",
    "torch": "ours",
    "torch own": "ours",
    "torch library": "ours",
    "plain torch": "plain_torch",
    "stock keras": "reference",
    "stock keras-jax": "reference",
    "darts": "darts",
    "neuralforecast": "neuralforecast",
}


#: how many series, the shortest and the longest: ETTh1's channels, M4's weekly series, and as many as its daily ones
TABLES = {
    "7 of 17,420 steps": (7, 17_420, 17_420),
    "359 of 80 to 2,597 steps": (359, 80, 2_597),
    "4,227 of 80 to 2,597 steps": (4_227, 80, 2_597),
}


@dataclass(frozen=True)
class Ask:
    """What to train: a network on the first so many training series, for so many epochs."""

    contestant: str
    network: str  # rnn, lstm, gru, wavenet or linear; rnn-last and so on: forecast from the last state alone
    series: int
    epochs: int
    validated: bool = False  # with the validation series watched after every epoch, as the reference does

    history: int = TASK.history
    ahead: int = TASK.ahead
    units: int = 20  # of recurrent layers
    batch: int = 32
    table: str = ""  # of TABLES: windows drawn from long series, instead of the task's own

    @property
    def layer(self) -> str:
        """The network without where it forecasts: rnn of rnn-last."""
        return self.network.removesuffix("-last")

    @property
    def from_last_state(self) -> bool:
        """Whether ours, too, is to forecast from the last state alone; the peers always do."""
        return self.network != self.layer

    def data(self) -> tuple[windows.Windows, windows.Windows | None]:
        """Return history [N, T, 1] and future [N, H, 1] to train on, and those to validate on, if asked for."""
        if self.table:
            return drawn(self), None
        task = replace(TASK, history=self.history, ahead=self.ahead)
        split = windows.cut(generators.load(task), task)
        train = windows.Windows(*(part[: self.series] for part in split.train))
        return train, split.validation if self.validated else None


@cache
def long_series(table: str) -> list[np.ndarray]:
    """Return the table's series, random walks [L, 1] of lengths between its two bounds."""
    count, shortest, longest = TABLES[table]
    random = np.random.default_rng(0)
    lengths = np.linspace(shortest, longest, count).astype(int)
    return [np.cumsum(random.standard_normal((length, 1)), axis=0).astype(np.float32) for length in lengths]


def all_series(ask: Ask) -> list[np.ndarray]:
    """Return the series that the peers cut windows from, [L, 1] each: the table's, or a window's history and future."""
    return long_series(ask.table) if ask.table else list(np.concatenate(ask.data()[0], axis=1))


def drawn(ask: Ask) -> windows.Windows:
    """Return as many windows as ask for, drawn from all of the table."""
    series, length = long_series(ask.table), ask.history + ask.ahead
    first = np.cumsum([0, *(len(values) - length + 1 for values in series)])
    places = np.random.default_rng(42).choice(first[-1], ask.series, replace=False)
    which = np.searchsorted(first, places, side="right") - 1
    found = windows.views(series, which, places - first[which], length)
    return windows.Windows(found[:, : ask.history], found[:, ask.history :])


def answer(ask: Ask) -> dict[str, Any]:
    """Return seconds of each epoch, of the whole from network to trained network, of the CPU, and the peak in MB."""
    train = importlib.import_module(f".{MODULES[ask.contestant]}", __package__).train
    _ = long_series(ask.table) if ask.table else ask.data()
    wall, cpu = time.perf_counter(), time.process_time()
    epochs = train(ask)
    seconds = {"whole": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return {"epochs": epochs, **seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Answer until there are no more lines; what a framework prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        print(json.dumps(answer(Ask(**json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    main()

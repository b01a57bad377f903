"""A contestant's process: `python -m bench.speed.peers.child NAME` trains what each line of its input asks for.

It stays alive from round to round, so that imports are paid once, and answers a line for a line. Nothing of the product
but its data is imported here: the peers' environment has little else.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.data import generators, windows
from bench.tasks import TASKS

TASK = TASKS["ten-step"]
#: which file has a contestant's `train`
MODULES = {
    "reference": "reference",
    "keras": "ours",
    "keras-jax": "ours",
    "torch": "ours",
    "darts": "darts",
    "neuralforecast": "neuralforecast",
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
        split = windows.cut(generators.load(TASK), TASK)
        train = windows.Windows(*(part[: self.series] for part in split.train))
        return train, split.validation if self.validated else None


def answer(ask: Ask) -> dict[str, Any]:
    """Return seconds of each epoch, of the whole from network to trained network, and of the CPU for the whole."""
    train = importlib.import_module(f".{MODULES[ask.contestant]}", __package__).train
    ask.data()
    wall, cpu = time.perf_counter(), time.process_time()
    epochs = train(ask)
    return {"epochs": epochs, "whole": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main() -> None:
    """Answer until there are no more lines; what a framework prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        print(json.dumps(answer(Ask(**json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    main()

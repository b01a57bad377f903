"""Activations and starts of simple recurrent networks: `python -m bench.forecasting.studies.activations`.

Three claims of the reference, section "activation": at a random start sigmoid does better than ReLU; ReLU with
recurrent weights that start as the identity does better than both where the network is shallow and the series short; it
does worse where they are deep and long. Trained and scored on series split off from the training part of ten-step.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import numpy as np

from bench.data import datasets
from bench.reporting.markdown import table
from bench.tasks import SEARCHES
from bench.text import digits
from implementations import make

RATE, EPOCHS = 0.003, 20
STARTS: dict[str, dict[str, Any]] = {
    "tanh": {},
    "sigmoid": {"activation": "sigmoid"},
    "ReLU": {"activation": "relu"},
    "ReLU, identity": {"activation": "relu", "identity": True},
}


class Size(NamedTuple):
    """How deep a network is, and how many of the last history steps it sees."""

    layers: int
    steps: int

    def __str__(self) -> str:
        return f"{self.layers} layer{'s' if self.layers > 1 else ''}, {self.steps} steps"


SIZES = (Size(1, 10), Size(4, 50))


def error(start: str, size: Size, seed: int, series: int, backend: str) -> float:
    """Return the last-step MSE on the series split off; infinite where training leaves the finite numbers."""
    split = datasets.open_data(SEARCHES["ten-step-search"], {}).split
    history, future = (part[:series] for part in split.train)
    settings = {"epochs": EPOCHS, "learning_rate": RATE, "layers": size.layers, **STARTS[start]}
    made = make("rnn_sequence", backend, seed, **settings)
    try:
        made.fit(history[:, -size.steps :].copy(), future)
    except FloatingPointError:
        return float("inf")
    known, truth = split.validation
    return float(np.square(made.predict_ahead(known, truth.shape[1]) - truth).mean())


def main() -> None:
    """Train each network with each seed, and print a table of geometric means and ranges."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=2000, help="training series (default 2000)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds, from 42 (default 2)")
    parser.add_argument("--backend", default="torch", help="default torch")
    given = parser.parse_args()
    lines = []
    for start in STARTS:
        cells = [start]
        for size in SIZES:
            found = [error(start, size, 42 + seed, given.series, given.backend) for seed in range(given.seeds)]
            mean = float(np.exp(np.mean(np.log(found))))
            cells.append(f"{digits(mean)} ({digits(min(found))} to {digits(max(found))})")
        lines.append(cells)
    print(table(["activation", *map(str, SIZES)], lines, left=[0]))


if __name__ == "__main__":
    main()

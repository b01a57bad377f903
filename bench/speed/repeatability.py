"""How far the fit times of equal runs are apart (A/A): seconds on the wall, and CPU seconds at a steady pace.

`python -m bench.speed.repeatability METHOD BACKEND` fits once, in its own process, and prints both as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np

from bench.analysis.repeatability import AIM, RANGE
from bench.reporting import markdown
from bench.text import decimals

from . import child_process
from .clock import SteadyClock

METHODS = ("rnn_sequence", "lstm", "gru", "wavenet_simple", "mlp")
BACKENDS = ("keras", "keras-jax", "torch")


def table(rounds: int) -> str:
    """Fit each method twice in a row, so many times: the ratios of the second to the first, and how many are near 1."""
    rows, every = [], []
    for method in METHODS:
        for backend in BACKENDS:
            pairs = [(fitted(method, backend), fitted(method, backend)) for _ in range(rounds)]
            ratios = np.array([[second / first for first, second in zip(*pair, strict=True)] for pair in pairs])
            seconds = statistics.median(steady for pair in pairs for steady, _ in pair)
            rows.append([method, backend, f"{seconds:.1f} s", *(f"{one:.3f}" for one in np.median(ratios, axis=0))])
            every.append(ratios)
    headers = ["method", "backend", "fit", "second / first, steady pace", "second / first, wall"]
    return f"{markdown.table(headers, rows, left=[0, 1])}\n\n{summary(np.concatenate(every))}"


def summary(ratios: np.ndarray) -> str:
    """Say for ratios [N, 2], at a steady pace and on the wall, how far they are from 1."""
    lines = []
    for name, values in zip(("At a steady pace", "On the wall"), ratios.T, strict=True):
        low, high = np.quantile(values, RANGE)
        near = int((np.abs(values - 1) <= AIM).sum())
        lines.append(f"{name}: {near} of {len(values)} pairs are within {decimals(100 * AIM, 0)} %, 95 % of the ratios "
                     f"lie between {low:.3f} and {high:.3f}.")  # fmt: skip
    return "\n".join(lines)


def fitted(method: str, backend: str) -> tuple[float, float]:
    """Return CPU seconds at a steady pace, and seconds on the wall, of one fit in a fresh process."""
    steady, wall = child_process.answer(__name__, method, backend)
    return float(steady), float(wall)


def main(method: str, backend: str) -> None:
    """Fit the method on the ten-step task at its defaults, and print how long it took."""
    import implementations
    from bench.data import generators, windows
    from bench.tasks import TASKS
    from implementations import backends

    task = TASKS["ten-step"]
    engine, split = backends.load(backend, threads=1), windows.cut(generators.load(task), task)
    engine.seed(42)
    forecaster = implementations.make(method, backend, 42)
    clock = SteadyClock()
    clock()
    began = time.perf_counter()
    forecaster.fit(*split.train, validation=split.validation)
    wall = time.perf_counter() - began
    print(json.dumps([clock(), wall]))


if __name__ == "__main__":
    main(*sys.argv[1:])

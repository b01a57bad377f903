"""How far a training step is from its matrix products alone, at the rate at which one core makes large ones.

`python -m bench.speed.roofline BACKEND` prints that rate, and the work of a step, as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.reporting import markdown
from bench.tasks import TASKS
from bench.text import digits
from implementations import backends

from . import child_process
from .peers import tables
from .peers.ours import METHODS

TASK = TASKS["ten-step"]
SIZE, REPEATS = 1024, 21  # of the square matrices that the rate is measured with, and how often


def table(rounds: int) -> str:
    """Return one row per network: its work, and for each backend milliseconds per step, the limit, and their ratio."""
    found = {backend: child_process.answer("bench.speed.roofline", backend) for backend in tables.OURS}
    steps = tables.milliseconds(tables.OURS, rounds, tables.AS_THE_NOTES)
    headers = ["network", "million operations"]
    headers += [f"{backend}, {one['rate'] / 1e9:.0f} GFLOP/s" for backend, one in found.items()]
    rows = []
    for network in METHODS:
        work = found[tables.OURS[0]]["work"][network]
        cells = [
            against_limit(statistics.median(steps[network][backend]), 1000 * work / one["rate"])
            for backend, one in found.items()
        ]
        rows.append([network, digits(work / 1e6, 3), *cells])
    return markdown.table(headers, rows, left=[0])


def against_limit(milliseconds: float, limit: float) -> str:
    """Return format a step's time, its limit and their ratio."""
    return f"{digits(milliseconds, 3)} / {digits(limit, 3)} = **{milliseconds / limit:.1f}**"


def main(backend: str) -> None:
    """Measure one backend."""
    backends.load(backend)
    print(json.dumps({"rate": rate(product_of(backend)), "work": {name: work(name, backend) for name in METHODS}}))


def product_of(backend: str) -> Callable[[], Any]:
    """Multiplies two square matrices once, as the programs of this backend do."""
    matrix = np.random.default_rng(42).random((SIZE, SIZE), dtype=np.float32)
    if backend == "torch":
        import torch

        tensor = torch.from_numpy(matrix)
        return lambda: tensor @ tensor
    import keras
    from keras import ops

    from implementations.backends.keras.framework import framework

    network = keras.Sequential([keras.Input((1,))])
    multiply = framework.compiled(network, ops.matmul)
    return lambda: ops.convert_to_numpy(multiply(matrix, matrix))


def rate(multiply: Callable[[], Any]) -> float:
    """Return operations per second, additions and multiplications each counted."""
    multiply()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        multiply()
        seconds.append(time.perf_counter() - began)
    return 2 * SIZE**3 / statistics.median(seconds)


def work(network: str, backend: str) -> int:
    """Return operations in the matrix products of a training step.

    Each weight takes part three times for each series and step: in the output, in its own gradient, and in the
    gradient of the layer's inputs, which the first matrix has no need of.
    """
    from .networks import built

    forecaster = built(METHODS[network], backend)
    first, *others = [weight.size for weight in forecaster.weights() if weight.ndim > 1]
    uses = tables.BATCH * (TASK.history if forecaster.strategy.every_step else 1)
    return int(2 * uses * (2 * first + 3 * sum(others)))


if __name__ == "__main__":
    main(sys.argv[1])

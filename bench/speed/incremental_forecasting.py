"""Forecasting far ahead: a carried state against reading the window again for each block, by the same network.

`python -m bench.speed.incremental_forecasting BACKEND ROUNDS` measures one backend and prints what it found as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.data import generators, windows
from bench.reporting import markdown
from bench.tasks import TASKS
from bench.text import NOTHING, digits

from . import child_process

TASK = TASKS["ten-step"]
BACKENDS = ("keras", "keras-jax", "torch")
METHODS = ("deep_rnn_growing", "wavenet_simple", "wavenet")
STEPS = (10, 200)  # ahead, both ways
FAR = 1000  # ahead, with a carried state alone
HEADERS = [
    "method", "backend", *(f"{steps} steps: {how}" for steps in STEPS for how in ("carried", "re-read", "ratio")),
    f"{FAR:,} steps", f"over {STEPS[-1]}", "largest difference",
]  # fmt: skip

TURN = 0.25  # seconds a way has in each round, unless one forecast takes longer

NOT_READ = [NOTHING] * 2  # re-read, and its ratio
Way = tuple[str, int]  # carried or again, steps ahead
Found = dict[str, Any]


def table(rounds: int) -> str:
    """Return one row per method and backend."""
    module = "bench.speed.incremental_forecasting"
    found = [one for backend in BACKENDS for one in child_process.answer(module, backend, rounds)]
    return markdown.table(HEADERS, [row(one) for one in found], left=[0, 1])


def row(found: Found) -> list[str]:
    """Return a method's cells."""
    carried, again = found["carried"], found["again"]
    cells = []
    for steps in map(str, STEPS):
        reread = [seconds(again[steps]), f"**{again[steps] / carried[steps]:.1f}**"] if steps in again else NOT_READ
        cells += [seconds(carried[steps]), *reread]
    far, near = carried[str(FAR)], carried[str(STEPS[-1])]
    return [found["method"], found["backend"], *cells, seconds(far), f"{far / near:.1f}", f"{found['difference']:.0e}"]


def seconds(value: float) -> str:
    """Return seconds with three digits."""
    return f"{digits(value, 3)} s"


def main(backend: str, rounds: int) -> None:
    """Measure each method on one backend, trained for an epoch: forecasts of all validation series."""
    from implementations import make

    split = windows.cut(generators.load(TASK), TASK)
    found = []
    for method in METHODS:
        forecaster = make(method, backend, seed=42, epochs=1).fit(*split.train)
        found.append({"method": method, "backend": backend, **both_ways(forecaster, split.validation.history, rounds)})
    print(json.dumps(found))


def both_ways(forecaster: Any, history: np.ndarray, rounds: int) -> Found:
    """Return median seconds by steps ahead, `carried` and `again`, and the largest `difference` between them.

    Where one block covers the steps, nothing is fed back and there is nothing to compare.
    """
    from implementations.strategies import roll_out

    def carried(steps: int) -> np.ndarray:
        forecasts: np.ndarray = forecaster.predict_ahead(history, steps)
        return forecasts

    def again(steps: int) -> np.ndarray:
        return roll_out(forecaster._forecast_block, history, steps, forecaster.strategy.growing)

    block = forecaster.strategy.block(forecaster.horizon)
    ways: dict[Way, Callable[[int], np.ndarray]] = {("carried", steps): carried for steps in (*STEPS, FAR)}
    ways |= {("again", steps): again for steps in STEPS if steps > block}
    forecasts, medians = taking_turns(ways, rounds)
    found: Found = {way: {steps: medians[way, steps] for one, steps in ways if one == way} for way, _ in ways}
    return {**found, "difference": difference(forecaster, history, forecasts["carried", STEPS[-1]])}


def difference(forecaster: Any, history: np.ndarray, carried: np.ndarray) -> float:
    """Return how far a carried forecast [N, steps, D] is at most from what reading again all that it follows makes of
    it.

    Block by block along the carried forecasts: fed back to itself, either way's rounding would grow with each block.
    """
    block = forecaster.strategy.block(forecaster.horizon)
    series = np.concatenate([history, carried], axis=1)
    apart = []
    for start in range(0, carried.shape[1], block):
        end = history.shape[1] + start
        read = series[:, :end] if forecaster.strategy.growing else series[:, end - history.shape[1] : end]
        apart.append(np.abs(forecaster._forecast_block(read) - carried[:, start : start + block]).max())
    return float(max(apart))


def taking_turns(
    ways: dict[Way, Callable[[int], np.ndarray]], rounds: int
) -> tuple[dict[Way, np.ndarray], dict[Way, float]]:
    """Return the forecasts, and the median seconds of making them again: each length of a window is compiled first.

    A way forecasts over and over until its turn is over: the first of them finds in the caches what the way before it
    left there, which made ten steps up to twice as slow after the 200 programs that re-read 200.
    """
    forecasts = {(way, steps): forecast(steps) for (way, steps), forecast in ways.items()}
    samples: dict[Way, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for (way, steps), forecast in ways.items():
            turn = time.perf_counter()
            while (began := time.perf_counter()) < turn + TURN:
                forecast(steps)
                samples[way, steps].append(time.perf_counter() - began)
    return forecasts, {name: statistics.median(values) for name, values in samples.items()}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

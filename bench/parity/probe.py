"""One engine under the microscope: python -m bench.parity.probe BACKEND FOLDER METHOD ...

Writes FOLDER/METHOD.BACKEND.npz for each method. Every engine gets the same: weights moved by the same random numbers
from where they start, so that no bias is zero and no gate like another; the same windows; the same batches. Dropout has
rate zero: frameworks draw other masks. What is random about it is tested in each by itself (tests/frameworks).
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.parity.weights import Arrays, Keras, Torch

HISTORY, HORIZON, CHANNELS = 12, 10, 2  # steps enough for every lag of every layer, the longest is 8
SERIES, STEPS = 8, 10  # in a batch, and batches
SEED = 42
MOVED = 0.1  # how far, at most, a weight is moved from where it starts
SGD = {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": SERIES}
#: so long that the weights before it are lost in rounding, and their change is the gradient
ONE_LONG_STEP = {**SGD, "learning_rate": 2.0**16, "clip_norm": None, "clip_value": None}

Found = dict[str, np.ndarray]


def main(arguments: Sequence[str]) -> None:
    """Probe the methods on the backend; one that fails leaves its last words."""
    backend, folder, *methods = arguments
    with tempfile.TemporaryDirectory() as programs:
        prepare(backend, programs)
        for method in methods:
            try:
                found = probe(method, backend)
            except Exception as error:
                traceback.print_exc()
                found = {"error": np.array(f"{type(error).__name__}: {error}")}
            np.savez(Path(folder) / f"{method}.{backend}.npz", **found)  # type: ignore[arg-type]


def prepare(backend: str, programs: str) -> None:
    """Import the backend's framework, set to compile fast: its programs run for milliseconds."""
    from bench.contract.conformance import compile_quickly
    from implementations import backends

    compile_quickly(programs)
    backends.load(backend)
    if backend == "keras":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)  # compiling eleven steps takes longer than taking them


def probe(method: str, backend: str) -> Found:
    """Return all arrays of a method, named what/layer or, for weights, what/layer/number.

    start: the weights before anything; float32, float64: what each layer makes of the one before; loss,
    gradient: of the first batch; steps: the weights after ten batches; layers: their names.
    """
    batch = windows()[0][:SERIES]
    forecaster, chain = build(method, backend)
    start = chain.weights()
    moved = move(start)
    chain.put(moved)
    found = {"layers": np.array([type(layer).__name__ for layer in chain.layers]), **by_layer("start", start)}
    found |= by_layer("float32", chain.outputs(batch))
    after_one, loss = train(ONE_LONG_STEP, 1, forecaster, chain, moved)
    pairs = (zip(*pair, strict=True) for pair in zip(moved, after_one, strict=True))
    found |= by_layer("gradient", [[(a - b) / ONE_LONG_STEP["learning_rate"] for a, b in pair] for pair in pairs])
    after_ten, _ = train(SGD, STEPS, forecaster, chain, moved)
    found |= by_layer("steps", after_ten)
    with doubled(backend):
        _, chain = build(method, backend)
        chain.put(moved)
        found |= by_layer("float64", chain.outputs(batch.astype(np.float64)))
    return {**found, "loss": np.array(loss)}


def train(
    settings: dict[str, Any], batches: int, forecaster: Any, chain: Keras | Torch, start: list[Arrays]
) -> tuple[list[Arrays], float]:
    """Return the weights after a step for each of the first batches, by the benchmark's own training loop.

    The mean loss.
    """
    from implementations import backends

    history, future = windows()
    chain.put(start)
    settled = named(forecaster.name, forecaster.backend, {**forecaster.off, **settings})
    targets = forecaster.strategy.targets(history, future)
    trainer = backends.load(forecaster.backend).Trainer(forecaster.network, settled, history, targets)
    losses = [trainer.epoch(SERIES * batch + np.arange(SERIES)) for batch in range(batches)]
    trainer.finish()
    return chain.weights(), float(np.mean(losses))


def windows() -> tuple[np.ndarray, np.ndarray]:
    """Return history [80, 12, 2] and future [80, 10, 2]: the benchmark's own series, two at a time."""
    from bench.data.generators import generate_time_series

    random, count = np.random.RandomState(SEED), SERIES * STEPS
    series = np.concatenate([generate_time_series(count, HISTORY + HORIZON, random) for _ in range(CHANNELS)], axis=2)
    return series[:, :HISTORY].copy(), series[:, HISTORY:].copy()


def named(method: str, backend: str, settings: dict[str, Any] | None = None) -> Any:
    """Return the method's forecaster, documented sizes, without dropout."""
    import implementations

    without = {name: 0.0 for name in implementations.default_settings(method) if "dropout" in name}
    return implementations.make(method, backend, SEED, **without, **(settings or {}))


def build(method: str, backend: str) -> tuple[Any, Keras | Torch]:
    """Return the forecaster with a fresh network, and that network as a chain of layers."""
    from implementations import backends

    forecaster = named(method, backend)
    forecaster.build(backends.load(backend), HISTORY, CHANNELS, HORIZON)
    on_keras = backends.BACKENDS[backend].engine
    return forecaster, (Keras if on_keras else Torch)(forecaster.network)


def move(weights: Sequence[Arrays]) -> list[Arrays]:
    """Return each weight a little away from where it starts."""
    random = np.random.default_rng(SEED)
    return [
        [(array + random.uniform(-MOVED, MOVED, array.shape)).astype(np.float32) for array in arrays]
        for arrays in weights
    ]


def by_layer(what: str, layers: Sequence[Arrays | np.ndarray]) -> Found:
    """Return the arrays, named by the place of their layer, the first is 1."""
    found = {}
    for place, arrays in enumerate(layers, 1):
        if isinstance(arrays, np.ndarray):
            found[f"{what}/{place}"] = arrays
        else:
            found |= {f"{what}/{place}/{number}": array for number, array in enumerate(arrays)}
    return found


@contextmanager
def doubled(backend: str) -> Iterator[None]:
    """Let new networks compute in float64 within the block."""
    from implementations import backends

    engine = backends.load(backend)
    engine.use_precision("float64")
    try:
        yield
    finally:
        engine.use_precision("float32")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Training steps by size: ours compared with plain PyTorch and stock Keras, `python -m bench.speed sizes`.

Every measurement has a process and one core to itself, and is kept in a file as soon as it is there: the command goes
on where it was stopped. `python -m bench.speed.sizes CONTESTANT NETWORK UNITS BATCH STEPS` makes one.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.machine import environment
from bench.reporting import markdown
from bench.text import digits

from . import child_process

UNITS, BATCHES, STEPS = (20, 64, 128, 256), (32, 128, 512), (50, 96, 336)
#: network -> our method
NETWORKS = {"rnn": "rnn_sequence", "gru": "gru", "lstm": "lstm"}
OURS = ("torch", "keras", "keras-jax")
#: the same network in a framework's own layers and training loop, and which of ours it is compared with
PLAIN = {"plain torch": "torch", "stock keras": "keras", "stock keras-jax": "keras-jax"}
AHEAD, TAKEN, EPOCHS = 10, 4, 3  # steps forecast at every step; batches to an epoch; epochs timed after the first
KEPT = environment.ROOT / "bench" / "speed" / "history" / "sizes.jsonl"


class Size(NamedTuple):
    """A network, how wide it is, and what it is trained on."""

    network: str
    units: int
    batch: int
    steps: int


def sizes(networks: Iterable[str], units: Iterable[int], batches: Iterable[int], steps: Iterable[int]) -> list[Size]:
    """Return every combination."""
    return [Size(*one) for one in product(networks, units, batches, steps)]


def measure_all(wanted: Iterable[Size], rounds: int, kept: Path = KEPT) -> None:
    """Measure what the file has fewer rounds of; contestants take turns."""
    known = read(kept)
    for number, size in product(range(rounds), wanted):
        for contestant in (*OURS, *PLAIN):
            if len(known.get((contestant, size), [])) <= number:
                milliseconds = child_process.answer(__name__, contestant, *size)
                with kept.open("a") as file:
                    file.write(json.dumps({"contestant": contestant, **size._asdict(), "ms": milliseconds}) + "\n")


def read(kept: Path) -> dict[tuple[str, Size], list[float]]:
    """Return the milliseconds of a step in every round, by contestant and size."""
    found: dict[tuple[str, Size], list[float]] = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        entry = json.loads(line)
        size = Size(*(entry[name] for name in Size._fields))
        found.setdefault((entry["contestant"], size), []).append(entry["ms"])
    return found


def table(kept: Path = KEPT) -> str:
    """Return a row for each size: milliseconds, and each of ours as a multiple of the framework's own speed."""
    found = {key: statistics.median(values) for key, values in read(kept).items()}
    headers = ["network", "units", "batch", "steps", *OURS, *PLAIN, *(f"{own} / {ours}" for own, ours in PLAIN.items())]
    rows = []
    for size in sorted({size for _, size in found}):
        milliseconds = [found.get((name, size)) for name in (*OURS, *PLAIN)]
        pairs = [(found.get((own, size)), found.get((ours, size))) for own, ours in PLAIN.items()]
        ratios = [f"**{own / ours:.2f}**" if own and ours else "–" for own, ours in pairs]
        rows.append([*map(str, size), *(digits(one, 3) if one else "–" for one in milliseconds), *ratios])
    every = len(NETWORKS) * len(UNITS) * len(BATCHES) * len(STEPS)
    return f"{markdown.table(headers, rows, left=[0])}\n\n{len(rows)} of {every} sizes have been measured."


def windows(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Noisy waves: history [N, T, 1] and future [N, H, 1]."""
    random, time_steps = np.random.default_rng(0), np.arange(size.steps + AHEAD)
    frequency, phase = random.uniform(0.1, 0.4, (size.batch, 1)), random.uniform(0, 6, (size.batch, 1))
    series = (0.5 * np.sin(frequency * time_steps + phase)).astype(np.float32)[:, :, None]
    return np.ascontiguousarray(series[:, : size.steps]), np.ascontiguousarray(series[:, size.steps :])


def targets(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return the history, and the ten steps after each of its steps, [N, T, H]."""
    from implementations.strategies import SequenceToSequence

    history, future = windows(size)
    return history, SequenceToSequence().targets(history, future)


def main(contestant: str, size: Size) -> float:
    """Return milliseconds of a training step: the median of the epochs after the first."""
    epoch = (ours if contestant in OURS else plain_torch if contestant == "plain torch" else stock_keras)(
        PLAIN.get(contestant, contestant), size
    )
    epoch()
    return 1000 * statistics.median(seconds(epoch)) / TAKEN


def seconds(epoch: Callable[[], Any]) -> Iterator[float]:
    """Yield the seconds of each epoch."""
    for _ in range(EPOCHS):
        start = time.perf_counter()
        epoch()
        yield time.perf_counter() - start


def ours(backend: str, size: Size) -> Callable[[], Any]:
    """Our method's epoch."""
    from implementations import backends, make

    engine = backends.load(backend)
    history, future = windows(size)
    made: Any = make(NETWORKS[size.network], backend, 42, units=size.units, batch_size=size.batch)
    made.build(engine, size.steps, 1, AHEAD)
    trainer = engine.Trainer(made.network, made, history, made.strategy.targets(history, future))
    trainer.compile()
    order = np.tile(np.arange(size.batch), TAKEN)
    return lambda: trainer.epoch(order)


def plain_torch(_: str, size: Size) -> Callable[[], Any]:
    """Return a loop as PyTorch's tutorials have it, over its own layers."""
    import torch

    torch.set_num_threads(1)
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[size.network]
    recurrent, head = layer(1, size.units, num_layers=2, batch_first=True), torch.nn.Linear(size.units, AHEAD)
    inputs, truth = map(torch.from_numpy, targets(size))
    optimizer = torch.optim.Adam([*recurrent.parameters(), *head.parameters()])

    def epoch() -> None:
        for _ in range(TAKEN):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(head(recurrent(inputs)[0]), truth)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        loss.item()

    return epoch


def stock_keras(backend: str, size: Size) -> Callable[[], Any]:
    """Keras' own layers, `compile` with its defaults, and `fit`."""
    from implementations import backends

    backends.load(backend)
    import keras

    layer = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[size.network]
    first, second = (layer(size.units, return_sequences=True) for _ in range(2))
    network = keras.Sequential([keras.Input((size.steps, 1)), first, second, keras.layers.Dense(AHEAD)])
    network.compile(optimizer="adam", loss="mse")
    inputs, truth = (np.tile(array, (TAKEN, 1, 1)) for array in targets(size))
    return lambda: network.fit(inputs, truth, batch_size=size.batch, shuffle=False, verbose=0)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Size(sys.argv[2], *map(int, sys.argv[3:6])))))

"""Training steps by size: ours, the frameworks' own layers, Darts and neuralforecast, `python -m bench.speed sizes`.

Every measurement is kept in a file as soon as it is there: the command goes on where it was stopped. A process has one
core to itself and measures one network of one width; contestants of one size run at about the same time.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, product
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from bench.errors import UsageError
from bench.machine import environment, threads

from .peers import tables
from .peers.child import Ask

UNITS, BATCHES, STEPS = (20, 64, 128, 256), (32, 128, 512), (50, 96, 336)
NETWORKS = ("rnn", "gru", "lstm")
#: in torch ours is measured twice: by our own reading of each layer, and by the library's kernel for it
TORCH = {False: "torch own", True: "torch library"}
#: the same network in a framework's own layers and training loop, and which of ours it is compared with
PLAIN = {"plain torch": "torch", "stock keras": "keras", "stock keras-jax": "keras-jax"}
CONTESTANTS = (*TORCH.values(), "keras", "keras-jax", *PLAIN, *tables.PEERS)
EPOCHS, EPOCH_SECONDS = 2, 0.3  # epochs timed after the first, and about how long one is
MOST_STEPS, MOST_SERIES = 64, 4096  # to an epoch
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
KEPT = environment.ROOT / "bench" / "speed" / "history" / "sizes.csv"


class Size(NamedTuple):
    """A network, how wide it is, and what it is trained on."""

    network: str
    units: int
    batch: int
    steps: int

    @property
    def seconds(self) -> float:
        """About how long a step takes: six matrix products at 40 GFLOP/s, and 0.1 ms for each step of the series."""
        operations = 2 * 3 * 3 * GATES[self.network] * self.units**2 * self.batch * self.steps
        return operations / 40e9 + 1e-4 * self.steps

    @property
    def taken(self) -> int:
        """Steps to an epoch."""
        wanted = min(round(EPOCH_SECONDS / self.seconds), MOST_STEPS, MOST_SERIES // self.batch)
        return max(1, wanted)

    def ask(self, contestant: str) -> Ask:
        """Return what the contestant's process is asked for."""
        series = self.taken * self.batch
        return Ask(contestant, self.network, series, 1 + EPOCHS, False, self.steps, units=self.units, batch=self.batch)


class Job(NamedTuple):
    """What one process measures, one after another."""

    contestant: str
    sizes: list[Size]


def sizes(networks: Iterable[str], units: Iterable[int], batches: Iterable[int], steps: Iterable[int]) -> list[Size]:
    """Return every combination, narrow networks first."""
    return sorted((Size(*one) for one in product(networks, units, batches, steps)), key=order)


def order(size: Size) -> tuple[int, int, float]:
    """Sort by units, network and cost."""
    return size.units, NETWORKS.index(size.network), size.seconds


def jobs(wanted: Iterable[Size], names: Sequence[str], rounds: int, kept: Path) -> Iterator[Job]:
    """Yield what the file has fewer rounds of; contestants of one network and width follow each other."""
    known, ordered = read(kept), sorted(wanted, key=order)
    for number in range(rounds):
        for _, group in groupby(ordered, key=lambda size: (size.units, size.network)):
            of_one = list(group)
            for name in names:
                missing = [size for size in of_one if len(known.get((name, size), [])) <= number]
                if missing:
                    yield Job(name, missing)


def measure_all(wanted: Iterable[Size], names: Sequence[str], rounds: int, at_once: int, kept: Path = KEPT) -> None:
    """Measure what the file lacks, so many processes at once. A contestant that fails is named and passed over."""
    missing = list(jobs(wanted, names, rounds, kept))
    tables.check_peers(sorted({job.contestant for job in missing}))
    cores: SimpleQueue[int] = SimpleQueue()
    for core in threads.cores()[-at_once:]:
        cores.put(core)

    def measure(job: Job) -> None:
        core = cores.get()
        contestant = tables.Contestant(job.contestant, core)
        try:
            for size in job.sizes:
                note(kept, job.contestant, size, milliseconds(contestant, size))
        except UsageError as error:
            print(f"{job.contestant}, {size}: {error}", file=sys.stderr)
        finally:
            contestant.end()
            cores.put(core)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(measure, missing))


def milliseconds(contestant: tables.Contestant, size: Size) -> float:
    """Return milliseconds of a training step: the median of the epochs after the first."""
    epochs = contestant.answer(size.ask(contestant.name))["epochs"]
    return float(1000 * statistics.median(epochs[1:]) / size.taken)


def note(kept: Path, contestant: str, size: Size, milliseconds: float) -> None:
    """Append a measurement, by one write: several threads have the file open."""
    line = ",".join(map(str, [contestant, *size, f"{milliseconds:.4g}"]))
    with kept.open("a") as file:
        file.write(f"{line}\n")


def read(kept: Path) -> dict[tuple[str, Size], list[float]]:
    """Return the milliseconds of a step in every round, by contestant and size."""
    found: dict[tuple[str, Size], list[float]] = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        if not line.startswith("#"):
            contestant, network, *numbers, milliseconds = line.split(",")
            size = Size(network, *map(int, numbers))
            found.setdefault((contestant, size), []).append(float(milliseconds))
    return found


def begin(kept: Path, made_by: str) -> None:
    """Write the machine as a new file's first line. Raises UsageError where the file is of another machine."""
    if not kept.exists():
        kept.write_text(f"# {made_by}\n")
    elif (there := machine(kept)).partition(", commit")[0] != made_by.partition(", commit")[0]:
        raise UsageError(f"{kept.name} has times of another machine or versions, {there!r}: choose a file with --kept")


def machine(kept: Path) -> str:
    """Return the file's first line: what was measured, where and with which versions."""
    return kept.read_text().partition("\n")[0].removeprefix("# ")

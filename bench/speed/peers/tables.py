"""The tables of ratios: contestants take turns, one at a time, each in a process of its own on the same core."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import machine, markdown, runner
from bench.errors import UsageError

from .child import MODULES, Ask

PEERS = ("darts", "neuralforecast")
OURS = ("keras", "keras-jax", "torch")
RECURRENT = ("rnn", "lstm", "gru")
NETWORKS = (*RECURRENT, "wavenet", "linear")
PEERS_PYTHON = Path(".venv-peers", "bin", "python")
BATCH = 32
SERIES, EPOCHS = 64 * BATCH, 4  # for steps: 64 to an epoch, of which the first is a warm-up
ALL_SERIES, ALL_EPOCHS = 7000, 20  # for whole fits: as the notes train
MOST_WAITING = 0.9  # CPU seconds per second: with less, something else had the core
RATIOS = (
    ("notes / keras", ("notes",), ("keras",)),
    ("notes / keras-jax", ("notes",), ("keras-jax",)),
    ("darts / torch", ("darts",), ("torch",)),
    ("neuralforecast / torch", ("neuralforecast",), ("torch",)),
    ("fastest peer / fastest of ours", PEERS, OURS),
)

Seconds = dict[str, dict[str, float]]  # network -> contestant -> median, of seconds or of milliseconds


class Contestant:
    """A process that trains on demand, and that has imported its framework already."""

    def __init__(self, name: str) -> None:
        self.name = name
        python = machine.ROOT / PEERS_PYTHON if name in PEERS else Path(sys.executable)
        variables = machine.environment_variables()
        if name == "notes":
            del variables["TF_ENABLE_ONEDNN_OPTS"]  # the notes leave TensorFlow as it comes
        command = [str(python), "-W", "ignore", "-m", "bench.speed.peers.child"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with runner.pinned(machine.cores()[-1]):
            self.process = subprocess.Popen(command, env=variables, text=True, **pipes)
        self.train("rnn", BATCH, 1)

    def train(self, network: str, series: int, epochs: int, validated: bool = False) -> dict[str, Any]:
        """Seconds of each epoch, of the whole, and of the CPU. Raises UsageError when the contestant gives up."""
        assert self.process.stdin and self.process.stdout
        ask = Ask(self.name, network, series, epochs, validated)
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(asdict(ask)), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise UsageError(
                f"{self.name} could not train {network}: try it by hand, bench/speed/peers/child.py says how"
            )
        measured: dict[str, Any] = json.loads(answer)
        if measured["cpu"] < MOST_WAITING * measured["whole"]:
            share = measured["cpu"] / measured["whole"]
            print(f"{self.name} {network}: had {share:.0%} of the core; this machine is busy", file=sys.stderr)
        return measured

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def contestants(names: Sequence[str]) -> Iterator[list[Contestant]]:
    """Their processes, within the block. Raises UsageError where the peers' environment is missing."""
    if set(names) & set(PEERS) and not (machine.ROOT / PEERS_PYTHON).exists():
        raise UsageError(f"no {PEERS_PYTHON}: `make peers` installs the peers there")
    with contextlib.ExitStack() as stack:
        started = []
        for name in names:
            started.append(Contestant(name))
            stack.callback(started[-1].end)
        yield started


def steps(rounds: int) -> str:
    """Milliseconds per step in each contestant, and the ratios."""
    return table(milliseconds(list(MODULES), rounds), list(MODULES))


def milliseconds(names: Sequence[str], rounds: int) -> Seconds:
    """Milliseconds per step of each network in these contestants."""

    def measure(contestant: Contestant, network: str) -> float:
        epochs = contestant.train(network, SERIES, EPOCHS)["epochs"]
        return 1000 * statistics.median(epochs[1:]) / (SERIES // BATCH)

    with contestants(names) as started:
        return medians(started, rounds, measure)


def whole(rounds: int) -> str:
    """Seconds from nothing to the trained network, imports aside, with validation after each epoch."""

    def measure(contestant: Contestant, network: str) -> float:
        return float(contestant.train(network, ALL_SERIES, ALL_EPOCHS, validated=True)["whole"])

    with contestants(["notes", *OURS]) as started:
        return table(medians(started, rounds, measure), ["notes", *OURS])


def medians(started: Sequence[Contestant], rounds: int, measure: Any) -> Seconds:
    """The median over the rounds, for each network and contestant that has it."""
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        for network in NETWORKS:
            for contestant in started:
                if network in RECURRENT or contestant.name not in PEERS:
                    samples[network][contestant.name].append(measure(contestant, network))
    return {
        network: {name: statistics.median(values) for name, values in found.items()}
        for network, found in samples.items()
    }


def table(found: Seconds, names: Sequence[str]) -> str:
    """One row per network: the medians, then the ratios that these contestants allow."""
    ratios = [ratio for ratio in RATIOS if {*ratio[1], *ratio[2]} <= set(names)]
    rows = []
    for network, seconds in found.items():
        cells = [markdown.digits(seconds[name], 3) if name in seconds else markdown.NOTHING for name in names]
        rows.append([network, *cells, *(quotient(seconds, slow, fast) for _, slow, fast in ratios)])
    return markdown.table(["network", *names, *(title for title, *_ in ratios)], rows, left=[0])


def quotient(seconds: dict[str, float], slow: Sequence[str], fast: Sequence[str]) -> str:
    """How many times faster the fastest of these is than the fastest of those."""
    if not set(slow) & seconds.keys():
        return markdown.NOTHING
    return f"**{min(seconds[name] for name in slow if name in seconds) / min(seconds[name] for name in fast):.1f}**"

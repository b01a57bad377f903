"""The tables of ratios: contestants take turns, one at a time, each in a separate process on the same core.

Each round has fresh processes: one that is lucky with its memory (or not) stays so as long as it lives.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.machine import environment, threads
from bench.machine.system.cores import pinned
from bench.reporting import markdown
from bench.text import NOTHING, digits

from .child import Ask

PEERS = ("darts", "neuralforecast")
OURS = ("keras", "keras-jax", "torch")
ALL = ["reference", *OURS, *PEERS]
RECURRENT = ("rnn", "lstm", "gru")
AS_THE_NOTES = (*RECURRENT, "wavenet", "linear")
AS_THE_PEERS = tuple(f"{network}-last" for network in RECURRENT)  # forecast from the last state alone
NETWORKS = (*RECURRENT, *AS_THE_PEERS, "wavenet", "linear")
PEERS_PYTHON = Path(".venv-peers", "bin", "python")
BATCH = 32
SERIES, EPOCHS = 64 * BATCH, 4  # for steps: 64 to an epoch, of which the first is a warm-up
ALL_SERIES, ALL_EPOCHS = 7000, 20  # for whole fits: as the reference trains
MOST_WAITING = 0.9  # CPU seconds per second: with less, something else had the core
RATIOS = (
    ("reference / keras", ("reference",), ("keras",)),
    ("reference / keras-jax", ("reference",), ("keras-jax",)),
    ("darts / torch", ("darts",), ("torch",)),
    ("neuralforecast / torch", ("neuralforecast",), ("torch",)),
    ("fastest peer / fastest of ours", PEERS, OURS),
)

Samples = dict[str, dict[str, list[float]]]  # network -> contestant -> one for each round, seconds or milliseconds


class Contestant:
    """A process that trains on demand, and that has imported its framework already."""

    def __init__(self, name: str, core: int) -> None:
        self.name, self.errors = name, tempfile.TemporaryFile("w+")  # noqa: SIM115
        python = environment.ROOT / PEERS_PYTHON if name in PEERS else Path(sys.executable)
        variables = threads.environment_variables()
        if name == "reference":
            del variables["TF_ENABLE_ONEDNN_OPTS"]  # the reference leaves TensorFlow as it comes
        command = [str(python), "-W", "ignore", "-m", "bench.speed.peers.child"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        with pinned(core):
            self.process = subprocess.Popen(command, env=variables, text=True, **pipes)

    def train(self, network: str, series: int, epochs: int, validated: bool = False) -> dict[str, Any]:
        """As `answer`; says when something else had the core meanwhile."""
        measured = self.answer(Ask(self.name, network, series, epochs, validated))
        if measured["cpu"] < MOST_WAITING * measured["whole"]:
            share = measured["cpu"] / measured["whole"]
            print(f"{self.name} {network}: had {share:.0%} of the core; this machine is busy", file=sys.stderr)
        return measured

    def answer(self, ask: Ask) -> dict[str, Any]:
        """Return seconds of each epoch, of the whole, and of the CPU.

        Raises UsageError when the contestant gives up.
        """
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(asdict(ask)), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise UsageError(f"{self.name} could not train {ask.network}: {self.last_words()}")
        measured: dict[str, Any] = json.loads(answer)
        return measured

    def last_words(self) -> str:
        """Return the last line of what the process wrote to its standard error."""
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or ["it ended without a word"])[-1]

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.errors.close()


@contextlib.contextmanager
def contestants(names: Sequence[str]) -> Iterator[list[Contestant]]:
    """Their processes, within the block. Raises UsageError where the peers' environment is missing."""
    check_peers(names)
    with contextlib.ExitStack() as stack:
        started = []
        for name in names:
            started.append(Contestant(name, threads.cores()[-1]))
            stack.callback(started[-1].end)
            started[-1].answer(Ask(name, "rnn", BATCH, 1))
        yield started


def check_peers(names: Sequence[str]) -> None:
    """Raise UsageError where a peer is among the names and the peers' environment is missing."""
    if set(names) & set(PEERS) and not (environment.ROOT / PEERS_PYTHON).exists():
        raise UsageError(f"no {PEERS_PYTHON}: `make peers` installs the peers there")


def steps(rounds: int) -> str:
    """Return milliseconds per step in each contestant, and the ratios."""
    return table(milliseconds(ALL, rounds), ALL)


def milliseconds(names: Sequence[str], rounds: int, networks: Sequence[str] = NETWORKS) -> Samples:
    """Return milliseconds per step of each network in these contestants."""

    def measure(contestant: Contestant, network: str) -> float:
        epochs = contestant.train(network, SERIES, EPOCHS)["epochs"]
        return float(1000 * statistics.median(epochs[1:]) / (SERIES // BATCH))

    return measured(names, rounds, measure, networks)


def whole(rounds: int) -> str:
    """Return seconds from nothing to the trained network, imports aside, with validation after each epoch."""

    def measure(contestant: Contestant, network: str) -> float:
        return float(contestant.train(network, ALL_SERIES, ALL_EPOCHS, validated=True)["whole"])

    names = ["reference", *OURS]
    return table(measured(names, rounds, measure, AS_THE_NOTES), names)


def measured(names: Sequence[str], rounds: int, measure: Any, networks: Sequence[str] = NETWORKS) -> Samples:
    """Return one sample a round, for each network and contestant that has it."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        with contestants(names) as started:
            for network in networks:
                for contestant in started:
                    if takes(contestant.name, network):
                        samples[network][contestant.name].append(measure(contestant, network))
    return samples


def takes(contestant: str, network: str) -> bool:
    """Return whether this contestant has this network."""
    if contestant == "reference":
        return network in AS_THE_NOTES
    return contestant in OURS or network in (*RECURRENT, *AS_THE_PEERS)


def table(samples: Samples, names: Sequence[str]) -> str:
    """Return one row per network: the medians, then the ratios that these contestants allow."""
    ratios = [ratio for ratio in RATIOS if {*ratio[1], *ratio[2]} <= set(names)]
    rows = []
    for network, found in samples.items():
        medians = {name: statistics.median(values) for name, values in found.items()}
        cells = [digits(medians[name], 3) if name in found else NOTHING for name in names]
        rows.append([network, *cells, *(quotient(found, slow, fast) for _, slow, fast in ratios)])
    return markdown.table(["network", *names, *(title for title, *_ in ratios)], rows, left=[0])


def quotient(samples: dict[str, list[float]], slow: Sequence[str], fast: Sequence[str]) -> str:
    """Return how many times faster the fastest of these is than the fastest of those: the median of each round's ratio.

    Within a round they take turns within seconds; from one round to the next the machine's pace drifts.
    """
    rounds = [least(samples, slow), least(samples, fast)]
    if not rounds[0]:
        return NOTHING
    return f"**{statistics.median(one / other for one, other in zip(*rounds, strict=True)):.1f}**"


def least(samples: dict[str, list[float]], names: Sequence[str]) -> list[float]:
    """Return the smallest sample of each round."""
    return [min(values) for values in zip(*(samples[name] for name in names if name in samples), strict=True)]

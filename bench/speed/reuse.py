"""What workers that serve several runs, and programs kept between runs, save: and whether anything else changes.

Every measurement is kept in a file as soon as it is there, so that the commands go on where they were stopped.
`python -m bench.speed.reuse METHOD BACKEND EPOCHS SEED...` fits seed after seed in one process, as a worker does.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from bench.execution import compilation, runner
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.machine import environment
from bench.reporting import markdown
from bench.schema.record import Run

from . import child_process
from .overhead import TIMEOUT, planned

#: a spread over the kinds of networks
METHODS = (
    "rnn_sequence", "lstm", "gru", "batch_norm_rnn", "dropout_rnn", "encoder_decoder", "wavenet", "tcn", "mlp",
    "mlp_ensemble", "patchtst", "s4d",
)  # fmt: skip
BACKENDS = ("keras-jax", "keras", "torch")
SEEDS = tuple(range(42, 57))  # as the board has them in Keras on JAX
FOUR = (42, 43, 44, 42)  # the runs of one process: does the seed end as it did when the process was new?
KEPT = environment.ROOT / "bench" / "speed" / "history"
WAYS = ("each alone", "cold, one worker", "warm, one worker")
Entry = dict[str, Any]


class Case(NamedTuple):
    """A method on a backend, trained for so many epochs."""

    method: str
    backend: str
    epochs: int


def cases(methods: Iterable[str], backends: Iterable[str], epochs: int) -> list[Case]:
    """Return every combination, all backends of a method one after another."""
    return [Case(method, backend, epochs) for method, backend in product(methods, backends)]


def read(file: Path) -> list[Entry]:
    """Return what has been measured."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def keep(file: Path, case: Case, round_: int, found: Entry) -> None:
    """Add a measurement."""
    with file.open("a") as opened:
        opened.write(json.dumps({**case._asdict(), "round": round_, **found}) + "\n")


def missing(file: Path, wanted: Sequence[Case], rounds: int) -> Iterator[tuple[Case, int]]:
    """Yield the cases and rounds that the file does not have."""
    known = {(entry["method"], entry["backend"], entry["epochs"], entry["round"]) for entry in read(file)}
    for round_, case in product(range(rounds), wanted):
        if (*case, round_) not in known:
            yield case, round_


# -- the times of runs that a worker does one after another ---------------------------------------------------------


def compare_times(wanted: Sequence[Case], rounds: int, file: Path = KEPT / "reuse.jsonl") -> None:
    """Fit four times in one process, forwards in even rounds and backwards in odd ones."""
    for case, round_ in missing(file, wanted, rounds):
        seeds = FOUR if round_ % 2 == 0 else FOUR[::-1]
        keep(file, case, round_, {"runs": child_process.answer(__name__, *case, *seeds)})


def fitted(case: Case, seeds: Sequence[int]) -> list[Entry]:
    """Return the CPU seconds of each fit and forecast, and the digests that they end with."""
    from bench.data import generators, windows
    from bench.tasks import TASKS
    from implementations import backends, network

    spec = planned(case.method, case.backend, (42,), case.epochs)[0].spec
    os.environ.update(compilation.variables(spec))
    vars(network)["perf_counter_ns"] = time.process_time_ns  # its clock: on a busy machine the wall tells nothing
    engine = backends.load(case.backend, threads=1)
    data = windows.cut(generators.load(TASKS["ten-step"]), TASKS["ten-step"])
    return [one_fit(engine, case, seed, data) for seed in seeds]


def one_fit(engine: Any, case: Case, seed: int, data: Any) -> Entry:
    """Fit and forecast as a worker does, and leave as little behind."""
    import implementations
    from bench.data.digests import digest

    engine.seed(seed)
    forecaster: Any = implementations.make(case.method, case.backend, seed, epochs=case.epochs)
    forecaster.fit(*data.train, validation=data.validation)
    history, future = data.validation
    forecasts = forecaster.predict_ahead(history, future.shape[1])
    began = time.process_time()
    for _ in range(3):
        forecaster.predict_ahead(history, future.shape[1])
    predict = (time.process_time() - began) / 3
    total = forecaster.curve["seconds"]
    epochs = [after - before for before, after in zip([0.0, *total], total, strict=False)]
    found = {"seed": seed, "epochs": epochs, "predict": predict, "first_step": forecaster.seconds["first_step"],
             "digests": [digest(forecasts), digest(*forecaster.weights())]}  # fmt: skip
    del forecaster
    gc.collect()
    return found


def times_table(file: Path = KEPT / "reuse.jsonl") -> str:
    """Return for each backend how later runs of a process compare with its first, and whether results are equal."""
    entries, rows = read(file), []
    for backend in BACKENDS:
        own = [entry for entry in entries if entry["backend"] == backend]
        if own:
            shares = [quartiles([ratio for entry in own for ratio in ratios(entry["runs"], of)]) for of in SECONDS]
            rows.append([backend, str(len({one["method"] for one in own})), str(len(own)), *shares, equality(own)])
    headers = ["backend", "methods", "processes", *SECONDS_OF, "digests"]
    return markdown.table(headers, rows, left=[0])


def whole_fit(run: Entry) -> float:
    """Return the CPU seconds of all epochs."""
    return float(sum(run["epochs"]))


def later_epochs(run: Entry) -> float:
    """Return the median CPU seconds of an epoch after the first."""
    return float(statistics.median(run["epochs"][1:]))


SECONDS: tuple[Callable[[Entry], float], ...] = (whole_fit, later_epochs, lambda run: run["predict"])
SECONDS_OF = ("fit, later / first", "an epoch after the first", "a forecast")


def ratios(runs: Sequence[Entry], of: Callable[[Entry], float]) -> list[float]:
    """Return the seconds of each later run as a share of the first one's."""
    first, *later = map(of, runs)
    return [one / first for one in later]


def quartiles(values: Sequence[float]) -> str:
    """Return the median, and between which values the middle half lies."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"**{middle:.3f}** ({low:.3f}–{high:.3f})"


def equality(entries: Iterable[Entry]) -> str:
    """Say of how many seeds the digests are equal, whichever place in its process a run had."""
    found: dict[tuple[str, str, int], list[Any]] = {}
    for entry in entries:
        for run in entry["runs"]:
            found.setdefault((entry["method"], entry["backend"], run["seed"]), []).append(run["digests"])
    twice = [digests for digests in found.values() if len(digests) > 1]
    return f"{sum(one.count(one[0]) == len(one) for one in twice)} of {len(twice)} equal"


# -- what kept programs and used workers save -----------------------------------------------------------------------


class Way(NamedTuple):
    """How runs are made: whether compiled programs are kept, and whether one worker serves all."""

    name: str
    kept: bool
    reuse: bool


class Study(NamedTuple):
    """The same runs, made in several ways in turn; of those that keep programs the first one finds none."""

    name: str
    seeds: tuple[int, ...]
    ways: tuple[Way, ...]

    @property
    def file(self) -> Path:
        """Where its measurements are kept."""
        return KEPT / f"{self.name}.jsonl"


SEVERAL = Study(
    "seeds",
    SEEDS,
    (Way("each alone", False, False), Way("cold, one worker", True, True), Way("warm, one worker", True, True)),
)
ONE = Study("cache", SEEDS[:1], (Way("without", False, False), Way("first", True, False), Way("second", True, False)))


def compare(study: Study, wanted: Sequence[Case], rounds: int) -> None:
    """Make the study's runs in each way, taking turns."""
    for case, round_ in missing(study.file, wanted, rounds):
        jobs = planned(case.method, case.backend, study.seeds, case.epochs)
        with tempfile.TemporaryDirectory(prefix="aheadbench-") as cache:
            found = []
            for way in study.ways:
                with programs_in(cache if way.kept else ""):
                    found.append({"way": way.name, **used(jobs, way.reuse)})
        for entry in found:
            keep(study.file, case, round_, entry)


@contextmanager
def programs_in(folder: str) -> Iterator[None]:
    """Keep compiled programs in this folder meanwhile; nowhere where it has no name."""
    before = os.environ.get(compilation.VARIABLE)
    os.environ[compilation.VARIABLE] = folder
    try:
        yield
    finally:
        os.environ.pop(compilation.VARIABLE)
        os.environ |= {} if before is None else {compilation.VARIABLE: before}


def used(jobs: Sequence[Job], reuse: bool) -> Entry:
    """Return CPU seconds, seconds by the clock, and the digests of the runs, made one at a time."""
    before, began = cpu_of_children(), time.perf_counter()
    runs = [run for _, run in runner.run(jobs, Limits(1, TIMEOUT, reuse=reuse)) if run]
    if bad := [run for run in runs if run.status != "ok"]:
        raise RuntimeError(f"{bad[0].spec.method} on {bad[0].spec.backend}: {bad[0].status}, {bad[0].reason}")
    wall, cpu = time.perf_counter() - began, cpu_of_children() - before
    return {"wall": wall, "cpu": cpu, "digests": digests_of(runs)}


def cpu_of_children() -> float:
    """Return CPU seconds of all processes that this one has started, and that have ended."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime


def digests_of(runs: Iterable[Run]) -> list[Any]:
    """Return what the runs of the seeds ended with, by seed."""
    return [run.digest for run in sorted(runs, key=lambda run: run.spec.seed)]


def study_table(study: Study) -> str:
    """Return a row for each method and backend: CPU seconds in each way, and all together."""
    entries, rows = read(study.file), []
    for epochs, backend in sorted({(entry["epochs"], entry["backend"]) for entry in entries}):
        own = [entry for entry in entries if (entry["epochs"], entry["backend"]) == (epochs, backend)]
        methods = list(dict.fromkeys(entry["method"] for entry in own))
        every = [medians(study, [one for one in own if one["method"] == method]) for method in methods]
        cells = [[method, backend, str(epochs), *row_text(*row)] for method, row in zip(methods, every, strict=True)]
        seconds, equal = zip(*every, strict=True)
        together = row_text([sum(column) for column in zip(*seconds, strict=True)], all(equal))
        rows += [*cells, ["**all**", backend, str(epochs), *together]]
    ways = [f"{way.name}, CPU s" for way in study.ways]
    headers = ["method", "backend", "epochs", *ways, f"shares of {study.ways[0].name}", "digests"]
    return markdown.table(headers, rows, left=[0, 1])


def medians(study: Study, entries: Sequence[Entry]) -> tuple[list[float], bool]:
    """Return a method's medians of CPU seconds in each way, and whether all results are equal."""
    by_way = [[entry["cpu"] for entry in entries if entry["way"] == way.name] for way in study.ways]
    return [statistics.median(own) for own in by_way], all(one["digests"] == entries[0]["digests"] for one in entries)


def row_text(seconds: Sequence[float], equal: bool) -> list[str]:
    """Return the cells of a row."""
    shares = " / ".join(f"{one / seconds[0]:.2f}" for one in seconds[1:])
    return [*(f"{one:.1f}" for one in seconds), shares, "equal" if equal else "**differ**"]


if __name__ == "__main__":
    method, backend, epochs, *seeds = sys.argv[1:]
    print(json.dumps(fitted(Case(method, backend, int(epochs)), [int(seed) for seed in seeds])))

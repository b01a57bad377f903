"""Measure the harness's own cost: its start, a run outside its phases and against a plain script, and two cores."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.campaigns.request import Selection
from bench.campaigns.selection import specs
from bench.execution import runner
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.machine import threads
from bench.machine.system.cores import pinned
from bench.reporting import markdown
from bench.schema.record import Run, Spec

from .harness import python

COMMANDS = ("--help", "list methods", "list tasks", "list backends", "list runs")
METHODS = (("gru", "torch"), ("gru", "keras"), ("gru", "keras-jax"), ("wavenet_simple", "torch"))
PHASES = ("start", "import", "data", "build", "first_step", "fit", "validate", "predict_first", "evaluate")
TIMEOUT = 1800.0

SCRIPT = """
import json, sys, time
from implementations import backends, make
from bench.data import generators, windows
from bench.tasks import TASKS

spec = json.loads(sys.argv[1])
backend = backends.load(spec["backend"], threads=1)
split = windows.cut(generators.load(TASKS[spec["task"]]), TASKS[spec["task"]])
backend.seed(spec["seed"])
forecaster = make(spec["method"], spec["backend"], spec["seed"], **spec["settings"])
began = time.process_time()
forecaster.fit(*split.train, validation=split.validation)
print(json.dumps(time.process_time() - began))
"""


def start(rounds: int) -> str:
    """Return seconds until each command has answered and ended, by the clock."""
    rows = []
    for words in COMMANDS:
        seconds_of(words)  # Python keeps what it compiles
        seconds = [seconds_of(words) for _ in range(rounds)]
        rows.append([f"`{words}`", f"{statistics.median(seconds):.3f} s", f"{min(seconds):.3f} s"])
    return markdown.table(["`python -m bench …`", "median", "fastest"], rows, left=[0])


def seconds_of(words: str) -> float:
    """Return the seconds from the start of Python until it is gone."""
    began = time.perf_counter()
    python("-m", "bench", *words.split())
    return time.perf_counter() - began


def runs(rounds: int) -> str:
    """Tell for each method its time outside its phases, and its fit against the same fit in a plain script."""
    rows = []
    for method, backend in METHODS:
        job = planned(method, backend, seeds=(42,), epochs=10)[0]
        samples = [(*measured(job), *contended(job)) for _ in range(rounds)]
        medians = (statistics.median(values) for values in zip(*samples, strict=True))
        total, outside_phases, ended, inside, outside = medians
        ratio = statistics.median(one[3] / one[4] for one in samples)
        shares = [f"{outside_phases / total:.2%}", f"{(ended - total) / ended:.1%}", f"{ratio - 1:+.1%}"]
        rows.append([method, backend, f"{total:.1f} s", *shares[:2], f"{inside:.2f} s", f"{outside:.2f} s", shares[2]])
    headers = [
        "method", "backend", "total", "outside its phases", "after it", "fit here", "in a plain script", "difference",
    ]  # fmt: skip
    return markdown.table(headers, rows, left=[0, 1])


def measured(job: Job) -> tuple[float, float, float]:
    """Return a run's total, how much of that no phase accounts for, and seconds until its process is gone too."""
    ended, (run,) = supervised([job], workers=1)
    total = (run.seconds or {})["total"]
    return total, total - phases(run), ended


def contended(job: Job) -> tuple[float, float]:
    """Return CPU seconds of fit in a run, and in a plain script that shares its core at the same time.

    One after the other, or on a core each, they differ by how the machine's pace drifts, which is more than what is
    looked for here.
    """
    with ThreadPoolExecutor(1) as pool:
        script = pool.submit(plain, job.spec)
        _, (run,) = supervised([job], workers=1)
        seen: Any = run.environment
        return seen["fit_seconds"] * seen["fit_cores"], script.result()


def together(rounds: int) -> str:
    """Return the same runs one at a time, and one on every core."""
    cores = len(threads.cores())
    rows = []
    for method, backend in METHODS:
        jobs = planned(method, backend, seeds=tuple(range(42, 42 + 2 * cores)), epochs=5)
        pairs = [[supervised(jobs, workers)[0] for workers in (1, cores)] for _ in range(rounds)]
        alone, shared = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        rows.append([method, backend, f"{alone:.1f} s", f"{shared:.1f} s", f"{alone / shared:.2f}"])
    headers = ["method", "backend", f"{2 * cores} runs, one at a time", f"{cores} at a time", "throughput"]
    return markdown.table(headers, rows, left=[0, 1])


def planned(method: str, backend: str, seeds: tuple[int, ...], epochs: int) -> list[Job]:
    """Return the method's jobs on the ten-step task."""
    chosen = Selection(methods=(method,), tasks=("ten-step",), backends=(backend,), seeds=seeds, epochs=epochs)
    return [Job(spec) for spec in specs(chosen)]


def supervised(jobs: Sequence[Job], workers: int) -> tuple[float, list[Run]]:
    """Return seconds by the clock for all of them, start and end of the processes included, and their records."""
    began = time.perf_counter()
    found = [run for _, run in runner.run(jobs, Limits(workers, TIMEOUT)) if run]
    seconds = time.perf_counter() - began
    for run in found:
        if run.status != "ok":
            raise RuntimeError(f"{run.spec.method} on {run.spec.backend}: {run.status}, {run.reason}")
    return seconds, found


def phases(run: Run) -> float:
    """Return the seconds that the run's own clock accounts for: its phases, and every timed forecast."""
    seconds, samples = run.seconds or {}, (run.samples or {})["predict"]
    repeated = samples[1:] if samples[0] == seconds["predict_first"] else samples
    return sum(seconds[name] for name in PHASES) + sum(repeated)


def plain(spec: Spec) -> float:
    """Return CPU seconds of fit in a script that knows no harness: same core, same threads, same data, one process."""
    asked = {"task": spec.task, "method": spec.method, "backend": spec.backend, "seed": spec.seed}
    line = json.dumps({**asked, "settings": spec.settings})
    with tempfile.TemporaryDirectory() as folder, pinned(threads.cores()[0]):
        answer = subprocess.run(
            [sys.executable, "-c", SCRIPT, line],
            env=threads.environment_variables(),
            cwd=Path(folder),
            capture_output=True,
            text=True,
            check=True,
        )
    return float(json.loads(answer.stdout.splitlines()[-1]))

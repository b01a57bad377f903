"""asv: the harness itself: starting, importing, and reading, ranking and rendering records.

CPU seconds at a steady pace, those of child processes included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from bench.analysis import ranking
from bench.campaigns.request import Selection
from bench.campaigns.selection import specs
from bench.execution import compilation, jobs, reuse, runner
from bench.execution.limits import Limits
from bench.records import repository
from bench.reporting import leaderboard

from . import records
from .clock import SteadyClock

COUNT = 1000


def cpu_seconds() -> float:
    """Return CPU time of this process and of all its children that have ended."""
    used = psutil.Process().cpu_times()
    return float(used.user + used.system + used.children_user + used.children_system)


def python(*arguments: str) -> None:
    """Run Python and discard what it prints. It keeps compiled files, as Python does by default."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=variables)


class Start:
    """From nothing to an answer of the command line."""

    params = ["--help", "list methods", "list backends"]
    param_names = ("command",)
    timer = SteadyClock(cpu_seconds)
    rounds, repeat, number, warmup_time = 2, 10, 1, 0

    def time_command(self, command: str) -> None:
        """Run it."""
        python("-m", "bench", *command.split())


class Seeds:
    """Three short runs of a small network, each in a separate worker or all in one; compiled programs are kept."""

    params = (["keras", "keras-jax", "torch"], ["alone", "one worker"])
    param_names = ("backend", "way")
    timer = SteadyClock(cpu_seconds)
    rounds, repeat, number, warmup_time = 1, 3, 1, 0

    def setup(self, backend: str, way: str) -> None:
        """Compile once, into a folder that is gone with asv's own."""
        reuse.TIMED = 0  # else these three, of which a row takes its times, would have fresh workers both ways
        os.environ[compilation.VARIABLE] = tempfile.mkdtemp(dir=Path.cwd())
        chosen = Selection(methods=("mlp",), tasks=("one-step",), backends=(backend,), seeds=(1, 2, 3), quick=True)
        self.jobs = [jobs.Job(spec) for spec in specs(chosen)]
        self.limits = Limits(1, timeout=300, reuse=way == "one worker")
        list(runner.run(self.jobs[:1], self.limits))

    def teardown(self, backend: str, way: str) -> None:
        """Forget the folder."""
        os.environ.pop(compilation.VARIABLE)

    def time_three(self, backend: str, way: str) -> None:
        """Run them one after another."""
        list(runner.run(self.jobs, self.limits))


class Import:
    """Importing a framework, in a fresh process."""

    params = ["numpy", "keras", "keras-jax", "torch"]
    param_names = ("backend",)
    timer = SteadyClock(cpu_seconds)
    rounds, repeat, number, warmup_time = 2, 3, 1, 0

    def time_backend(self, backend: str) -> None:
        """Import it."""
        python("-c", f"from implementations import backends; backends.load({backend!r})")


class Records:
    """A thousand records."""

    timer = SteadyClock(cpu_seconds)
    rounds, repeat, number, warmup_time = 2, 10, 1, 0

    def setup_cache(self) -> str:
        """Write them once; they are gone with asv's own temporary folder."""
        folder = tempfile.mkdtemp(dir=".")
        records.fill(Path(folder), COUNT)
        return str(Path(folder).resolve())

    def setup(self, folder: str) -> None:
        """Read them."""
        self.runs, _ = repository.read(Path(folder))

    def time_read(self, folder: str) -> None:
        """Read files as records."""
        repository.read(Path(folder))

    def time_rank(self, folder: str) -> None:
        """Rank records."""
        ranking.rank(self.runs)

    def time_render(self, folder: str) -> None:
        """Write the board's text from records."""
        leaderboard.render(self.runs)

    def time_plan(self, folder: str) -> None:
        """Plan what is left to run, and how long it will take."""
        jobs.jobs([records.copy(run, run.spec.seed + COUNT).spec for run in self.runs], self.runs, force=False)

"""Seconds and memory by the number of records: copies of this repository's own, in a temporary folder."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.analysis import anytime
from bench.machine import threads
from bench.records import repository
from bench.reporting import assessment, leaderboard, markdown

from . import records

COUNTS = (1_000, 10_000, 100_000)
HEADERS = [
    "records",
    "read",
    "rank",
    "render",
    "`leaderboard`",
    "memory",
    "again",
    "memory",
    "`run --dry-run`",
    "memory",
]
#: the command, and then its own largest size in kB: what the system tells a parent includes the parent's size
WEIGHED = """
import re, sys
from bench.cli.app import main

status = main()
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
sys.exit(status)
"""


class Used(NamedTuple):
    """What a command took: seconds by the clock, and the largest size of its process in MB."""

    seconds: float
    megabytes: float


def table(rounds: int) -> str:
    """Return one row for each number of records."""
    return markdown.table(HEADERS, [row(count, rounds) for count in COUNTS])


def row(count: int, rounds: int) -> list[str]:
    """Return medians over the rounds: phases measured in this process, commands from their start to their end."""
    with tempfile.TemporaryDirectory(prefix="aheadbench-") as name:
        seeds = sorted({run.spec.seed for run in records.fill(Path(name), count)})
        board = ["leaderboard", "--results", name]
        plan = ["run", "--dry-run", "--results", name, "--seeds", ",".join(map(str, seeds))]
        phases = [timed(Path(name)) for _ in range(rounds)]
        first = command(board)  # draws the pictures: later ones find them up to date
        commands = [first, median(command(board) for _ in range(rounds)), median(command(plan) for _ in range(rounds))]
    cells = [f"{statistics.median(phase):.2f} s" for phase in zip(*phases, strict=True)]
    cells += [text for used in commands for text in (f"{used.seconds:.2f} s", f"{used.megabytes:.0f} MB")]
    return [f"{count:,}", *cells]


def median(used: Iterable[Used]) -> Used:
    """Of each measure for itself."""
    return Used(*map(statistics.median, zip(*used, strict=True)))


@repository.collection_paused()  # as in the command
def timed(folder: Path) -> list[float]:
    """Return seconds to read, to rank and to render the records."""
    marks = [time.perf_counter()]
    runs, problems = repository.read(folder, keep=anytime.thinned)
    marks.append(time.perf_counter())
    board = assessment.assess(runs)
    marks.append(time.perf_counter())
    leaderboard.text(board, problems)
    marks.append(time.perf_counter())
    return [end - start for start, end in itertools.pairwise(marks)]


def command(arguments: Sequence[str]) -> Used:
    """Run `python -m bench` with the arguments."""
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", WEIGHED, *arguments],
        env=threads.environment_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Used(time.perf_counter() - start, int(ended.stderr.split()[-1]) / 1000)

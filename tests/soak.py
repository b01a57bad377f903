"""The long tests, for `make soak`; tests/faults runs short ones of the same.

    python tests/soak.py kills --kills 100 --runs 400
    python tests/soak.py soak --runs 1000
    python tests/soak.py store --runs 30

kills: `bench run` is killed with kill -9 at random moments and started again, until all its runs are done.
soak: one campaign of quick runs of which one in ten goes wrong.
store: one campaign whose records go to an object store that refuses all requests for seconds, again and again.
Each prints its figures as JSON and ends with status 1 when anything was lost, torn, done twice or left behind.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from object_store import KEYS, Busy, fronted, served

ROOT = Path(__file__).parent.parent
FAULTY = Path(__file__).parent / "faulty"
sys.path[:0] = [str(ROOT), str(FAULTY)]

from implementations import METHODS  # noqa: E402

KNOWN = dict(METHODS)
from sitecustomize import flaky_end  # noqa: E402

METHODS.clear()
METHODS.update(KNOWN)  # the methods that go wrong are for workers, not for whoever imports this

from bench.execution import janitor  # noqa: E402
from bench.machine.system import processes  # noqa: E402
from bench.records import repository, stores  # noqa: E402

SOAK_LIMITS = ["--timeout", "8", "--memory", "500M"]
WARM = 0.1  # of the runs: what the harness imports and caches once is there by then
GROWTH = 1.10
#: how the flaky method's faults are named
NAMED = {"hoards": "oom", "overflows": "diverged", "floods": "ok", "litters": "ok", "escapes": "ok"} | dict.fromkeys(
    ("hangs", "hangs_in_grandchild"), "timeout"
)


class Bench:
    """`bench run` in a folder of its own, with temporary files of its own."""

    def __init__(self, folder: Path, method: str, seeds: range, *options: str) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.results = folder / "results"
        self.temporary.mkdir(parents=True)
        selection = ["--quick", "--task", "ten-step", "--method", method, "--seeds", ",".join(map(str, seeds))]
        self.command = [sys.executable, "-m", "bench", "run", *selection, "--results", "results", *options]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(FAULTY)]),
            "FAULTY_PIDS": str(folder / "pids"),
            "TMPDIR": str(self.temporary),
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; what it prints goes to a file."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def records(self) -> dict[str, tuple[int, int]]:
        """The records by name, with what changes when one is written again."""
        found = {name: (self.results / name).stat() for name in repository.names(self.results)}
        return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}

    def strays(self) -> list[int]:
        """Processes that a run has started and that are still there, and the methods' children among them."""
        noted = self.folder / "pids"
        pids = {int(pid) for pid in noted.read_text().split()} if noted.exists() else set()
        mine = str(self.temporary).encode()
        return [
            pid
            for pid in {*pids, *processes.marked(janitor.VARIABLE, "")}
            if mine in processes.variables_of(pid) + command_of(pid)
        ]

    def leftovers(self) -> list[str]:
        """Temporary files, beside the records and elsewhere."""
        files = [*self.temporary.iterdir(), *self.folder.rglob("*.tmp"), *self.results.glob(".running")]
        return [str(path.relative_to(self.folder)) for path in files]


def command_of(pid: int) -> bytes:
    """What a process was started with: a daemon may have wiped its environment; empty once it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def settle(bench: Bench, seconds: float = 5) -> None:
    """Wait until nothing is left behind, or too long."""
    end = time.monotonic() + seconds
    while (bench.strays() or bench.leftovers()) and time.monotonic() < end:
        time.sleep(0.05)


def kills(folder: Path, count: int, runs: int, seed: int = 1) -> dict[str, Any]:
    """Kill a campaign `count` times, each at a random moment, and let it finish then."""
    chance, start = random.Random(seed), time.monotonic()
    bench = Bench(folder, "last_value", range(runs))
    seen: dict[str, tuple[int, int]] = {}
    lost = again = strays = killed_at_work = 0
    for number in range(count + 1):
        process = bench.start()
        if number < count:
            try:
                process.wait(chance.uniform(0.2, 3.5))
            except subprocess.TimeoutExpired:
                killed_at_work += 1
            process.kill()
        process.wait()
        if number < count:
            settle_processes(bench)
        strays += len(bench.strays())
        records = bench.records()
        lost += len(seen.keys() - records.keys())
        again += sum(records[name] != mark for name, mark in seen.items() if name in records)
        seen = records
    settle(bench)
    valid, problems = repository.read(bench.results)
    return {
        "runs": runs,
        "kills": count,
        "kills while it ran": killed_at_work,
        "records": len(valid),
        "lost": lost,
        "torn": len(problems),
        "done twice": again,
        "stray processes": strays,
        "temporary files": len(bench.leftovers()),
        "seconds": round(time.monotonic() - start),
        "as expected": not (lost or again or strays or problems or bench.leftovers())
        and sorted(run.spec.seed for run in valid) == list(range(runs)),
    }


def settle_processes(bench: Bench, seconds: float = 5) -> None:
    """Wait until no process of a killed campaign is left, or too long."""
    end = time.monotonic() + seconds
    while bench.strays() and time.monotonic() < end:
        time.sleep(0.02)


def soak(folder: Path, seeds: range) -> dict[str, Any]:
    """One campaign in which one run in ten goes wrong; the harness's memory is watched from outside."""
    start = time.monotonic()
    bench = Bench(folder, "flaky", seeds, *SOAK_LIMITS)
    process = bench.start()
    memory = dict(watch(process, bench))
    settle(bench)
    valid, problems = repository.read(bench.results)
    wrong = [
        f"seed {run.spec.seed}: {run.status}, {run.reason}" for run in valid if run.status != expected(run.spec.seed)
    ]
    warm = [held for done, held in memory.items() if WARM * len(seeds) <= done < len(seeds)]
    growth = warm[-1] / warm[0] if warm else 1.0
    return {
        "runs": len(seeds),
        "faults": sum(flaky_end(seed) is not None for seed in seeds),
        "records": len(valid),
        "torn": len(problems),
        "with another status than expected": wrong,
        "stray processes": len(bench.strays()),
        "temporary files": len(bench.leftovers()),
        "harness MiB": [round(held / 2**20, 1) for held in (warm[0], warm[-1])] if warm else [],
        "growth": round(growth, 3),
        "seconds": round(time.monotonic() - start),
        "as expected": not (problems or wrong or bench.strays() or bench.leftovers())
        and growth <= GROWTH
        and sorted(run.spec.seed for run in valid) == list(seeds),
    }


def store(folder: Path, runs: int, seed: int = 1) -> dict[str, Any]:
    """One campaign into an object store that answers and is busy by turns, once it has taken a record."""
    chance, start = random.Random(seed), time.monotonic()
    with served() as url, fronted(url) as front:
        urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()
        bench = Bench(folder, "last_value", range(runs), "--results", "s3://bucket/soak")
        bench.environment |= {**KEYS, "AWS_ENDPOINT_URL": front, "HOME": str(folder)}
        os.environ.update(KEYS, AWS_ENDPOINT_URL=url)
        process, place, flaps = bench.start(), stores.Remote("s3://bucket/soak"), 0
        while process.poll() is None:
            time.sleep(chance.uniform(0.5, 3))
            if repository.names(place):
                Busy.refusals, flaps = 10**9, flaps + 1
                time.sleep(chance.uniform(0.5, 4))
                Busy.refusals = 0
        valid, problems = repository.read(place)
    seeds = sorted(run.spec.seed for run in valid)
    return {
        "runs": runs,
        "times it was busy": flaps,
        "records": len(valid),
        "torn": len(problems),
        "exit status": process.returncode,
        "stray processes": len(bench.strays()),
        "seconds": round(time.monotonic() - start),
        "as expected": not (problems or bench.strays() or process.returncode)
        and seeds == list(range(runs))
        and flaps > 0,
    }


def watch(process: subprocess.Popen[bytes], bench: Bench) -> Iterator[tuple[int, int]]:
    """Records so far, and the bytes that the harness holds, as long as it runs."""
    harness = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            yield len(repository.names(bench.results)), harness.memory_info().rss
        except psutil.Error:
            break
        time.sleep(0.2)
    process.wait()


def expected(seed: int) -> str:
    """The status of the flaky method's run."""
    end = flaky_end(seed)
    return NAMED.get(end, "failed") if end else "ok"


def main() -> int:
    """Run one of the tests as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", choices=("kills", "soak", "store"))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--runs", type=int)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aheadbench-soak-") as folder:
        if asked.test == "kills":
            figures = kills(Path(folder) / "kills", asked.kills, asked.runs or 400)
        elif asked.test == "store":
            figures = store(Path(folder) / "store", asked.runs or 30)
        else:
            figures = soak(Path(folder) / "soak", range(asked.runs or 1000))
    print(json.dumps(figures, indent=1))
    return 0 if figures["as expected"] else 1


if __name__ == "__main__":
    sys.exit(main())

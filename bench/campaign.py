"""What `python -m bench run` does, step by step: plan, show or run, keep every record, render the board."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine, plan, progress, results, runner
from bench.errors import UsageError
from bench.plan import Job
from bench.results import Run
from bench.selection import Selection, specs


@dataclass(frozen=True)
class Plan:
    """The jobs to run, and all keys of the selection, those that have a record included."""

    jobs: Sequence[Job]
    keys: frozenset[str]
    files: Mapping[str, str]  # see Selection


def check_workers(jobs: int | None) -> int:
    """How many run at once. Raises UsageError unless each can have a core."""
    available = len(machine.cores())
    if jobs is not None and not 1 <= jobs <= available:
        raise UsageError(f"--jobs {jobs}: 1 to {available} can run here, each on a core of its own")
    return jobs or available


def check_timeout(seconds: float) -> None:
    """Raise UsageError unless the limit is a positive number."""
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--timeout {seconds:g}: a number of seconds above 0 is needed")


def make(selections: Sequence[Selection], folder: Path, force: bool) -> Plan:
    """The jobs of the selections that have no record, after one line on each file that is not a record."""
    found = (spec for selection in selections for spec in specs(selection))
    wanted = list({results.key_of(spec): spec for spec in found}.values())
    runs, problems = results.read(folder)
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    jobs = plan.jobs(wanted, runs, force)
    keys = frozenset(results.key_of(spec) for spec in wanted)
    print(describe(jobs, keys, runs))
    named = [item for selection in selections for item in selection.files.items()]
    files = {name: str(Path(path).absolute()) for name, path in named}  # workers run elsewhere
    return Plan(jobs, keys, files)


def describe(jobs: Sequence[Job], keys: frozenset[str], runs: Sequence[Run]) -> str:
    """What is about to happen, in one line."""
    retried = {run.key for run in runs if run.status not in plan.KEPT} & {job.key for job in jobs}
    kept = len(keys) - len(jobs)
    parts = [f"{len(jobs)} {'run' if len(jobs) == 1 else 'runs'} to do"]
    parts += [f"{kept} there already (--force runs them again)"] if kept else []
    parts += [f"{len(retried)} that did not finish before"] if retried else []
    return ", ".join(parts)


def show(planned: Plan, workers: int) -> int:
    """Print the jobs with predicted minutes, and run nothing."""
    from tabulate import tabulate

    header = ["task", "method", "backend", "seed", "changed", "minutes", "key"]
    if planned.jobs:
        print(tabulate([row(job) for job in planned.jobs], header, disable_numparse=True))
    print(f"in all {minutes(plan.makespan(planned.jobs, workers))} minutes, {workers} at once")
    return 0


def row(job: Job) -> list[str]:
    """A job's cells."""
    spec = job.spec
    changed = " ".join(f"{name}={spec.settings[name]}" for name in spec.changed)
    return [spec.task, spec.method, spec.backend, str(spec.seed), changed, minutes(job.predicted), job.key]


def minutes(seconds: float | None) -> str:
    """Seconds as minutes; a question mark where no record tells."""
    return "?" if seconds is None else f"{seconds / 60:.1f}"


def run(planned: Plan, workers: int, timeout: float, folder: Path, board: Path) -> int:
    """Run the jobs, keep each record at once, render the board; 0 when all went well, 1 when a run did not."""
    results.check_writable(folder)
    failed = 0
    try:
        with (
            progress.Progress(planned.jobs) as display,
            contextlib.closing(runner.run(planned.jobs, workers, timeout, planned.files)) as finished,
        ):
            for job, record in finished:
                results.write(folder, record)
                display.show(job, record)
                failed += record.status != "ok"
    except runner.Stopped as stop:
        return stopped(stop, planned, folder)
    close(planned, folder, board)
    return 1 if failed else 0


def stopped(stop: runner.Stopped, planned: Plan, folder: Path) -> int:
    """Say what is kept and how to go on; the exit status that a shell expects after the signal."""
    kept = {run.key for run in results.read(folder)[0]}
    done = sum(job.key in kept for job in planned.jobs)
    name = signal.Signals(stop.number).name
    kept_runs = f"{done} of {len(planned.jobs)} runs are kept"
    print(f"stopped by {name}: {kept_runs}; the same command goes on from here", file=sys.stderr)
    return 128 + stop.number


def close(planned: Plan, folder: Path, board: Path) -> None:
    """Render the board and show the selection's best rows."""
    from bench import leaderboard

    leaderboard.write(folder, board)
    runs = [run for run in results.read(folder)[0] if run.key in planned.keys]
    print(f"\n{progress.best(runs)}\n\n{board} is rendered from the records in {folder}")

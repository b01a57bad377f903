"""A race of methods within a time budget, each in a separate process on a separate core."""

from __future__ import annotations

import itertools
import queue
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.data.series import Series
from bench.errors import UsageError
from bench.execution import cores, janitor
from bench.execution.coordination import Stopped, next_event, signals
from bench.execution.pool import new_folder
from bench.forecasting import heat as heats
from bench.forecasting.evaluate import Evaluation, Plan
from bench.forecasting.predictor import Training
from bench.machine import resources, threads
from bench.machine.system.cores import pin, pinned
from bench.machine.system.files import temporary_in
from bench.machine.system.processes import KILL, OWN_GROUP, signal_group
from bench.records.files import reason_of
from bench.schema.series import Preparation

SHORTEST = 5.0  # seconds that are worth starting a process for


class Result(NamedTuple):
    """What a method did, or why it did not finish."""

    training: Training
    evaluation: Evaluation | None
    reason: str


class Racers:
    """The processes of a race: all of them, and what they wrote, are gone when it is, however this process ends."""

    def __init__(self, workers: int) -> None:
        self.workers, self.waiting = workers, deque[heats.Order]()
        self.lock, self.over = threading.Lock(), threading.Event()
        self.alive: set[subprocess.Popen[bytes]] = set()
        self.mark, self.numbers = secrets.token_hex(8), itertools.count(1)
        self.folder, self.janitor = new_folder(self.mark)

    def heat(self, deadline: float) -> Result:
        """Run the next method on a core that nobody holds, for the time that `share` gives it at most.

        It is taken once there is a core: none waits for a busy one while later methods pass it on another.
        """

        def given_up() -> bool:
            return self.over.is_set() or time.monotonic() > deadline - SHORTEST

        with cores.held(threads.cores(), given_up) as core:
            left = deadline - time.monotonic()
            with self.lock:
                seconds, order = self.share(left), self.waiting.popleft()
            if core is None:
                return Result(order.training, None, "no time was left")
            try:
                return self.supervise(order, core, round(seconds, 1))
            except OSError as error:
                return Result(order.training, None, f"could not be started: {reason_of(error)}")

    def share(self, left: float) -> float:
        """Return how many seconds the next method has: twice an equal share of what is left, and half of it at most."""
        return max(SHORTEST, min(left / 2, 2 * left * self.workers / len(self.waiting)))

    def supervise(self, order: heats.Order, core: int, seconds: float) -> Result:
        """Start a process, wait for it, and read what it left."""
        folder = self.folder / f"{self.mark}.{next(self.numbers)}"
        folder.mkdir()
        here = order.training._replace(source=absolute(order.training.source))
        (folder / "order.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(order, training=here)))
        process = self.start(folder, core)
        try:
            process.wait(seconds)
            reason = f"exit status {process.returncode}: {last_line(folder / 'output')}"
        except subprocess.TimeoutExpired:
            reason = f"stopped after {seconds:g} s"
        finally:
            self.end(process, folder.name)
        try:
            found = msgspec.json.decode((folder / "answer.json").read_bytes(), type=heats.Answer)
        except (OSError, ValueError):
            return Result(order.training, None, reason)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Result(order.training, found.evaluation, found.reason or "")

    def start(self, folder: Path, core: int) -> subprocess.Popen[bytes]:
        """Start a process in a new process group, pinned to the core from its first instruction."""
        with self.lock, pinned(core), (folder / "output").open("wb") as output:
            if self.over.is_set():
                raise InterruptedError("the race is over")
            process = subprocess.Popen(
                [sys.executable, "-m", heats.__name__, str(folder)],
                cwd=folder,
                env={**threads.environment_variables(False), janitor.VARIABLE: folder.name, **temporary_in(folder)},
                stdin=subprocess.PIPE,  # open as long as this process lives: how a heat knows
                stdout=output,
                stderr=subprocess.STDOUT,
                **OWN_GROUP,
            )
            pin(process.pid, core)
            self.alive.add(process)
            return process

    def end(self, process: subprocess.Popen[bytes], mark: str) -> None:
        """Leave nothing of a process nor of what it started."""
        signal_group(process, KILL)
        process.wait()
        janitor.end(mark)
        if process.stdin:
            process.stdin.close()
        with self.lock:
            self.alive.discard(process)

    def stop(self) -> None:
        """Kill what is alive and start nothing more."""
        with self.lock:
            self.over.set()
            for process in self.alive:
                signal_group(process, KILL)

    def close(self) -> None:
        """Have the janitor clean up, as it would had this process been killed."""
        self.janitor.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


def last_line(output: Path) -> str:
    """Return the last line that is not empty of what a process printed."""
    lines = output.read_bytes()[-(2**16) :].decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing printed")


def absolute(source: str | None) -> str | None:
    """Return the reference of a method from outside, for a process that starts in another folder."""
    path, colon, name = (source or "").rpartition(":")
    return f"{Path(path).resolve()}:{name}" if colon else source


def run(
    entrants: Sequence[Training], series: list[Series], how: Preparation, planned: Plan, deadline: float
) -> Iterator[Result]:
    """Race the entrants in this order, and yield each as it ends. deadline: of time.monotonic.

    Raises Stopped on SIGINT, SIGTERM and SIGHUP, once every process is gone.
    """
    workers = max(1, int(min(len(threads.cores()), resources.cpu_quota())))
    racing = Racers(workers)
    events: queue.SimpleQueue[Future[Result] | int] = queue.SimpleQueue()
    with (
        ThreadPoolExecutor(workers) as executor,
        signals(events.put),
    ):
        try:
            data = racing.folder / "series.npz"
            heats.write_series(data, series)
            racing.waiting.extend(heats.Order(what, how, planned, str(data)) for what in entrants)
            for _ in entrants:
                executor.submit(racing.heat, deadline).add_done_callback(events.put)
            for _ in entrants:
                event = next_event(events)
                if isinstance(event, int):
                    raise Stopped(event)
                yield event.result()
        except OSError as error:
            raise UsageError(f"the series cannot be written for the race: {reason_of(error)}") from None
        finally:
            racing.stop()
            executor.shutdown(cancel_futures=True)
            racing.close()

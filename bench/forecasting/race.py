"""A race of methods within a budget of time, each in a process and on a core of its own."""

from __future__ import annotations

import queue
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.data.series import Series
from bench.errors import UsageError
from bench.execution import pool
from bench.execution.coordination import Stopped, signals
from bench.execution.limits import Limits
from bench.execution.processes import OutputTail
from bench.forecasting import heat
from bench.forecasting.evaluate import Evaluation, Plan
from bench.forecasting.predictor import Training
from bench.machine import resources, threads
from bench.records.files import reason_of
from bench.schema.series import Preparation

SHORTEST = 5.0  # seconds that are worth starting a process for


class Result(NamedTuple):
    """What a method did, or why it did not finish."""

    training: Training
    evaluation: Evaluation | None
    reason: str


class RacePool(pool.WorkerPool):
    """The processes of a race."""

    module = heat.__name__

    def heat(self, order: heat.Order, deadline: float) -> Result:
        """Run one method, for half of the time that is left at most."""
        core = self.cores.get()
        folder = self.folder / f"{self.mark}.{next(self.numbers)}"
        try:
            left = deadline - time.monotonic()
            if left < SHORTEST or self.over.is_set():
                return Result(order.training, None, "no time was left")
            folder.mkdir()
            return self.supervise_heat(order, folder, core, max(SHORTEST, left / 2))
        except OSError as error:
            return Result(order.training, None, f"could not be started: {reason_of(error)}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self.cores.put(core)

    def supervise_heat(self, order: heat.Order, folder: Path, core: int, seconds: float) -> Result:
        """Start a process, wait for it, and read what it left."""
        kills = resources.oom_kills()
        here = order.training._replace(source=absolute(order.training.source))
        (folder / "order.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(order, training=here)))
        process = self.start(folder, core, False)
        try:
            log = OutputTail(process.stdout)
            ended = self.wait(process, round(seconds, 1))
        finally:
            self.end(process, folder.name)
        ended = ended or pool.outcome(process.returncode, log, resources.oom_kills() > kills)
        if ended is not None:
            return Result(order.training, None, ended[1])
        try:
            found = msgspec.json.decode((folder / "answer.json").read_bytes(), type=heat.Answer)
        except (OSError, ValueError) as error:
            return Result(order.training, None, f"it left no answer: {reason_of(error)}")
        return Result(order.training, found.evaluation, found.reason or "")


def absolute(source: str | None) -> str | None:
    """The reference of a method from outside, for a process that starts in another folder."""
    path, colon, name = (source or "").rpartition(":")
    return f"{Path(path).resolve()}:{name}" if colon else source


def run(
    entrants: Sequence[Training], series: list[Series], how: Preparation, planned: Plan, deadline: float
) -> Iterator[Result]:
    """Race the entrants in this order, and yield each as it ends. deadline: of time.monotonic.

    Raises Stopped on SIGINT, SIGTERM and SIGHUP, once every process is gone.
    """
    workers = max(1, int(min(len(threads.cores()), resources.cpu_quota())))
    racing = RacePool(Limits(workers, max(SHORTEST, deadline - time.monotonic())))
    events: queue.SimpleQueue[Future[Result] | int] = queue.SimpleQueue()
    with (
        ThreadPoolExecutor(workers) as executor,
        signals(events.put, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    ):
        try:
            data = racing.folder / "series.npz"
            heat.write_series(data, series)
            for what in entrants:
                order = heat.Order(what, how, planned, str(data))
                executor.submit(racing.heat, order, deadline).add_done_callback(events.put)
            for _ in entrants:
                event = events.get()
                if isinstance(event, int):
                    raise Stopped(event)
                yield event.result()
        except OSError as error:
            raise UsageError(f"the series cannot be written for the race: {reason_of(error)}") from None
        finally:
            racing.stop()
            executor.shutdown(cancel_futures=True)
            racing.close()

"""Run jobs, each in a separate process on a separate core; every job returns a record, whatever happens in it.

Every process that a worker starts carries the run's mark in its environment, and its temporary files lie in the run's
folder. Both are removed when the run ends; when the harness itself is killed, the janitor removes them.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bench.execution import packs, reuse
from bench.execution.activity import Activities
from bench.execution.coordination import Busy, Stopped, next_event, signals
from bench.execution.handing import DataSource
from bench.execution.jobs import Job
from bench.execution.limits import Limits
from bench.execution.line import Line
from bench.execution.pool import WorkerPool
from bench.records.locks import NoLocks
from bench.schema.record import Run


def run(
    jobs: Sequence[Job],
    limits: Limits,
    locks: NoLocks | None = None,
    files: Mapping[str, str] | None = None,
    data: DataSource | None = None,
    activities: Activities | None = None,
) -> Generator[tuple[Job, Run | None], None, None]:
    """Run the jobs, at most `limits.workers` at once, each within the limits.

    files: where on this machine lies what the specs name, as series of the user's own.
    data: where the series come from, unless they are the task's own.
    activities: where to keep what each run is at, for a display.

    Yields each job with its record as it ends, or with None when another campaign, known through `locks`, has run it.
    A job is released when the caller asks for the next one: by then it has stored the record.

    Raises Stopped on SIGINT, SIGTERM and SIGHUP, once every worker is gone. Signals wait in one queue with finished
    runs, so that none strikes while the caller stores a record.
    """
    locks = locks or NoLocks()
    pool = WorkerPool(limits, files, data=data, activities=activities)
    pool.packs = packs.packs_of(jobs) if limits.pack else {}
    events: queue.SimpleQueue[Future[tuple[Job, Run | None]] | int] = queue.SimpleQueue()
    with (
        ThreadPoolExecutor(limits.workers) as threads,
        signals(events.put),
    ):
        try:
            line = Line(packs.in_order(jobs, pool.packs), reuse.kind_of if limits.reuse else None)
            for job, record in finished(len(jobs), lambda: threads.submit(attempt_next, line, pool, locks), events):
                yield job, record
                locks.release(job.key)
        finally:
            pool.stop()
            threads.shutdown(cancel_futures=True)
            pool.close()


def attempt_next(line: Line, pool: WorkerPool, locks: NoLocks) -> tuple[Job, Run | None]:
    """Run the job whose turn it is; one that another campaign is at goes behind all others. Raises Busy then."""
    job = line.take()
    try:
        return job, pool.attempt(job, locks)
    except Busy:
        line.put_back(job)
        raise


def finished(
    count: int,
    start: Callable[[], Future[tuple[Job, Run | None]]],
    events: queue.SimpleQueue[Future[tuple[Job, Run | None]] | int],
) -> Iterator[tuple[Job, Run | None]]:
    """Start so many jobs and yield each as it ends."""
    for _ in range(count):
        start().add_done_callback(events.put)
    while count:
        event = next_event(events)
        if isinstance(event, int):
            raise Stopped(event)
        if isinstance(event.exception(), Busy):
            start().add_done_callback(events.put)
            continue
        count -= 1
        yield event.result()

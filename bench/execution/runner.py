"""Run jobs, each in a separate process on a separate core; every job returns a record, whatever happens in it.

Every process that a worker starts carries the run's mark in its environment, and its temporary files lie in the run's
folder. Both are removed when the run ends; when the harness itself is killed, the janitor removes them.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bench.execution.activity import Activities
from bench.execution.coordination import Busy, Stopped, next_event, signals
from bench.execution.handing import DataSource
from bench.execution.jobs import Job
from bench.execution.limits import Limits
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
    events: queue.SimpleQueue[Future[Run | None] | int] = queue.SimpleQueue()
    with (
        ThreadPoolExecutor(limits.workers) as threads,
        signals(events.put),
    ):
        try:
            for job, record in finished(jobs, lambda job: threads.submit(pool.attempt, job, locks), events):
                yield job, record
                locks.release(job.key)
        finally:
            pool.stop()
            threads.shutdown(cancel_futures=True)
            pool.close()


def finished(
    jobs: Sequence[Job], start: Callable[[Job], Future[Run | None]], events: queue.SimpleQueue[Future[Run | None] | int]
) -> Iterator[tuple[Job, Run | None]]:
    """Start the jobs and yield each as it ends; one that another campaign is at goes behind all others."""
    left: dict[Future[Run | None], Job] = {}

    def submit(job: Job) -> None:
        future = start(job)
        left[future] = job
        future.add_done_callback(events.put)

    for job in jobs:
        submit(job)
    while left:
        event = next_event(events)
        if isinstance(event, int):
            raise Stopped(event)
        job = left.pop(event)
        if isinstance(event.exception(), Busy):
            submit(job)
            continue
        yield job, event.result()

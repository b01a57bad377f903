"""Run jobs on the nodes of a Dask cluster: as `bench.execution.runner`, a generator of jobs and their records.

    client:  locks.take -> submit -> ...                                        ... -> record -> results.write
    node:    attempt -> a core of the machine -> WorkerPool -> python -m bench.execution.worker

A task is one job. A node runs it as this machine would, with the same limits, worker process and janitor; what goes
over the wire is bytes: the spec and the files that it needs, and the record back. The scheduler sees to lost nodes: it
sends their tasks to others, and takes one result of each. A node stops a run as soon as nobody wants it any more,
because the client is done, has been stopped, or is gone.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.errors import UsageError
from bench.execution.cluster.installation import installation
from bench.execution.cluster.node import Refused, Ticket
from bench.execution.coordination import Stopped, signals
from bench.execution.jobs import Job
from bench.execution.limits import Limits, check_address
from bench.execution.orders import Order, now, unfinished
from bench.machine import environment
from bench.machine.system.processes import without_interrupts
from bench.records import files
from bench.records.locks import NoLocks
from bench.schema.record import Run
from bench.text import clean

if TYPE_CHECKING:
    from distributed import Client, Future

POLL = 0.1  # seconds between two looks at what has finished
COUNT = 1.0  # seconds between two counts of the nodes
LARGEST_FILE = 2**28  # bytes: each node gets a copy


def run(
    jobs: Sequence[Job],
    limits: Limits,
    locks: NoLocks | None = None,
    files: Mapping[str, str] | None = None,
) -> Generator[tuple[Job, Run | None], None, None]:
    """Run the jobs on the cluster's nodes, as many at once as these have slots; else as `runner.run` does.

    Raises UsageError where the scheduler or its nodes are out of reach, or are not installed as this machine is.
    """
    address = limits.cluster or ""
    check_address(address)
    if not jobs:
        return
    contents = {name: content_of(path) for name, path in (files or {}).items()}
    events: queue.SimpleQueue[int] = queue.SimpleQueue()
    differences: set[str] = set()
    try:
        with quiet(), connected(address) as client:
            campaign = ClusterClient(client, address, limits, contents, differences)
            with signals(events.put):
                yield from campaign.run(jobs, locks or NoLocks(), events)
    finally:
        tell(differences)


def tell(differences: set[str]) -> None:
    """Log in which packages the nodes differ from this machine."""
    for line in sorted(differences):
        files.warn(f"{clean(line)}: last digits may differ")


def content_of(path: str) -> tuple[str, bytes]:
    """Return a file's name and content, to be sent to nodes. Raises UsageError where that cannot be."""
    try:
        return Path(path).name, files.read(path, LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path!r} cannot be sent to a cluster's nodes: {files.reason_of(error)}") from None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what Dask logs and warns of: what matters of it is said here, in a line."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect a client to the scheduler there, which runs the same distributed. Raises UsageError."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UsageError("--cluster: distributed is not installed: pip install 'aheadbench[cluster]'") from None
    count = check_address(address)
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(local(count)) if count else address
        try:
            client = stack.enter_context(Client(target, timeout=patience(), set_as_default=False))  # type: ignore[no-untyped-call]
            theirs = client.sync(client.scheduler.versions, callback_timeout=patience())["packages"]["distributed"]
        except Exception as error:  # of many kinds, if something else than a scheduler answers
            raise UsageError(f"--cluster {address}: no scheduler answers there: {said_by(error)}") from None
        if theirs != (ours := installation()["distributed"]):
            raise UsageError(f"--cluster {address}: the scheduler has distributed {theirs}, this machine {ours}")
        yield client


@contextlib.contextmanager
def local(count: int) -> Iterator[Any]:
    """Start a cluster of so many nodes on this machine, each a process with one slot."""
    from distributed import LocalCluster

    with tempfile.TemporaryDirectory(prefix="aheadbench-cluster-") as folder:
        # Ctrl-C in a terminal goes to every process: masked now, it is kept from all threads and processes made here
        with without_interrupts():
            cluster = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,
                local_directory=folder,
                silence_logs=logging.CRITICAL,
            )
        with cluster:
            yield cluster


def patience() -> float:
    """Return seconds to wait for a scheduler or a first node: distributed.comm.timeouts.connect, or 30."""
    import dask
    from dask.utils import parse_timedelta

    return float(parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"), default="s"))


class ClusterClient:
    """The client's end: what is on its way, and whether anybody is there to do it."""

    def __init__(
        self,
        client: Client,
        address: str,
        limits: Limits,
        contents: Mapping[str, tuple[str, bytes]],
        differences: set[str],
    ) -> None:
        self.client, self.address, self.limits, self.differences = client, address, limits, differences
        self.names = {name: file for name, (file, _) in contents.items()}
        # as tasks of their own, what is lost with a node is made again
        self.contents = [client.submit(bytes, content, pure=False) for _, content in contents.values()]
        self.left: dict[Future[Any], Job] = {}
        self.installation = installation()
        self.slots, self.counted, self.manned = 0, 0.0, time.monotonic()

    def run(
        self, jobs: Sequence[Job], locks: NoLocks, events: queue.SimpleQueue[int]
    ) -> Generator[tuple[Job, Run | None], None, None]:
        """See the module's `run`. A job is taken from other campaigns only when there is a slot for it."""
        from distributed import as_completed

        finished = as_completed([], with_results=True, raise_errors=False, loop=self.client.loop)  # type: ignore[no-untyped-call]
        waiting = deque(jobs)
        while waiting or self.left:
            self.count()
            for _ in range(min(len(waiting), self.slots - len(self.left))):
                job = waiting.popleft()
                if not locks.take(job.key):
                    waiting.append(job)  # another campaign is at it: behind all others
                elif locks.is_done(job.name):
                    yield job, None
                    locks.release(job.key)
                else:
                    finished.add(self.submit(job))  # type: ignore[no-untyped-call]
            for future, result in finished.next_batch(block=False):  # type: ignore[no-untyped-call]
                job = self.left.pop(future)
                yield job, self.record(job, future, result)
                locks.release(job.key)
            with contextlib.suppress(queue.Empty):
                raise Stopped(events.get(timeout=POLL))

    def submit(self, job: Job) -> Future[Any]:
        """Send the job on its way."""
        ticket = Ticket(
            spec=job.spec,
            timeout=self.limits.timeout,
            memory=self.limits.memory,
            files=self.names,
            installation=self.installation,
        )
        future = self.client.submit(carried(), msgspec.json.encode(ticket), *self.contents, pure=False)
        self.left[future] = job
        return future

    def count(self) -> None:
        """Count the nodes' slots, once in a while. Raises UsageError where nobody has been there for long."""
        if (moment := time.monotonic()) < self.counted + COUNT:
            return
        self.counted = moment
        try:
            slots = self.client.sync(self.client.scheduler.ncores, callback_timeout=patience())  # type: ignore[no-untyped-call, union-attr]
        except OSError as error:
            raise self.gone(said_by(error)) from None
        self.slots = sum(slots.values())
        if self.slots:
            self.manned = moment
        elif moment > self.manned + patience():
            start = f"`dask worker {self.address}` starts one"
            raise UsageError(f"--cluster {self.address}: no node has been there for {patience():g} s: {start}")

    def gone(self, why: str) -> UsageError:
        """Return the error for a scheduler that was there and is no more."""
        end = "the same command goes on from here once it is back"
        return UsageError(f"--cluster {self.address}: the scheduler is gone ({why}): {end}")

    def record(self, job: Job, future: Future[Any], result: Any) -> Run:
        """Return the record of a finished task. Raises UsageError where a node, not the job, is to blame."""
        from distributed import KilledWorker

        if future.status == "finished":
            run = msgspec.json.decode(result, type=Run)
            self.differences.update(differences_of(run.environment.get("packages"), environment.packages()))
            return run
        if future.status != "error":
            raise self.gone("it has forgotten its tasks")
        error = result[1]
        if isinstance(error, KilledWorker):
            order = Order(spec=job.spec, spawned_ns=0, started_at=now(), workers=0)
            times = error.allowed_failures + 1
            return unfinished(order, "lost", f"its node was lost, at attempt {times} of {times}", {})
        raise UsageError(f"--cluster {self.address}: {said_by(error)}")


def differences_of(there: object, here: Mapping[str, str]) -> Iterator[str]:
    """Yield the packages that a node has in other versions than this machine, each with both."""
    for name, version in there.items() if isinstance(there, dict) else ():
        if here.get(name) != version:
            yield f"a node has {name} {version}, this machine {here.get(name, 'none')}"


def said_by(error: BaseException) -> str:
    """Return an error of Dask's or a node's in one line."""
    if isinstance(error, ModuleNotFoundError):
        return f"a node has no {error.name}: install there what is installed here"
    if isinstance(error, Refused):
        return str(error)
    return clean(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, longest=400)


def carried() -> Callable[..., bytes]:
    """Return what is sent as a task, by its code: by its name, a node without this package would die."""

    def attempt_there(ticket: bytes, *contents: bytes) -> bytes:
        from bench.execution.cluster.node import attempt

        return attempt(ticket, *contents)

    return attempt_there

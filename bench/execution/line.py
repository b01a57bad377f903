"""The jobs that wait: a thread whose worker is there for one kind of jobs takes those first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from bench.execution.jobs import Job
from bench.schema.record import Spec

Group = tuple[float, object]  # the wave, and what its jobs have in common
LAST = float("inf")  # the wave of jobs that another campaign is at


class Line:
    """Jobs in their order, those of one kind one after another within a wave."""

    def __init__(self, jobs: Iterable[Job], kind_of: Callable[[Spec], object] | None = None) -> None:
        """kind_of: what the jobs of a worker have in common; without it every job has a separate worker."""
        self.kind_of = kind_of or (lambda _: None)
        self.lock = threading.Lock()
        self.waiting: dict[Group, deque[Job]] = {}
        self.at: dict[int, Group] = {}  # by thread, what it has taken
        for job in jobs:
            self.add((job.wave if kind_of else 0, self.kind_of(job.spec)), job)

    def add(self, group: Group, job: Job) -> None:
        """Put the job behind those of its group."""
        self.waiting.setdefault(group, deque()).append(job)

    def put_back(self, job: Job) -> None:
        """Put the job behind all others."""
        with self.lock:
            self.add((LAST, self.kind_of(job.spec)), job)

    def take(self) -> Job:
        """Take the job whose turn it is: in the wave one like this thread's last, else one like nobody's."""
        with self.lock:
            mine = threading.get_ident()
            wave = next(iter(self.waiting))[0]
            group = (wave, self.at.get(mine, (0, None))[1])
            if group not in self.waiting:
                others = {group for thread, group in self.at.items() if thread != mine}
                first = next(iter(self.waiting))
                free = (one for one in self.waiting if one[0] == wave and one not in others)
                group = next(free, first)
            self.at[mine] = group
            job = self.waiting[group].popleft()
            if not self.waiting[group]:
                del self.waiting[group]
            return job

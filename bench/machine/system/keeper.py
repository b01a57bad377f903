"""The keeper of a job: the parent of its worker, which imports nothing of others and runs no code of a method.

It adopts every process that the worker starts and leaves behind (Linux: a child subreaper), ends them all once the
worker has ended or the harness is gone, and waits for each, so that the kernel adds their seconds up. Then it ends as
the worker did. Where a process cannot fork, the worker has no keeper: a thread ends it when the harness is gone, and
the harness ends what it leaves.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from bench.machine.system import isolation
from bench.machine.system.processes import CAN_FORK, KILL, STOPPING, end_handle, end_own_group, inherited, kill

TRIES = 1000  # a process that forks as fast as it can has to be hunted down
PAUSE = 0.002  # seconds between two tries
LOOK = 1.0  # seconds between two looks for orphans that have ended
SHORT_LOOK = 0.02  # the same, where the system cannot tell when the worker ends


Work = Callable[[Sequence[int], bool], int]  # handles, and whether all folders are closed -> the exit status


def run(work: Work, names: Sequence[str], read_only: Sequence[str]) -> None:
    """Do the work with the handles of these names and end the process; the folders are read-only where they can be."""
    if not CAN_FORK:
        threading.Thread(target=end_with_input, args=[os.dup(0)], daemon=True).start()
        become_worker(work, names, not read_only)
    isolation.adopt_orphans()
    hidden = isolation.hide(read_only)
    worker = os.fork()
    if not worker:
        become_worker(work, names, isolation.confine(read_only, hidden))
    for name in names:
        os.close(int(name))
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    end_as(keep(worker))


def become_worker(work: Work, names: Sequence[str], closed: bool) -> None:
    """Do the job and leave at once: nothing that runs at the interpreter's end can undo what is finished."""
    status = 1
    try:
        handles = [inherited(name) for name in names]
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        status = work(handles, closed)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def end_with_input(handle: int) -> None:
    """Wait until the harness is gone, however it went, and end this process and all that it started."""
    while os.read(handle, 1):
        continue
    end_own_group()


def keep(worker: int) -> int:
    """Wait until the worker ends, or the harness is gone: standard input closes. End all; the worker's wait status."""
    status = wait(worker)
    for _ in range(TRIES):
        if not (left := children()):
            break
        for pid in left:
            kill(pid)
        if (ended := reap(worker)) is not None:
            status = ended
        time.sleep(PAUSE)
    return int(KILL) if status is None else status


def wait(worker: int) -> int | None:
    """Wait for the worker's end and return its status; None when the harness went first."""
    watched = select.poll()
    watched.register(0, select.POLLIN | select.POLLHUP)
    ended = end_handle(worker)
    if ended is not None:
        watched.register(ended, select.POLLIN)
    while True:
        ready = watched.poll((SHORT_LOOK if ended is None else LOOK) * 1000)
        if (status := reap(worker)) is not None:
            return status
        if any(handle == 0 for handle, _ in ready) and not os.read(0, 1):
            return None


def reap(worker: int) -> int | None:
    """Wait for every process that has ended; the worker's status if it is one of them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found = ended[1] if ended[0] == worker else found
    return found


def children() -> list[int]:
    """List the processes that this one is the parent of, also by adoption."""
    me = os.getpid()
    try:
        with open(f"/proc/self/task/{me}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return scanned(me)


def scanned(parent: int) -> list[int]:
    """List the same from all processes; without /proc from psutil."""
    if not os.path.isdir("/proc"):
        import psutil

        return [one.pid for one in psutil.Process(parent).children()]
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{int(name)}/stat") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == parent:
                found.append(int(name))
    return found


def end_as(status: int) -> None:
    """End this process as the worker ended: by the same signal, or with the same exit status."""
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != KILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)

"""The process of one job, `python -m bench.execution.worker GIVEN LEFT MARKS`, and the keeper that it runs under.

    harness -> keeper -> worker -> whatever the method starts

The keeper imports nothing of others and runs no code of a method. It adopts every process that the worker starts and
leaves behind (Linux: a child subreaper), ends them all once the worker has ended or the harness is gone, and waits for
each, so that the kernel adds their seconds up. Then it ends as the worker did.

What comes in and out goes by handles, see `bench.execution.orders`; what the method prints goes elsewhere and cannot
spoil it. Nothing heavy is imported before the clock runs.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time

TRIES = 1000  # a process that forks as fast as it can has to be hunted down
PAUSE = 0.002  # seconds between two tries
LOOK = 1.0  # seconds between two looks for orphans that have ended
SHORT_LOOK = 0.02  # the same, where the system cannot tell when the worker ends


def main() -> None:
    """Do the order that comes by the handles named on the command line, with the folders named there read-only."""
    entered = time.perf_counter_ns()
    handles = [int(number) for number in sys.argv[1:4]]
    from bench.execution import isolation

    isolation.adopt_orphans()
    isolation.hide(sys.argv[4:])
    worker = os.fork()
    if not worker:
        become_worker(handles, entered)
    for handle in handles:
        os.close(handle)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_as(keep(worker))


def become_worker(handles: list[int], entered: int) -> None:
    """Do the job and leave at once: nothing that runs at the interpreter's end can undo what is finished."""
    status = 1
    try:
        for handle in handles:
            os.set_inheritable(handle, False)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        from bench.execution.measure import Channels, work

        status = work(Channels(*handles), entered)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def keep(worker: int) -> int:
    """Wait until the worker ends, or the harness is gone: standard input closes. End all; the worker's wait status."""
    status = wait(worker)
    for _ in range(TRIES):
        if not (left := children()):
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if (ended := reap(worker)) is not None:
            status = ended
        time.sleep(PAUSE)
    return signal.SIGKILL if status is None else status


def wait(worker: int) -> int | None:
    """Wait for the worker's end and return its status; None when the harness went first."""
    watched = select.poll()
    watched.register(0, select.POLLIN | select.POLLHUP)
    look = SHORT_LOOK
    with contextlib.suppress(AttributeError, OSError):  # Linux 5.3, not macOS
        watched.register(os.pidfd_open(worker), select.POLLIN)
        look = LOOK
    while True:
        ready = watched.poll(look * 1000)
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
    """The processes that this one is the parent of, also by adoption."""
    me = os.getpid()
    try:
        with open(f"/proc/self/task/{me}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return scanned(me)


def scanned(parent: int) -> list[int]:
    """The same, from the list of all processes; none on a system without /proc."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{int(name)}/stat") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == parent:
                found.append(int(name))
    return found


def end_as(status: int) -> None:
    """End this process as the worker ended: by the same signal, or with the same exit status."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()

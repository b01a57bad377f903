"""Processes: groups of them, signals, handles that a child gets, and those that carry a mark in their environment."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
CAN_FORK = hasattr(os, "fork")
CAN_POLL = hasattr(select, "poll")  # wait for several pipes at once
HAS_PROC = sys.platform == "linux" and os.path.isdir("/proc/self")
#: seconds between two looks for signals, where waiting for a queue keeps them off
WAKE = 0.5 if sys.platform == "win32" else None
#: arguments of Popen for a child that the terminal's signals do not reach, and that is ended with all it started
OWN_GROUP: dict[str, Any] = (
    {"start_new_session": True}
    if hasattr(os, "killpg")
    else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
)


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal to the process's group; without groups (Windows), end the process and its descendants."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            end_tree(process.pid)


def end_own_group() -> None:
    """End this process and all that it started."""
    if hasattr(os, "killpg"):
        os.killpg(0, KILL)
    end_tree(os.getpid(), inclusive=False)
    os._exit(1)


def end_tree(pid: int, inclusive: bool = True) -> None:
    """End the descendants of a process, and with `inclusive` the process first."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        descendants = process.children(recursive=True)
        for one in [process, *descendants] if inclusive else descendants:
            with contextlib.suppress(psutil.Error):
                one.kill()


def kill(pid: int) -> None:
    """End a process at once, unless it is gone or somebody else's."""
    with contextlib.suppress(ProcessLookupError, PermissionError, OSError):
        os.kill(pid, KILL)


def is_ended_by(code: int) -> str | None:
    """Return the name of the signal that ended a process with this exit code; None for an exit status."""
    if code >= 0:
        return None
    return next((one.name for one in signal.Signals if one.value == -code), f"signal {-code}")


def for_child(handles: Sequence[int]) -> tuple[list[str], dict[str, Any]]:
    """Return names of open files for a child's command line, and the arguments of Popen that pass them on.

    The child opens a name with `inherited`.
    """
    if sys.platform != "win32":
        return [str(handle) for handle in handles], {"pass_fds": list(handles)}
    import msvcrt

    names = [msvcrt.get_osfhandle(handle) for handle in handles]
    for name in names:
        os.set_handle_inheritable(name, True)
    return [str(name) for name in names], {
        "startupinfo": subprocess.STARTUPINFO(lpAttributeList={"handle_list": names})
    }


def inherited(name: str) -> int:
    """Return the handle that a parent passed on under this name; the children of this process do not get it."""
    if sys.platform != "win32":
        os.set_inheritable(int(name), False)
        return int(name)
    import msvcrt

    return msvcrt.open_osfhandle(int(name), os.O_RDWR | os.O_BINARY)


def end_handle(pid: int) -> int | None:
    """Return a handle that can be read once the process has ended; None where there is none (before Linux 5.3)."""
    with contextlib.suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


def reap(process: subprocess.Popen[bytes]) -> float | None:
    """Return the CPU seconds of a process that has ended and of all that it waited for; None while it runs.

    On Windows 0, because the system forgets them: `cpu_seconds` has to be asked in the meantime.
    """
    if not hasattr(os, "wait4"):
        return None if process.poll() is None else 0.0
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its living descendants; 0 once it is gone."""
    import psutil

    total = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                used = one.cpu_times()
                total += used.user + used.system
    return total


def marked(variable: str, mark: str) -> list[int]:
    """List the processes whose variable begins with the mark. A zombie has no environment any more."""
    wanted = f"{variable}={mark}".encode()
    return [pid for pid in all_processes() if any(one.startswith(wanted) for one in variables_of(pid).split(b"\0"))]


def all_processes() -> list[int]:
    """List the processes of this machine."""
    if HAS_PROC:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    import psutil

    return list(psutil.pids())


def variables_of(pid: int) -> bytes:
    """Return the variables that a process was started with, as Linux keeps them; empty where they cannot be read."""
    if HAS_PROC:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
        return b""
    import psutil

    try:
        return "\0".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items()).encode()
    except (psutil.Error, OSError, UnicodeError):
        return b""


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from the threads and processes that are made within the block (not on Windows)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

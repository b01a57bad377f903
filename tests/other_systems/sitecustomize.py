"""Show aheadbench a system without the calls of Linux: PRETEND_SYSTEM=darwin or win32, and this folder in PYTHONPATH.

The modules of `bench` and `implementations` see stand-ins of os, sys, signal, select, socket and subprocess without the
calls that it lacks; fcntl and resource cannot be imported on Windows, and nobody opens a file in /proc. Python itself
and the libraries see the real system, so that what is tested is this project's part alone.
"""

from __future__ import annotations

import builtins
import io
import os
import select
import signal
import socket
import subprocess
import sys
import types

LINUX_ONLY = {
    "os": (
        "sched_getaffinity sched_setaffinity memfd_create MFD_CLOEXEC MFD_ALLOW_SEALING pidfd_open posix_fadvise "
        "POSIX_FADV_WILLNEED"
    ),
    "select": "epoll",
    "signal": "pidfd_send_signal",
}
POSIX_ONLY = {
    "os": (
        "fork wait4 wait3 waitpid WNOHANG WIFSIGNALED WTERMSIG killpg setsid getpgid getuid geteuid getgid statvfs "
        "pread pwrite preadv pwritev O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_DIRECTORY uname sysconf mkfifo set_blocking "
        "get_inheritable set_inheritable getloadavg"
    ),
    "select": "poll",
    "signal": "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGPIPE pthread_sigmask sigwait setitimer",
    "socket": "AF_UNIX MSG_WAITALL",
}
SYSTEM = os.environ.get("PRETEND_SYSTEM", "")
REAL = {"os": os, "select": select, "signal": signal, "socket": socket, "sys": sys, "subprocess": subprocess}


class Missing(AttributeError):
    """The system has no such call."""


class StandIn(types.ModuleType):
    """A module without some of its names; what is set is set in the module."""

    def __init__(self, real: types.ModuleType, hidden: set[str], other: dict[str, object]) -> None:
        self.__dict__.update(real=real, hidden=hidden, other=other, __spec__=real.__spec__)

    def __getattr__(self, name: str) -> object:
        if name in self.__dict__["hidden"]:
            raise Missing(f"{self.__dict__['real'].__name__}.{name} on {SYSTEM}")
        other = self.__dict__["other"]
        return other[name] if name in other else getattr(self.__dict__["real"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["real"], name, value)


class WindowsPopen(subprocess.Popen):
    """A child that gets handles by way of STARTUPINFO alone, and a group by way of creationflags."""

    def __init__(self, *arguments: object, startupinfo: object = None, creationflags: int = 0, **more: object) -> None:
        assert not {"pass_fds", "preexec_fn", "start_new_session", "process_group"} & set(more), sorted(more)
        assert creationflags in (0, NEW_GROUP)
        handles = startupinfo.lpAttributeList["handle_list"] if startupinfo else []  # type: ignore[attr-defined]
        assert all(handle % 4 == 0 for handle in handles)
        super().__init__(*arguments, pass_fds=[handle // 4 for handle in handles], **more)  # type: ignore[call-overload]


class StartupInfo:
    """What Popen takes on Windows."""

    def __init__(self, lpAttributeList: dict[str, list[int]]) -> None:  # noqa: N803
        self.lpAttributeList = lpAttributeList


def seen(name: str) -> types.ModuleType:
    """The module as the pretended system has it."""
    if name == "msvcrt":
        return types.SimpleNamespace(get_osfhandle=lambda fd: 4 * fd, open_osfhandle=lambda handle, _: handle // 4)  # type: ignore[return-value]
    hidden = set(LINUX_ONLY.get(name, "").split())
    other: dict[str, object] = {"platform": SYSTEM} if name == "sys" else {}
    if SYSTEM == "win32":
        hidden |= set(POSIX_ONLY.get(name, "").split())
        if name == "os":
            other = {
                "name": "nt",
                "O_BINARY": 0,
                "set_handle_inheritable": lambda handle, _: os.set_inheritable(handle // 4, True),
            }
        if name == "subprocess":
            other = {"Popen": WindowsPopen, "STARTUPINFO": StartupInfo, "CREATE_NEW_PROCESS_GROUP": NEW_GROUP}
    return StandIn(REAL[name], hidden, other)


def is_ours(scope: object) -> bool:
    """Whether an import or a call stands in this project's code."""
    return (
        isinstance(scope, dict)
        and str(scope.get("__name__")).partition(".")[0] in ("bench", "implementations")
        or (isinstance(scope, dict) and str(scope.get("__package__")).partition(".")[0] == "bench")
    )


def pretend() -> None:
    """Replace `import` and `open`."""
    real_import, real_open = builtins.__import__, io.open

    def import_(name: str, globals=None, locals=None, fromlist=(), level=0):  # type: ignore[no-untyped-def]  # noqa: A002
        if level == 0 and is_ours(globals):
            if SYSTEM == "win32" and name in ("fcntl", "resource", "pwd", "grp", "pty"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in STAND_INS:
                return STAND_INS[name]
        return real_import(name, globals, locals, fromlist, level)

    def open_(file, *arguments, **more):  # type: ignore[no-untyped-def]
        if str(file).startswith(("/proc", "/sys/fs")) and is_ours(sys._getframe(1).f_globals):
            raise FileNotFoundError(2, "No such file or directory", str(file))
        return real_open(file, *arguments, **more)

    builtins.__import__, builtins.open = import_, open_


NEW_GROUP = 512
if SYSTEM:
    STAND_INS = {name: seen(name) for name in (*REAL, *(["msvcrt"] if SYSTEM == "win32" else []))}
    pretend()

"""What the kernel does for a job, where the system lets it: adopt orphans, close folders, a /dev/shm for it alone.

Folders are closed by a mount namespace: as root, else in a user namespace. Where neither is allowed, as in many
containers, Landlock closes them (`bench.machine.system.landlock`).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.machine.system import landlock

PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = 1, 32, 4096, 16384, 1 << 18, 1 << 21
#: flags of a mount that a user namespace may not take off; they have the same numbers in statvfs
KEPT = sum(getattr(os, f"ST_{name}", 0) for name in ("NOSUID", "NODEV", "NOEXEC", "NOATIME", "NODIRATIME"))
ST_RELATIME = getattr(os, "ST_RELATIME", 0)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent has ended, instead of process 1 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide(read_only: Sequence[str]) -> bool:
    """See these folders read-only, and an empty /dev/shm that ends with this process and its children.

    Returns whether the folders are: it takes root's right to mount, or a user namespace. Else nothing changes.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not enter_namespace(libc) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        return False
    if os.path.isdir("/dev/shm"):
        libc.mount(b"aheadbench", b"/dev/shm", b"tmpfs", 0, b"mode=1777")
    closed = [make_read_only(libc, Path(folder).resolve()) for folder in read_only]
    os.chdir(os.getcwd())  # as the mounts show it
    return all(closed)


def confine(read_only: Sequence[str], hidden: bool) -> bool:
    """Give up, for this process and all that it starts, other processes, mounts, and writing to these folders.

    hidden: whether they are read-only already. Returns whether no writing to them is left.
    """
    if not hidden and landlock.confine(read_only):
        return True
    landlock.confine([])
    return hidden


def enter_namespace(libc: ctypes.CDLL) -> bool:
    """Enter a mount namespace: as root, else in a user namespace, tried out in a child first. Tells whether it did."""
    if not libc.unshare(CLONE_NEWNS):
        return True
    child = os.fork()
    if not child:
        os._exit(not (enter_user_namespace(libc) and not libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)))
    return os.waitpid(child, 0)[1] == 0 and enter_user_namespace(libc)


def enter_user_namespace(libc: ctypes.CDLL) -> bool:
    """Enter a user namespace, as the same user and group, and a mount namespace in it. Tells whether it did."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError:
        return False
    return True


def make_read_only(libc: ctypes.CDLL, folder: Path) -> bool:
    """Mount a folder on itself, read-only, and those above it as they are: what is mounted on cannot be moved away.

    Tells whether that worked.
    """
    place, flags = os.fsencode(folder), os.statvfs(folder).f_flag
    kept = (flags & KEPT) | (MS_RELATIME if flags & ST_RELATIME else 0)
    above = list(folder.parents)[-2::-1]  # from below the root down
    if any(libc.mount(one, one, None, MS_BIND | MS_REC, None) for one in (*map(os.fsencode, above), place)):
        return False
    return not libc.mount(None, place, None, MS_BIND | MS_REMOUNT | MS_RDONLY | kept, None)

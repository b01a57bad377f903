"""Landlock (Linux 5.13): what a process gives up for itself and its children, without any right.

A process that gives up anything so can no longer mount or unmount, nor look into processes outside: not by ptrace, not
by /proc/PID/root, mem or fd. From Linux 6.12 on it also cannot signal them. Source: the kernel's
Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # system calls, the same on every architecture
PR_SET_NO_NEW_PRIVS = 38
VERSION_ASKED, PATH_BENEATH, SCOPE_SIGNAL = 1, 1, 2
WRITE_FILE, MAKE_BLOCK = 1 << 1, 1 << 11
#: rights on what lies in a folder: to remove and to make files of each kind
CHANGE_FOLDER = sum(1 << bit for bit in (4, 5, 6, 7, 8, 9, 10, 11, 12))
REFER, TRUNCATE = 1 << 13, 1 << 14  # from version 2 and 3 on: move between folders, and cut files
MOST_RULES = 5000  # entries next to the closed folders and above them: with more, a run would start late


def version() -> int:
    """Return the version of Landlock here; 0 without it."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_ASKED)))


def confine(closed: Sequence[str]) -> bool:
    """Give up looking into other processes, signals to them, mounts, and writing to the closed folders.

    To close a folder, all else is granted one by one: in a folder above a closed one nothing new can be made then.
    Returns whether it worked; else nothing is given up.
    """
    if not (known := version()):
        return False
    writing = WRITE_FILE | CHANGE_FOLDER | REFER * (known >= 2) | TRUNCATE * (known >= 3)
    handled = writing if closed else MAKE_BLOCK  # something has to be handled; nobody makes block devices
    scoped = SCOPE_SIGNAL if known >= 6 else 0
    attributes = struct.pack("QQQ", handled, 0, scoped)[: 24 if known >= 6 else 16 if known >= 4 else 8]
    libc = ctypes.CDLL(None, use_errno=True)
    rules = libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    try:
        if closed and not all(grant(libc, rules, place, writing) for place in neighbours(closed)):
            return False
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return not libc.syscall(RESTRICT_SELF, rules, 0)
    except (OSError, OverflowError):
        return False
    finally:
        os.close(rules)


def grant(libc: ctypes.CDLL, rules: int, place: str, rights: int) -> bool:
    """Allow writing to a file, or in a folder; what is gone needs no right."""
    try:
        handle = os.open(place, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        allowed = rights if os.path.isdir(place) else rights & (WRITE_FILE | TRUNCATE)
        return not libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", allowed, handle), 0)
    finally:
        os.close(handle)


def neighbours(closed: Sequence[str]) -> Iterator[str]:
    """Yield the entries next to the closed folders and to each folder above them; no symlinks, which lead elsewhere.

    Raises OverflowError for more than MOST_RULES entries, OSError for a folder that cannot be listed.
    """
    shut = {Path(folder).resolve() for folder in closed}
    left, count = [Path("/")], 0
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                place = Path(entry.path)
                if entry.is_symlink() or place in shut:
                    continue
                if any(folder.is_relative_to(place) for folder in shut):
                    left.append(place)
                    continue
                if (count := count + 1) > MOST_RULES:
                    raise OverflowError(f"more than {MOST_RULES} entries")
                yield entry.path

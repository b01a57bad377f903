"""What the kernel does for a job, where the system lets it: adopt orphans, close folders, a /dev/shm for it alone."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent has ended, instead of process 1 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide(read_only: Sequence[str]) -> None:
    """See these folders read-only, and an empty /dev/shm that ends with this process and its children.

    Needs the right to mount (root, or a container that has it); without it, nothing changes.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        return
    if os.path.isdir("/dev/shm"):
        libc.mount(b"aheadbench", b"/dev/shm", b"tmpfs", 0, b"mode=1777")
    for folder in map(os.fsencode, read_only):
        if not libc.mount(folder, folder, None, MS_BIND, None):
            libc.mount(None, folder, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None)

"""Open files: flags, positions, files without a name, and what may be done to a file while it is open."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import shutil
import sys
import tempfile
from pathlib import Path

FROZEN = ("F_SEAL_SEAL", "F_SEAL_SHRINK", "F_SEAL_GROW", "F_SEAL_WRITE")
OPEN_IS_FIXED = sys.platform == "win32"  # a file cannot be renamed or removed while it is open
PRIVATE = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0) | getattr(os, "O_BINARY", 0)
AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # opening a pipe does not wait for its other end
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def release(handle: int) -> None:
    """Let a file be renamed or removed while its handle is kept: on Windows the handle then leads nowhere."""
    if OPEN_IS_FIXED:
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), handle)


def is_mine(status: os.stat_result) -> bool:
    """Return whether the file belongs to the user of this process; on Windows, where it does not tell, yes."""
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def fetch(handle: int) -> None:
    """Ask the disk for a file that will be read soon (not on macOS and Windows)."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # a pipe
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)


def temporary_in(folder: Path) -> dict[str, str]:
    """Return the variables that make a child put its temporary files there."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free where the folder lies. Raises OSError."""
    return shutil.disk_usage(folder).free


def new_unnamed() -> int:
    """Return a handle of an empty file without a name: in memory where the kernel can."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aheadbench", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def freeze(handle: int) -> None:
    """Let nobody change an unnamed file any more (Linux)."""
    if hasattr(os, "memfd_create"):
        import fcntl

        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, sum(getattr(fcntl, name) for name in FROZEN))


def write_at(handle: int, content: bytes | memoryview, place: int) -> int:
    """Write all of it from there on; returns where it ends. Where files have one position, it moves."""
    left = memoryview(content)
    if not hasattr(os, "pwrite"):
        os.lseek(handle, place, os.SEEK_SET)
    while left:
        count = os.pwrite(handle, left, place) if hasattr(os, "pwrite") else os.write(handle, left)
        left, place = left[count:], place + count
    return place


def read_into(handle: int, buffer: memoryview, place: int) -> None:
    """Fill the buffer from there on; processes that share the handle do not disturb each other."""
    if hasattr(os, "preadv"):
        while buffer:
            count = os.preadv(handle, [buffer], place)
            if not count:
                raise ValueError(f"the file ends at byte {place}")
            buffer, place = buffer[count:], place + count
    elif buffer:
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as whole:
            buffer[:] = whole[place : place + len(buffer)]


def read_at(handle: int, count: int, place: int) -> bytes:
    """Return so many bytes from there on."""
    content = bytearray(count)
    read_into(handle, memoryview(content), place)
    return bytes(content)


PIPES: dict[tuple[int, int], bytes] = {}  # device and inode -> what a pipe has given


def read_pipe(path: Path, patience: float) -> bytes:
    """Return the bytes of a pipe, as `<(zcat sales.csv.gz)` is one. It gives them once: later calls find them kept.

    Raises ValueError where nobody writes to it within `patience` seconds.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        state = os.fstat(handle)
        pipe = state.st_dev, state.st_ino
        ready = select.select([handle], [], [], 0 if pipe in PIPES else patience)[0]
        if ready and (first := file.read(1)):
            os.set_blocking(handle, True)
            PIPES[pipe] = first + file.read()
        elif pipe not in PIPES:
            raise ValueError("a pipe that nobody writes to")
        return PIPES[pipe]

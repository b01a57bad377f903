"""Write a file whole or not at all, read one without trust, and hold a name as long as a process lives."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.machine.system import files as system

LETTERS = 16  # of a temporary name, all hexadecimal
AHEAD = 64  # files asked for before the first is read
HOUR = 3600  # seconds
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # as vboxsf and some 9p answer fsync
TEMPORARY = f".{'[0-9a-f]' * LETTERS}.tmp"  # what all of them match, and no other program's


def replace(path: Path, content: bytes, *, into_new_folder: bool = False) -> None:
    """Put the content in place of the file, whole or not at all, whenever the machine stops and whoever else writes.

    Raises UsageError where the path cannot be written.
    """
    try:
        if into_new_folder:
            make_folder(path.parent)
        try:
            put(path, content)
        except FileNotFoundError:  # a campaign on another machine may take an unfinished file for one left behind
            put(path, content)
        sync(path.parent)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {reason_of(error)}") from None


def put(path: Path, content: bytes) -> None:
    """Write the content to a temporary file, then rename it to the path."""
    with temporary(path) as (handle, name):
        write_all(handle, content)
        sync_handle(handle)
        system.release(handle)
        name.replace(path)


def make_folder(folder: Path) -> None:
    """Create the folder and those above it, each durable in its own."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[tuple[int, Path]]:
    """Open and lock a new file in the path's folder, under a unique name; remove it at the end unless renamed.

    The lock ends with the process: it shows `sweep` which files are still being written.
    """
    while True:
        # not the path's own name: with a suffix it could be too long
        name = path.with_name(f".{os.urandom(LETTERS // 2).hex()}.tmp")
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | system.PRIVATE, 0o666)
        try:
            if lock(handle) is False:
                continue  # a sweep came between: it takes the file for one that was left
            yield handle, name
            return
        finally:
            system.release(handle)
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)
            os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write it all: a single write may stop short of the end of a full disk."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def lock(handle: int) -> bool | None:
    """Return whether the open file is now this process's alone, and still has a name; None where that cannot be known.

    Never waits. A file system without locks cannot tell: better one job twice than none at all.
    """
    from filelock import lock_descriptor  # here: reading needs none, and its import takes as long as a short command

    try:
        if not lock_descriptor(handle, blocking=False):
            return False
    except OSError as error:
        warn(f"the file system has no locks ({reason_of(error)}): campaigns at the same time may run a job twice")
        return None
    return os.fstat(handle).st_nlink > 0


def hold(path: Path) -> int | None:
    """Lock the file, made where it is missing, and return its handle; None while another process holds it.

    `let_go` ends it, and so does the end of the process, however it comes.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | system.PRIVATE, 0o666)
    if lock(handle) is not False:
        return handle
    os.close(handle)
    return None


def let_go(path: Path, handle: int) -> None:
    """Remove a file that `hold` locked, and unlock it."""
    system.release(handle)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    os.close(handle)


def sweep(folder: Path, pattern: str) -> None:
    """Remove what processes that are gone have left: files that match and that nobody holds.

    Those of other people, and any where locks do not tell, are left alone for an hour.
    """
    with contextlib.suppress(OSError):  # a folder that is not there, or may not be read
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                remove_left_behind(path)


def remove_left_behind(path: Path) -> None:
    """Remove the file unless somebody may still write it. Raises OSError."""
    handle = os.open(path, os.O_RDWR | system.AT_ONCE | system.NO_LINK | system.PRIVATE)
    try:
        status, free = os.fstat(handle), lock(handle)
        is_old = time.time() - status.st_mtime > HOUR
        if free is not False and (is_old or (free and system.is_mine(status))):
            system.release(handle)
            path.unlink()
    finally:
        os.close(handle)


def read(path: str | Path, most: int) -> bytes:
    """Return the content of a plain file.

    Raises ValueError for anything else and beyond `most` bytes, before reading.
    """
    return content_of(open_to_read(path), most)


def read_all(paths: Iterable[str], most: int) -> Iterator[bytes | ValueError | OSError]:
    """Yield the same of each path, or the error for what is none.

    A disk fetches many files in hardly more time than one, when it is asked for them before they are waited for.
    """
    left = iter(paths)
    while batch := list(itertools.islice(left, AHEAD)):
        yield from [either(content_of, handle, most) for handle in [either(open_to_read, path) for path in batch]]


def either(function: Callable[..., Any], argument: Any, *more: Any) -> Any:
    """Return what the function makes of an argument, or its error; an argument that is an error stays what it is."""
    if isinstance(argument, Exception):
        return argument
    try:
        return function(argument, *more)
    except (ValueError, OSError) as error:
        return error


def open_to_read(path: str | Path) -> int:
    """Return a handle of the file, which the disk is asked for. A pipe without a writer does not block."""
    handle = os.open(path, os.O_RDONLY | system.AT_ONCE | system.PRIVATE)
    system.fetch(handle)
    return handle


def content_of(handle: int, most: int) -> bytes:
    """Return what an open file holds; it is closed."""
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a plain file")
        if status.st_size > most:
            raise ValueError(f"{status.st_size} bytes: at most {most} are read")
        return os.read(handle, status.st_size)
    finally:
        os.close(handle)


def sync(folder: Path) -> None:
    """Make a rename in the folder durable, where the system lets a folder be synced."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            sync_handle(handle)
        finally:
            os.close(handle)


def sync_handle(handle: int) -> None:
    """Make what was written durable; where the file system has nothing for that, say so, once, and go on."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        warn(f"the file system cannot sync ({reason_of(error)}): a record may be lost when the machine stops")


@cache
def warn(text: str) -> None:
    """Log a warning once; without a handler for it, Python writes the line to standard error."""
    import logging

    logging.getLogger("bench").warning("%s", text)


def reason_of(error: Exception) -> str:
    """Return an error in one line, without the path that the operating system adds."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else " ".join(str(error).split())


def absolute(paths: Mapping[str, str]) -> dict[str, str]:
    """Return the same paths for processes that run in another folder."""
    return {name: str(Path(path).absolute()) for name, path in paths.items()}

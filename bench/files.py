"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from bench.errors import UsageError


def replace(path: Path, content: bytes, *, into_new_folder: bool = False) -> None:
    """Put the content in place of the file, whole or not at all, whenever the machine stops.

    Raises UsageError where the path cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if into_new_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {reason_of(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)  # there only if something went wrong


def sync(folder: Path) -> None:
    """Make a rename in the folder durable, where the system lets a folder be synced."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def reason_of(error: Exception) -> str:
    """An error in one line, without the path that the operating system adds."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else " ".join(str(error).split())

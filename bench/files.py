"""Write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from bench.errors import UsageError
from bench.results import reason_of, sync


def replace(path: Path, content: bytes) -> None:
    """Put the content in place of the file, in one step: a reader sees the old file or the new one.

    Raises UsageError where the path cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{str(path)!r} cannot be written: {reason_of(error)}") from None

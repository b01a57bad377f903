"""Arrays between processes, in files without a name: in memory where the kernel can, and closed to change once written.

layout  what the arrays are called, their types and shapes, as JSON
file    their bytes, one after the other; a result ends with its JSON and the length of that
"""

from __future__ import annotations

import fcntl
import math
import os
import tempfile
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

TRAILER = 8  # bytes: the length of the JSON before it
TYPES = ("float32", "float64", "int64")
FROZEN = ("F_SEAL_SEAL", "F_SEAL_SHRINK", "F_SEAL_GROW", "F_SEAL_WRITE")


class Layout(msgspec.Struct, frozen=True):
    """One array in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Its bytes. Raises ValueError for what cannot be an array."""
        if self.dtype not in TYPES or any(length < 0 for length in self.shape):
            raise ValueError(f"{self.name}: {self.dtype} {list(self.shape)} is no array")
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def new_file() -> int:
    """A handle of an empty file without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aheadbench", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def freeze(handle: int) -> None:
    """Let nobody change the file any more, where the kernel can see to that."""
    if hasattr(fcntl, "F_ADD_SEALS") and hasattr(os, "memfd_create"):
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, sum(getattr(fcntl, name) for name in FROZEN))


def write(handle: int, arrays: Mapping[str, np.ndarray]) -> list[Layout]:
    """Write the arrays to an empty file; returns what lies there."""
    place, layouts = 0, []
    for name, array in arrays.items():
        place = write_at(handle, np.ascontiguousarray(array).data.cast("B") if array.size else b"", place)
        layouts.append(Layout(name, array.dtype.name, array.shape))
    return layouts


def write_at(handle: int, content: bytes | memoryview, place: int) -> int:
    """Write all of it from there on; returns where it ends."""
    left = memoryview(content)
    while left:
        count = os.pwrite(handle, left, place)
        left, place = left[count:], place + count
    return place


def read(handle: int, layouts: Sequence[Layout]) -> dict[str, np.ndarray]:
    """Read the arrays. Raises ValueError where the file is shorter than they are, before it is read."""
    if sum(layout.size for layout in layouts) > os.fstat(handle).st_size:
        raise ValueError("the file is shorter than its arrays")
    found, place = {}, 0
    for layout in layouts:
        array = np.empty(layout.shape, layout.dtype)
        left = array.reshape(-1).data.cast("B") if array.size else memoryview(b"")
        while left:
            count = os.preadv(handle, [left], place)
            left, place = left[count:], place + count
        found[layout.name] = array
    return found


def leave(handle: int, arrays: Mapping[str, np.ndarray], describe: object) -> None:
    """Write a result: the arrays, and `describe(layouts)` as JSON. It counts once its length is there."""
    os.ftruncate(handle, 0)
    layouts = write(handle, arrays)
    assert callable(describe)
    content = msgspec.json.encode(describe(layouts))
    end = write_at(handle, content, sum(layout.size for layout in layouts))
    write_at(handle, len(content).to_bytes(TRAILER, "little"), end)


def description(handle: int, most: int) -> bytes:
    """The JSON of a result. Raises FileNotFoundError where there is none, ValueError where it cannot be one."""
    size = os.fstat(handle).st_size
    if size < TRAILER:
        raise FileNotFoundError("no result")
    length = int.from_bytes(os.pread(handle, TRAILER, size - TRAILER), "little")
    if length > min(most, size - TRAILER):
        raise ValueError(f"{length} bytes: at most {min(most, size - TRAILER)} are read")
    return os.pread(handle, length, size - TRAILER - length)

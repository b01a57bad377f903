"""Arrays between processes, in files without a name: in memory where the kernel can, and closed to change once written.

layout  what the arrays are called, their types and shapes, as JSON
file    their bytes, one after the other; a result ends with its JSON and the length of that
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Self

import msgspec
import numpy as np

from bench.machine.system.files import read_at, read_into, write_at

TRAILER = 8  # bytes: the length of the JSON before it
TYPES = ("float32", "float64", "int64")


class Layout(msgspec.Struct, frozen=True):
    """One array in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None  # bytes: of a view, whose elements overlap; None: one after the other

    @property
    def size(self) -> int:
        """Its bytes. Raises ValueError for what cannot be an array."""
        if self.dtype not in TYPES or any(length < 0 for length in (*self.shape, *(self.strides or ()))):
            raise ValueError(f"{self.name}: {self.dtype} {list(self.shape)} is not a valid array")
        if self.strides is None:
            return math.prod(self.shape) * np.dtype(self.dtype).itemsize
        return span(self.shape, self.strides, np.dtype(self.dtype).itemsize)


class Handle:
    """An open file, closed at the end of a block."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.number)


def span(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> int:
    """Return how many bytes a view reaches over."""
    return sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True)) + itemsize


def is_view(array: np.ndarray) -> bool:
    """Return whether elements overlap, as those of the windows of a series do: a copy would be many times as large."""
    forward = array.size > 0 and min(array.strides, default=-1) >= 0
    return forward and span(array.shape, array.strides, array.itemsize) < array.nbytes


def write(handle: int, arrays: Mapping[str, np.ndarray], views: bool = False) -> list[Layout]:
    """Write the arrays to an empty file; returns what lies there. views: what overlaps is written once."""
    place, layouts = 0, []
    for name, array in arrays.items():
        if views and is_view(array):
            reached = span(array.shape, array.strides, array.itemsize) // array.itemsize
            flat = np.lib.stride_tricks.as_strided(array, (reached,), (array.itemsize,), writeable=False)
            place = write_at(handle, flat.data.cast("B"), place)
            layouts.append(Layout(name, array.dtype.name, array.shape, array.strides))
            continue
        place = write_at(handle, np.ascontiguousarray(array).data.cast("B") if array.size else b"", place)
        layouts.append(Layout(name, array.dtype.name, array.shape))
    return layouts


def read(handle: int, layouts: Sequence[Layout], views: bool = False) -> dict[str, np.ndarray]:
    """Read the arrays. Raises ValueError where the file is shorter than they are, before it is read.

    views: whether elements may overlap; else a short file could stand for more than the memory holds.
    """
    if not views and any(layout.strides is not None for layout in layouts):
        raise ValueError("got a view, needed arrays")
    if sum(layout.size for layout in layouts) > os.fstat(handle).st_size:
        raise ValueError("the file is shorter than its arrays")
    found, place = {}, 0
    for layout in layouts:
        kind = np.dtype(layout.dtype)
        whole = (layout.size // kind.itemsize,) if layout.strides is not None else layout.shape
        array = np.empty(whole, kind)
        if array.size:
            read_into(handle, array.reshape(-1).data.cast("B"), place)
        place += array.nbytes
        if layout.strides is not None:
            array = np.lib.stride_tricks.as_strided(array, layout.shape, layout.strides)
        found[layout.name] = array
    return found


def leave(handle: int, arrays: Mapping[str, np.ndarray], describe: object) -> None:
    """Write a result: the arrays, and `describe(layouts)` as JSON. It counts once its length is there."""
    os.ftruncate(handle, 0)
    layouts = write(handle, arrays)
    assert callable(describe)
    describe_as(handle, msgspec.json.encode(describe(layouts)), sum(layout.size for layout in layouts))


def describe_as(handle: int, content: bytes, place: int = 0) -> None:
    """Write the JSON at the end of a file, and last its length."""
    end = write_at(handle, content, place)
    write_at(handle, len(content).to_bytes(TRAILER, "little"), end)


def description(handle: int, most: int) -> bytes:
    """Return the JSON of a result. Raises FileNotFoundError where there is none, ValueError where it cannot be one."""
    size = os.fstat(handle).st_size
    if size < TRAILER:
        raise FileNotFoundError("no result")
    length = int.from_bytes(read_at(handle, TRAILER, size - TRAILER), "little")
    if length > min(most, size - TRAILER):
        raise ValueError(f"{length} bytes: at most {min(most, size - TRAILER)} are read")
    return read_at(handle, length, size - TRAILER - length)

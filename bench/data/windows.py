"""Cut series into history and future, for training, validation and test."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from bench.tasks import Task


class Windows(NamedTuple):
    """What is known, history [N, T, D], and what is to be forecast, future [N, H, D]. Both are read-only."""

    history: np.ndarray
    future: np.ndarray


class Split(NamedTuple):
    """Three sets of different series: none appears in two of them."""

    train: Windows
    validation: Windows
    test: Windows


def cut(series: np.ndarray, task: Task) -> Split:
    """Split series [N, T + H, D] by the task's sizes, in order.

    Raises ValueError for another shape or type, a NaN or an infinity.
    """
    check(series, task)
    ends = np.cumsum([0, task.train, task.validation, task.test])
    parts = [windows(series[start:end], task.history) for start, end in zip(ends[:-1], ends[1:], strict=True)]
    return Split(*parts)


def windows(series: np.ndarray, history: int) -> Windows:
    """Copies of the first T values and of the rest."""
    return read_only(series[:, :history].copy(), series[:, history:].copy())


def read_only(history: np.ndarray, future: np.ndarray) -> Windows:
    """The two arrays, closed for writing."""
    for array in (history, future):
        array.setflags(write=False)
    return Windows(history, future)


def check(series: np.ndarray, task: Task) -> None:
    """Raise ValueError unless series is [N, T + H, D] float32 and finite."""
    needed = f"[{task.count}, {task.history + task.ahead}, D] float32"
    if series.ndim != 3 or series.dtype != np.float32 or series.shape[:2] != (task.count, task.history + task.ahead):
        raise ValueError(f"{task.name}: got series {list(series.shape)} {series.dtype}, needed {needed}")
    if not np.isfinite(series).all():
        row = int(np.flatnonzero(~np.isfinite(series).all(axis=(1, 2)))[0])
        raise ValueError(f"{task.name}: series {row} holds a NaN or an infinity")

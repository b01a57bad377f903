"""Cut series into history and future, for training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from implementations.kinds import IMPUTE

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

    Raises ValueError for another shape or type, an infinity, or a NaN that no task hides.
    """
    check(series, task)
    ends = np.cumsum([0, task.train, task.validation, task.test])
    parts = [windows(series[start:end], task.history) for start, end in zip(ends[:-1], ends[1:], strict=True)]
    return Split(*parts)


def windows(series: np.ndarray, history: int) -> Windows:
    """Return copies of the first T values and of the rest."""
    return read_only(series[:, :history].copy(), series[:, history:].copy())


def appended(part: Windows, series: np.ndarray) -> Windows:
    """Return the windows of a part, and after them those of further series [N, T + H, D]."""
    more = windows(series, part.history.shape[1])
    return read_only(*(np.concatenate(pair) for pair in zip(part, more, strict=True)))


def views(series: Sequence[np.ndarray], which: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Return windows [N, length, D] of series [L, D], each from its start: views of one series' memory where they are
    even.

    Raises ValueError for a window beyond the end of its series.
    """
    if not len(which):
        return np.empty((0, length, series[0].shape[1]), dtype=series[0].dtype)
    steps = np.unique(np.diff(starts))
    if len(np.unique(which)) == 1 and len(steps) <= 1 and (not len(steps) or steps[0] > 0):
        return rolling(series[which[0]], length)[starts[0] :: steps[0] if len(steps) else 1][: len(starts)]
    found = np.empty((len(which), length, series[0].shape[1]), dtype=series[0].dtype)
    order = np.argsort(which, kind="stable")
    bounds = np.flatnonzero(np.diff(which[order], prepend=-1, append=-1))  # where the windows of a series begin and end
    for first, end in zip(bounds[:-1], bounds[1:], strict=True):
        mine = order[first:end]
        found[mine] = rolling(series[which[mine[0]]], length)[starts[mine]]
    return found


def rolling(values: np.ndarray, length: int) -> np.ndarray:
    """Return all windows [L - length + 1, length, D] of a series [L, D], as views."""
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=0).transpose(0, 2, 1)


def read_only(history: np.ndarray, future: np.ndarray) -> Windows:
    """Return the two arrays, closed for writing."""
    for array in (history, future):
        array.setflags(write=False)
    return Windows(history, future)


def check(series: np.ndarray, task: Task) -> None:
    """Raise ValueError unless series is [N, T + H, D] float32 and finite."""
    needed = f"[{task.count}, {task.history + task.ahead}, D] float32"
    if series.ndim != 3 or series.dtype != np.float32 or series.shape[:2] != (task.count, task.history + task.ahead):
        raise ValueError(f"{task.name}: got series {list(series.shape)} {series.dtype}, needed {needed}")
    known = np.isfinite(series)
    if task.kind == IMPUTE:
        known[:, : task.history] |= np.isnan(series[:, : task.history])
    if not known.all():
        row = int(np.flatnonzero(~known.all(axis=(1, 2)))[0])
        raise ValueError(f"{task.name}: series {row} holds a NaN or an infinity")

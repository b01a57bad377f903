"""Series that a formula makes, the same to the last digit wherever they are drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.tasks import Task


def generate_time_series(count: int, length: int, random: np.random.RandomState) -> np.ndarray:
    """Draw two sine waves of random frequency and offset plus uniform noise: [count, length, 1] float32.

    Source: the reference, section Data. `random` is NumPy's legacy generator, whose stream is frozen: the reference's
    figures come from it.
    """
    frequency1, frequency2, offset1, offset2 = random.rand(4, count, 1)
    time = np.linspace(0, 1, length)
    series: np.ndarray = 0.5 * np.sin((time - offset1) * (frequency1 * 10 + 10))
    series += 0.2 * np.sin((time - offset2) * (frequency2 * 20 + 20))
    series += 0.1 * (random.rand(count, length) - 0.5)
    return series[..., np.newaxis].astype(np.float32)


def sines(task: Task) -> np.ndarray:
    """Draw the reference's series for a task, or the first ones of the task it is part of: [N, T + H, 1] float32."""
    drawn = (task.within or task).count
    series = generate_time_series(drawn, task.history + task.ahead, np.random.RandomState(task.seed))
    return series[: task.count]


def further_sines(task: Task) -> np.ndarray:
    """Draw the further series that a task is tested on: the generator goes on after all of `sines`.

    [further_test, T + H, 1] float32.
    """
    random, length = np.random.RandomState(task.seed), task.history + task.ahead
    generate_time_series(task.count, length, random)
    return generate_time_series(task.further_test, length, random)


GENERATORS: dict[str, Callable[[Task], np.ndarray]] = {"sines": sines}
FURTHER: dict[str, Callable[[Task], np.ndarray]] = {"sines": further_sines}


def load(task: Task) -> np.ndarray:
    """The task's series, [N, T + H, D] float32, without the further ones to test on."""
    return GENERATORS[task.dataset](task)


def load_further(task: Task) -> np.ndarray:
    """The further series to test on, [N, T + H, D] float32."""
    return FURTHER[task.dataset](task)

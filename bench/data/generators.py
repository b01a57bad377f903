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


def generators(task: Task) -> np.ndarray:
    """Draw series of four generators, and which of them made each, one-hot in H more steps: [N, T + 4, 1] float32.

    All have a frequency and a phase drawn alike, a root mean square of 0.35 and the reference's noise: a sine, a
    square wave, a chirp that gets faster by half, and an autoregression of second order.
    """
    random, steps = np.random.RandomState(task.seed), task.history
    frequency, phase = random.rand(2, task.count, 1)
    time = np.linspace(0, 1, steps)
    angle = (frequency * 20 + 10) * time + 2 * np.pi * phase
    chirp = angle + (frequency * 20 + 10) * time**2 / 4
    wave = np.sin(angle)
    drawn = autoregressions(frequency * 20 + 10, steps, random)
    shapes = np.stack([wave, np.sign(wave), np.sin(chirp), drawn])
    made = random.randint(len(shapes), size=task.count)
    series = shapes[made, np.arange(task.count)]
    series *= 0.35 / np.sqrt((series**2).mean(axis=1, keepdims=True))
    series += 0.1 * (random.rand(*series.shape) - 0.5)
    whole: np.ndarray = np.concatenate([series, np.eye(len(shapes))[made]], axis=1)[..., np.newaxis].astype(np.float32)
    return whole


def autoregressions(frequency: np.ndarray, steps: int, random: np.random.RandomState, root: float = 0.97) -> np.ndarray:
    """Draw x_t = 2 r cos(w) x_{t-1} - r^2 x_{t-2} + e_t, [N, steps], w of a frequency [N, 1] in radians a unit of time.

    Box and Jenkins 1970, chapter 3: roots of modulus r, so that oscillations come and go.
    """
    angle, shocks = frequency[:, 0] / (steps - 1), random.normal(size=(steps + 50, len(frequency)))
    x = [np.zeros(len(frequency))] * 2
    for shock in shocks:
        x.append(2 * root * np.cos(angle) * x[-1] - root**2 * x[-2] + shock)
    found: np.ndarray = np.stack(x[-steps:], axis=1)
    return found


def gaps(task: Task) -> np.ndarray:
    """Draw the reference's series, of which a stretch of H steps inside is hidden: [N, T + H, 1] float32.

    The first T steps have NaN there; the H behind them are what is hidden. The stretch begins anywhere, with at least
    five known steps before and after it.
    """
    random, steps, hidden = np.random.RandomState(task.seed), task.history, task.ahead
    series = generate_time_series(task.count, steps, random)
    starts = random.randint(EDGE, steps - hidden - EDGE + 1, size=(task.count, 1))
    places = starts + np.arange(hidden)
    rows = np.arange(task.count)[:, None]
    asked = series[rows, places]
    series[rows, places] = np.nan
    return np.concatenate([series, asked], axis=1)


EDGE = 5  # steps that are known before and after what is hidden
GENERATORS: dict[str, Callable[[Task], np.ndarray]] = {"sines": sines, "generators": generators, "gaps": gaps}
FURTHER: dict[str, Callable[[Task], np.ndarray]] = {"sines": further_sines}


def load(task: Task) -> np.ndarray:
    """Return the task's series, [N, T + H, D] float32, without the further ones to test on."""
    return GENERATORS[task.dataset](task)


def load_further(task: Task) -> np.ndarray:
    """Return the further series to test on, [N, T + H, D] float32."""
    return FURTHER[task.dataset](task)

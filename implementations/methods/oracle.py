"""The limit: a fit of the very formula that the series were made by. A reference, no competitor.

    x_t = 0.5 sin(w_1 t + p_1) + 0.2 sin(w_2 t + p_2) + noise        10 <= w_1 <= 20 <= w_2 <= 40

Section "data" of the notes: two sines whose amplitudes are known, and whose frequencies w and phases p are each series'
own. They are found by least squares on its history, and the formula goes on from there. What is left is the noise to
come, 0.1^2 / 12, and what noise in the history leaves unknown of four numbers. No method that has to learn the form
from examples can be expected to come closer.

The sum of squares has many minima in w. For fixed frequencies the formula is linear, so a grid of them is compared by
projection, and the best few are where Levenberg and Marquardt's method (scipy, MINPACK) starts.
"""

from __future__ import annotations

from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows
from implementations.statistical import forecast_each

AMPLITUDES = (0.5, 0.2)
SLOW, FAST = range(10, 21), range(20, 41)  # frequencies, in radians per unit of time
LEAST = 4  # steps: as many as there are unknowns


class Oracle(Forecaster):
    """Fits each channel of each series; starts: how many points of the grid are followed to their minimum."""

    starts: int = 4
    #: time between two steps: history and future together take one unit
    step: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if type(self.starts) is not int or self.starts < 1:
            raise ValueError(
                f"{self.name or 'oracle'}.starts: got {self.starts!r}, needed a whole number of at least 1"
            )

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Take the time between steps from the lengths of history [N, T, D] and future [N, H, D]; nothing is learnt."""
        check_windows(history, future)
        self.step = 1 / (history.shape[1] + future.shape[1] - 1)
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Fit each series of history [N, T, D] and go on: [N, steps, D] float32.

        Raises ValueError for bad input or less than four steps, RuntimeError before `fit`.
        """
        check_windows(history)
        check_steps(steps)
        if self.step is None:
            raise RuntimeError("oracle: predict_ahead before fit")
        length = history.shape[1]
        if length < LEAST:
            raise ValueError(f"history: got {length} steps, needed at least {LEAST} for oracle")
        seen, ahead = np.split(self.step * np.arange(length + steps), [length])
        return forecast_each(history, lambda series: formula(best_fit(seen, series, self.starts), ahead))

    def weights(self) -> list[np.ndarray]:
        return [] if self.step is None else [np.array([self.step])]

    def state(self) -> dict[str, Any]:
        return {"step": self.step}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.step = state["step"]


def formula(unknown: np.ndarray, time: np.ndarray) -> np.ndarray:
    """The two sines [T] of frequencies and phases w_1, p_1, w_2, p_2."""
    w_1, p_1, w_2, p_2 = unknown
    values: np.ndarray = AMPLITUDES[0] * np.sin(w_1 * time + p_1) + AMPLITUDES[1] * np.sin(w_2 * time + p_2)
    return values


def slopes(unknown: np.ndarray, time: np.ndarray) -> np.ndarray:
    """The derivatives of the formula by each unknown, [T, 4]."""
    w_1, p_1, w_2, p_2 = unknown
    first, second = AMPLITUDES[0] * np.cos(w_1 * time + p_1), AMPLITUDES[1] * np.cos(w_2 * time + p_2)
    return np.stack([time * first, first, time * second, second], axis=1)


def best_fit(time: np.ndarray, series: np.ndarray, starts: int) -> np.ndarray:
    """The unknowns [4] with the least squares that is found from the best starts, for a series [T] at times [T]."""
    from scipy.optimize import least_squares

    found = [
        least_squares(lambda x: formula(x, time) - series, start, jac=lambda x: slopes(x, time), method="lm")
        for start in first_guesses(time, series, starts)
    ]
    unknown: np.ndarray = min(found, key=lambda fit: fit.cost).x
    return unknown


def first_guesses(time: np.ndarray, series: np.ndarray, count: int) -> list[np.ndarray]:
    """The unknowns at the points of the grid that leave least of the series, whatever the amplitudes."""
    pairs, solvers, bases = grid(time.tobytes())
    explained = np.square(bases @ series).sum(axis=1)
    best = np.argsort(-explained, kind="stable")[:count]
    guesses = []
    for (w_1, w_2), solver in zip(pairs[best], solvers[best], strict=True):
        sine_1, cosine_1, sine_2, cosine_2 = solver @ series
        guesses.append(np.array([w_1, np.arctan2(cosine_1, sine_1), w_2, np.arctan2(cosine_2, sine_2)]))
    return guesses


@cache
def grid(times: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of frequencies [G, 2], what solves for sines and cosines [G, 4, T], orthonormal bases [G, 4, T]."""
    time = np.frombuffer(times)
    pairs = np.array([(w_1, w_2) for w_1 in SLOW for w_2 in FAST], dtype=np.float64)
    angles = pairs[:, :, None] * time
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(pairs), 4, -1)
    return pairs, np.linalg.pinv(waves.swapaxes(1, 2)), np.linalg.qr(waves.swapaxes(1, 2))[0].swapaxes(1, 2)

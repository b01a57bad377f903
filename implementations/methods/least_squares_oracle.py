"""Least squares with the very formula that the series were made by. A reference that knows the data, no competitor.

    x_t = 0.5 sin(w_1 t + p_1) + 0.2 sin(w_2 t + p_2) + noise        10 <= w_1 <= 20 <= w_2 <= 40

Section "data" of the reference: two sines whose amplitudes are known; each series has its own frequencies w and phases
p. The four are fitted to the history, and the formula goes on from there. Least squares is best for Gaussian noise. The
noise here is uniform, and `bayes`, which knows that too, comes closer: its error is the limit.

The sum of squares has many minima in w. For fixed frequencies the formula is linear, so a grid of them is compared by
projection (variable projection: Golub & Pereyra 1973, doi:10.1137/0710036), and the best few are followed, all series
at once.
"""

from __future__ import annotations

from dataclasses import field
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from implementations.curve_fitting import refine
from implementations.forecaster import Forecaster, check_steps, check_windows

AMPLITUDES = (0.5, 0.2)
SLOW, FAST = range(10, 21), range(20, 41)  # frequencies, in radians per unit of time
LEAST = 4  # steps: as many as there are unknowns
BLOCK = 256  # series that are computed together: their arrays fit a processor's cache
STEPS = 25  # of Levenberg and Marquardt's method


class LeastSquaresOracle(Forecaster):
    """Fits each channel of each series; starts: how many points of the grid are followed to their minimum."""

    starts: int = 4
    #: time between two steps: history and future together take one unit
    step: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if type(self.starts) is not int or self.starts < 1:
            name = self.name or "least_squares_oracle"
            raise ValueError(f"{name}.starts: got {self.starts!r}, needed a whole number of at least 1")

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
        name = self.name or "least_squares_oracle"
        if self.step is None:
            raise RuntimeError(f"{name}: predict_ahead before fit")
        count, length, channels = history.shape
        if length < LEAST:
            raise ValueError(f"history: got {length} steps, needed at least {LEAST} for {name}")
        seen, ahead = np.split(self.step * np.arange(length + steps), [length])
        rows = np.array(history.swapaxes(1, 2), dtype=np.float64).reshape(-1, length)
        blocks = np.split(rows, range(BLOCK, len(rows), BLOCK))
        forecasts = np.concatenate([self._forecast(block, seen, ahead) for block in blocks])
        return np.ascontiguousarray(forecasts.reshape(count, channels, steps).swapaxes(1, 2), dtype=np.float32)

    def _forecast(self, rows: np.ndarray, seen: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Forecast rows [B, T], seen at times [T], at the times ahead [steps]: [B, steps]."""
        return formula(best_fit(rows, seen, self.starts), ahead)

    def weights(self) -> list[np.ndarray]:
        return [] if self.step is None else [np.array([self.step])]

    def state(self) -> dict[str, Any]:
        return {"step": self.step}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.step = state["step"]


def formula(unknown: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Compute the two sines [B, T] of frequencies and phases w_1, p_1, w_2, p_2 [B, 4]."""
    w_1, p_1, w_2, p_2 = unknown.T[:, :, None]
    values: np.ndarray = AMPLITUDES[0] * np.sin(w_1 * time + p_1) + AMPLITUDES[1] * np.sin(w_2 * time + p_2)
    return values


def slopes(unknown: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Compute the derivatives of the formula by each unknown, [B, T, 4]."""
    w_1, p_1, w_2, p_2 = unknown.T[:, :, None]
    first, second = AMPLITUDES[0] * np.cos(w_1 * time + p_1), AMPLITUDES[1] * np.cos(w_2 * time + p_2)
    return np.stack([time * first, first, time * second, second], axis=2)


def best_fit(rows: np.ndarray, time: np.ndarray, starts: int) -> np.ndarray:
    """Find the unknowns [B, 4] of least squares from the best starts, for rows [B, T] at times [T]."""
    guesses = first_guesses(rows, time, starts)  # [B, starts, 4]
    repeated = np.repeat(rows, guesses.shape[1], axis=0)
    curve = partial(formula, time=time)
    found = refine(guesses.reshape(-1, 4), repeated, curve, partial(slopes, time=time), norm=2, steps=STEPS)
    costs = np.square(repeated - curve(found)).sum(axis=1).reshape(len(rows), -1)
    best: np.ndarray = found.reshape(guesses.shape)[np.arange(len(rows)), costs.argmin(axis=1)]
    return best


def first_guesses(rows: np.ndarray, time: np.ndarray, count: int) -> np.ndarray:
    """Find the unknowns [B, count, 4] at the points of the grid that leave least of rows [B, T] at any amplitudes."""
    pairs, solvers, bases = grid(time.tobytes())
    explained = np.square(rows @ bases.reshape(-1, len(time)).T).reshape(len(rows), len(pairs), -1).sum(axis=2)
    best = np.argsort(-explained, axis=1, kind="stable")[:, :count]
    sine_1, cosine_1, sine_2, cosine_2 = np.moveaxis(np.einsum("bgkt,bt->bgk", solvers[best], rows), 2, 0)
    phases = np.arctan2(cosine_1, sine_1), np.arctan2(cosine_2, sine_2)
    return np.stack([pairs[best, 0], phases[0], pairs[best, 1], phases[1]], axis=2)


@cache
def grid(times: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of frequencies [G, 2], what solves for sines and cosines [G, 4, T], orthonormal bases [G, 4, T]."""
    time = np.frombuffer(times)
    pairs = np.array([(w_1, w_2) for w_1 in SLOW for w_2 in FAST], dtype=np.float64)
    angles = pairs[:, :, None] * time
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(pairs), 4, -1)
    return pairs, np.linalg.pinv(waves.swapaxes(1, 2)), np.linalg.qr(waves.swapaxes(1, 2))[0].swapaxes(1, 2)

"""For methods that extrapolate each channel from its own history, in a shape that the training futures choose.

A method names its shapes, such as the number of sines. `fit` scores each of them, and two naive forecasts, on the
futures of training series. The best shape that a history is long enough for makes the forecast, so a method is as good
as the better naive forecast where its own shapes do not suit the series.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows

Shape = tuple[int, ...]
#: what the shapes have to beat: rows [B, T] -> [B, 1]
NAIVE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "last": lambda rows: rows[:, -1:],
    "mean": lambda rows: rows.mean(axis=1, keepdims=True),
}
SCORED = 300  # rows, each a channel of a training series, that decide between the shapes
VALUES = 15_000  # in these rows: fewer rows decide where they are long, but at least LEAST
LEAST = 50
WIDEST = 128  # steps of a history that the windows of `shares` refer to: a longer one makes them no wider
BLOCK = 256  # rows that are computed together: their arrays fit a processor's cache
LONGEST = 512  # steps of a history that are read, from its end


class Extrapolation(Forecaster):
    """Extrapolates rows, each a channel of a series; `ranking` holds the shapes by their error, the best first."""

    ranking: list[Shape | str] | None = field(init=False, default=None)

    @abstractmethod
    def shapes(self, length: int) -> list[Shape]:
        """List what to choose from for histories of `length` steps; empty where they are too short."""

    @abstractmethod
    def extrapolate(self, rows: np.ndarray, steps: int, shape: Shape) -> np.ndarray:
        """Forecast [B, steps] after rows [B, T], float64."""

    @abstractmethod
    def suits(self, shape: Shape, length: int) -> bool:
        """Say whether a history of `length` steps is long enough for the shape."""

    def variants(self, shape: Shape, length: int) -> list[Shape]:
        """List more shapes to score where this one is the best so far."""
        return []

    def is_chosen(self) -> bool:
        """Say whether the data choose the shape; False where the settings state it."""
        return True

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Rank the shapes by their error on future [N, H, D] after history [N, T, D].

        Raises ValueError for bad input.
        """
        check_windows(history, future)
        rows, truth = rows_of(history), rows_of(future)
        count = min(SCORED, max(LEAST, VALUES // rows.shape[1]))
        few = np.unique(np.linspace(0, len(rows) - 1, count).astype(int))
        rows, truth = rows[few], truth[few]
        shapes = self.shapes(rows.shape[1])
        naive = NAIVE if self.is_chosen() or not shapes else ()
        errors = {shape: self._errors(rows, truth, shape) for shape in (*naive, *shapes)}
        best: Shape | str | None = None
        while best != (best := simplest(errors)):  # until what is close to the best is no better
            near = () if isinstance(best, str) else self.variants(best, rows.shape[1])
            errors |= {shape: self._errors(rows, truth, shape) for shape in near if shape not in errors}
        self.ranking = sorted(errors, key=lambda shape: (shape != best, errors[shape].mean()))
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 after history [N, T, D], in the best shape that T is enough for.

        Raises ValueError for bad input, RuntimeError before `fit`.
        """
        check_windows(history)
        check_steps(steps)
        if self.ranking is None:
            raise RuntimeError(f"{self.name or type(self).__name__}: predict_ahead before fit")
        rows = rows_of(history)
        suited = (one for one in self.ranking if isinstance(one, str) or self.suits(one, rows.shape[1]))
        forecasts = self._forecast(rows, steps, next(suited, "last"))
        series, _, channels = history.shape
        return np.ascontiguousarray(forecasts.reshape(series, channels, steps).swapaxes(1, 2), dtype=np.float32)

    def _errors(self, rows: np.ndarray, truth: np.ndarray, shape: Shape | str) -> np.ndarray:
        """Return the mean squared errors [B] of a shape's forecasts after rows [B, T] against truth [B, H]."""
        errors: np.ndarray = np.square(self._forecast(rows, truth.shape[1], shape) - truth).mean(axis=1)
        return errors

    def _forecast(self, rows: np.ndarray, steps: int, shape: Shape | str) -> np.ndarray:
        """Forecast [B, steps] after rows [B, T], block by block."""
        if isinstance(shape, str):
            return np.repeat(NAIVE[shape](rows), steps, axis=1)
        blocks = np.split(rows, range(BLOCK, len(rows), BLOCK))
        return np.concatenate([self._forecast_block(block, steps, shape) for block in blocks])

    def _forecast_block(self, rows: np.ndarray, steps: int, shape: Shape) -> np.ndarray:
        """Forecast rows [B, T], each divided by its range; a constant row keeps its last value."""
        spread = np.ptp(rows, axis=1, keepdims=True)
        flat = spread <= 1e-12 * np.abs(rows).max(axis=1, keepdims=True)
        scale = np.where(flat, 1.0, spread)
        with np.errstate(all="ignore"):  # what overflows is bounded
            forecasts = scale * self.extrapolate(rows / scale, steps, shape)
        return np.where(flat, rows[:, -1:], bounded(forecasts, rows))

    def state(self) -> dict[str, Any]:
        return {"ranking": self.ranking}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        ranking = state["ranking"]
        self.ranking = ranking and [one if isinstance(one, str) else tuple(one) for one in ranking]


class SubspaceExtrapolation(Extrapolation):
    """Extrapolates by the main components of each history's trajectory matrix [L, T - L + 1].

    window: L, at least 2; rank: the components, at least 1 and less than L. None: chosen on training series.
    """

    window: int | None = None
    rank: int | None = None

    most: ClassVar[int]  # components tried
    shares: ClassVar[tuple[float, ...]]  # windows tried, as shares of a history

    def __post_init__(self) -> None:
        name = self.name or type(self).__name__.lower()
        for setting, least in (("window", 2), ("rank", 1)):
            got = getattr(self, setting)
            if got is not None and (type(got) is not int or got < least):
                raise ValueError(f"{name}.{setting}: got {got!r}, needed a whole number of at least {least}, or none")
        if self.window and self.rank and self.rank >= self.window:
            raise ValueError(f"{name}.rank: got {self.rank}, needed less than the window {self.window}")

    def shapes(self, length: int) -> list[Shape]:
        """List windows and ranks, [window, rank]."""
        windows = [self.window] if self.window else shares(length, self.shares)
        ranks = [self.rank] if self.rank else range(1, self.most + 1)
        return [shape for window in windows for rank in ranks if self.suits(shape := (window, rank), length)]

    def is_chosen(self) -> bool:
        return self.window is None or self.rank is None


def shares(length: int, of: tuple[float, ...]) -> list[int]:
    """Return windows that are such shares of a history of `length` steps, each once."""
    return sorted({round(share * min(length, WIDEST)) for share in of})


def simplest(errors: dict[Shape | str, np.ndarray]) -> Shape | str:
    """Choose the first shape whose errors [B] exceed the best by at most a standard error of the difference."""
    best = min(errors.values(), key=np.mean)
    excess = {shape: one - best for shape, one in errors.items()}
    return next(shape for shape, one in excess.items() if one.mean() <= one.std() / len(one) ** 0.5)


def rows_of(history: np.ndarray) -> np.ndarray:
    """Copy each channel of each series [N, T, D] to a float64 row [N * D, T], at most its last LONGEST steps."""
    recent = history[:, -LONGEST:]
    return np.array(recent.swapaxes(1, 2), dtype=np.float64, order="C").reshape(-1, recent.shape[1])


def bounded(forecasts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Keep forecasts [B, steps] within what a line could reach: a range beyond rows [B, T], and a range more every T.

    What is no number becomes the last value. The bound of a step depends on no later one.
    """
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    beyond = (high - low) * (1 + np.arange(1, forecasts.shape[1] + 1) / rows.shape[1])
    numbers = np.where(np.isfinite(forecasts), forecasts, rows[:, -1:])
    return np.clip(numbers, low - beyond, high + beyond)

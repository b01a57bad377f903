"""For methods that regress the horizon on the window in closed form: all H steps of all channels at once.

Longer forecasts feed their blocks of H steps back. N series, T history steps, H steps ahead, D channels.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from pathlib import Path
from typing import Any, Self

import numpy as np

from implementations.forecaster import Forecaster, check_steps, check_windows
from implementations.strategies import roll_out

FILE = "regression.npz"


class Regression(Forecaster):
    """Maps windows as rows [N, T D] to horizons as rows [N, H D]; `arrays` holds what `solve` found, by name."""

    arrays: dict[str, np.ndarray] = field(init=False, default_factory=dict)
    window: tuple[int, int] | None = field(init=False, default=None)  # T, D

    @abstractmethod
    def solve(self, inputs: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """Find the map from inputs [N, T D] to outputs [N, H D], float64."""

    @abstractmethod
    def forecast(self, inputs: np.ndarray) -> np.ndarray:
        """Map inputs [N, T D] to outputs [N, H D] by `arrays`."""

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Solve for the map from history [N, T, D] to future [N, H, D]. Raises ValueError for bad input."""
        check_windows(history, future)
        self.window = history.shape[1], history.shape[2]
        self.arrays = self.solve(flat(history), flat(future))
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Map the last T steps of history [N, T or more, D]: [N, steps, D] float32.

        Raises ValueError for bad input, RuntimeError before `fit`.
        """
        check_windows(history)
        check_steps(steps)
        if self.window is None:
            raise RuntimeError(f"{self.name or type(self).__name__}: predict_ahead before fit")
        length, channels = self.window
        if history.shape[1] < length or history.shape[2] != channels:
            got = f"got {history.shape[1]} steps of {history.shape[2]} channels"
            raise ValueError(f"history: {got}, needed at least {length} of {channels}")
        return roll_out(self._forecast_block, history[:, -length:], steps)

    def _forecast_block(self, window: np.ndarray) -> np.ndarray:
        """Forecast the next block [N, H, D] float32 after a window [N, T, D]."""
        return self.forecast(flat(window)).reshape(len(window), -1, window.shape[2]).astype(np.float32)

    def parameters(self) -> int:
        return sum(array.size for array in self.arrays.values())

    def weights(self) -> list[np.ndarray]:
        return list(self.arrays.values())

    def state(self) -> dict[str, Any]:
        return {"window": self.window}

    def save(self, folder: Path) -> None:
        super().save(folder)
        np.savez(folder / FILE, allow_pickle=False, **self.arrays)

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.window = state["window"] and tuple(state["window"])
        with np.load(folder / FILE, allow_pickle=False) as saved:
            self.arrays = dict(saved)


def flat(windows: np.ndarray) -> np.ndarray:
    """Copy windows [N, T, D] to rows [N, T D], float64."""
    return windows.reshape(len(windows), -1).astype(np.float64)


def check_number(name: str, got: object, positive: bool) -> None:
    """Raise ValueError unless the setting is None or a number: above 0 where `positive`, else at least 0."""
    number = isinstance(got, int | float) and not isinstance(got, bool)
    if got is not None and not (number and (got > 0 if positive else got >= 0)):  # type: ignore[operator]
        raise ValueError(f"{name}: got {got!r}, needed {'more than 0' if positive else '0 or more'}, or none")

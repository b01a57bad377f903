"""Singular spectrum analysis with the recurrent forecast: the linear recurrence of a history's main components.

    Y = [x_i, ..., x_{i+K-1}], i = 1..L                  the trajectory matrix [L, K] of a history, K = T - L + 1
    U = its first r left singular vectors [L, r]         what they span satisfies a linear recurrence:
    x_t = sum_j R_j x_{t-L+j},   R = (U' pi) / (1 - |pi|^2)     pi: the last row of U, U': its other rows

Golyandina & Zhigljavsky 2013, Singular Spectrum Analysis for Time Series, sections 2.3 and 3.1. The recurrence starts
from the history as the r components rebuild it, by averages over the antidiagonals of U U^T Y. One sine takes two
components, a line two, a level one. Departs from the book: the futures of training series choose window L and rank r.
"""

from __future__ import annotations

import numpy as np

from implementations.extrapolation import Shape, SubspaceExtrapolation


class SSA(SubspaceExtrapolation):
    """Extrapolates the main components of each channel of each series.

    window: L, at least 2; rank: r, at least 1 and less than L. None: chosen on training series.
    """

    most = 6
    shares = (0.25, 0.4, 0.5)

    def suits(self, shape: Shape, length: int) -> bool:
        """Say whether the trajectory matrix has more rows and at least as many columns as components."""
        window, rank = shape
        return rank < window and length - window + 1 >= rank + 1

    def extrapolate(self, rows: np.ndarray, steps: int, shape: Shape) -> np.ndarray:
        """Forecast [B, steps] after rows [B, T] by the recurrence of window L and rank r."""
        window, rank = shape
        trajectories = np.lib.stride_tricks.sliding_window_view(rows, window, axis=1)  # [B, K, L]
        components = np.linalg.eigh(trajectories.swapaxes(1, 2) @ trajectories)[1][:, :, -rank:]  # U [B, L, r]
        last = components[:, -1, :, None]
        rest = np.maximum(1 - np.square(last).sum(axis=1), 1e-9)
        recurrence = (components[:, :-1] @ last)[..., 0] / rest  # R [B, L - 1]
        rebuilt = rebuild((trajectories @ components) @ components.swapaxes(1, 2))
        series = np.concatenate([rebuilt[:, 1 - window :], np.empty((len(rows), steps))], axis=1)
        for ahead in range(window - 1, window - 1 + steps):
            series[:, ahead] = np.einsum("bl,bl->b", recurrence, series[:, ahead - window + 1 : ahead])
        return series[:, window - 1 :]


def rebuild(trajectories: np.ndarray) -> np.ndarray:
    """Return the series [B, T] whose values are the means over all places that they have in trajectories [B, K, L]."""
    count, places, window = trajectories.shape
    sums, times = np.zeros((count, places + window - 1)), np.zeros(places + window - 1)
    for offset in range(window):
        sums[:, offset : offset + places] += trajectories[:, :, offset]
        times[offset : offset + places] += 1
    rebuilt: np.ndarray = sums / times
    return rebuilt

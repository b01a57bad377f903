"""For methods that treat every channel of every series on its own: a series is forecast alone as in any batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def forecast_each(history: np.ndarray, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply rule, float64 [T] -> [steps], to each channel of history [N, T, D]: [N, steps, D] float32."""
    series, _, channels = history.shape
    forecasts = np.stack([rule(row) for row in rows(history)])
    return np.ascontiguousarray(forecasts.reshape(series, channels, -1).swapaxes(1, 2), dtype=np.float32)


def rows(history: np.ndarray) -> np.ndarray:
    """All channels of all series [N, T, D] as float64 rows [N * D, T]: a copy, so the input stays as it is."""
    return np.array(history.swapaxes(1, 2), dtype=np.float64, order="C").reshape(-1, history.shape[1])

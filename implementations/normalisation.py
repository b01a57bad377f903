"""A window by its own statistics: taken off before the network sees it, and given back to what the network forecasts.

    none    as it is
    last    x - x_T                    Zeng, Chen, Zhang and Xu 2023, arXiv:2205.13504 (NLinear)
    mean    x - mean of x
    revin   (x - mean of x) / sqrt(variance of x + epsilon)      Kim et al. 2022, without the affine map that it learns

The loss is that of what is normalised. Plain NumPy, so that every framework gets the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]  # windows -> outputs

KINDS = ("none", "last", "mean", "revin")
EPSILON = 1e-5  # of RevIN


def statistics(kind: str, history: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level and the scale of each window [N, T, D]: [N, 1, D] each."""
    level = history[:, -1:] if kind == "last" else history.mean(axis=1, keepdims=True)
    scale = np.sqrt(history.var(axis=1, keepdims=True) + EPSILON) if kind == "revin" else np.ones_like(level)
    return level.astype(history.dtype), scale.astype(history.dtype)


def restoring(kind: str, predict: Predict, channels: int) -> Predict:
    """Make a function from windows [N, T, D] as they are to outputs as they are, [N, H D] or [N, T', H D]."""
    if kind == "none":
        return predict

    def restored(windows: np.ndarray) -> np.ndarray:
        level, scale = statistics(kind, windows)
        outputs = predict(np.ascontiguousarray((windows - level) / scale))
        by_step = outputs.reshape(len(outputs), -1, channels)
        whole: np.ndarray = (by_step * scale + level).reshape(outputs.shape)
        return whole

    return restored

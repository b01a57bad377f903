"""Arrays of the kinds of questions besides forecasts: hidden steps, probabilities of classes, see `kinds`."""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-12  # of a probability, before its logarithm is taken


def check_gaps(history: np.ndarray) -> np.ndarray:
    """Return which steps are hidden, [N, T]. Raises ValueError unless equally many are in each series, one at least."""
    hidden: np.ndarray = np.isnan(history).any(axis=2)
    counts = hidden.sum(axis=1)
    if counts.min() != counts.max() or not 0 < counts[0] < history.shape[1]:
        raise ValueError(
            f"history: got {counts.min()} to {counts.max()} steps with NaN in a series, "
            f"needed equally many in each, at least 1 and fewer than its {history.shape[1]}"
        )
    return hidden


def read_gaps(history: np.ndarray) -> np.ndarray:
    """Return what a network reads of series with hidden steps, [N, T, D + 1]: zeros there, and a channel that says so.

    Raises ValueError where the steps are not equally many.
    """
    hidden = check_gaps(history)[:, :, None]
    return np.concatenate([np.where(hidden, 0, history), hidden], axis=2).astype(np.float32)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, float32."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    found: np.ndarray = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return found


def cross_entropy(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of the true class's probability, [N]; probabilities and one-hot truth [N, C, ...]."""
    flat = (array.reshape(len(array), -1).astype(np.float64) for array in (found, truth))
    right = np.sum(np.multiply(*flat), axis=1)
    logarithms: np.ndarray = -np.log(np.maximum(right, SMALLEST))
    return logarithms

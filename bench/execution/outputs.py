"""What a method returns, checked: shape and type, finite numbers, and whether it makes sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

BEYOND = 1e6  # times the largest value of the histories: forecasts further out are no forecasts


class Diverged(FloatingPointError):
    """Training or forecasts left the finite numbers."""


class InvalidOutput(ValueError):
    """The method broke its contract: says what was got and what is expected."""


def check_array(array: object, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return an array [shape] of float32.

    Raises InvalidOutput for another type or shape, and Diverged for a NaN or an infinity.
    """
    if type(array) is not np.ndarray:
        raise InvalidOutput(f"{what}: got {type(array).__name__}, expected a NumPy array")
    if array.shape != shape or array.dtype != np.float32:
        got, expected = f"{array.dtype} {list(array.shape)}", f"float32 {list(shape)}"
        raise InvalidOutput(f"{what}: got {got}, expected {expected}")
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        raise Diverged(f"{what}: {wrong} of {array.size} values are not finite")
    return array


def check_size(forecasts: np.ndarray, history: np.ndarray, what: str) -> None:
    """Raise Diverged for forecasts [N, H, D] beyond all measure of the histories [N, T, D] that they follow."""
    largest, allowed = farthest(forecasts), BEYOND * (farthest(history) or 1.0)
    if largest > allowed:
        raise Diverged(f"{what}: got values up to {largest:.3g}, expected at most {allowed:.3g}")


def farthest(values: np.ndarray) -> float:
    """Return the largest absolute value, NaN aside, without a copy of all of them."""
    return float(max(np.fmax.reduce(values, axis=None), -np.fmin.reduce(values, axis=None)))


def check_probabilities(found: np.ndarray, what: str) -> None:
    """Raise InvalidOutput unless the numbers [N, C, 1] of each series are probabilities: at least 0, and 1 together."""
    sums = found.sum(axis=1)
    if found.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        got = f"numbers from {found.min():.3g}, sums from {sums.min():.3g} to {sums.max():.3g}"
        raise InvalidOutput(f"{what}: got {got}, expected probabilities: at least 0, and 1 together")


def constant(forecasts: np.ndarray, history: np.ndarray) -> str | None:
    """Remark that the forecasts [N, H, D] are the same for all series though the histories differ; else None.

    On white noise the mean is the best there is: it is no fault.
    """
    if (forecasts == forecasts[:1]).all() and not (history[:, -1] == history[:1, -1]).all():
        return f"remark: the same forecast for all {len(history)} series"
    return None


def check_curve(curve: Mapping[str, Sequence[float]]) -> None:
    """Raise Diverged when a loss is not finite."""
    for name in ("loss", "val_loss"):
        for epoch, value in enumerate(curve.get(name, []), 1):
            if not np.isfinite(value):
                raise Diverged(f"{name} is {value} in epoch {epoch}")

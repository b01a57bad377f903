"""What the blocks of N-BEATS and N-HiTS expand their coefficients in: fixed matrices, the same for every framework.

A block of H steps ahead from T steps of history gives coefficients theta [N, P], and with matrices [P, T] and [P, H]

    backcast = theta B, forecast = theta F
"""

from __future__ import annotations

from math import ceil

import numpy as np

Basis = tuple[np.ndarray, np.ndarray]


def generic(steps: int, horizon: int) -> Basis:
    """Make every value a coefficient: what the linear layer before learns is the basis."""
    identity = np.eye(steps + horizon, dtype=np.float32)
    return identity[:, :steps], identity[:, steps:]


def trend(steps: int, horizon: int, degree: int = 3) -> Basis:
    """Make polynomials 1, t, ..., t^degree."""
    return _apart(*(np.stack([_time(length) ** power for power in range(degree + 1)]) for length in (steps, horizon)))


def seasonality(steps: int, horizon: int) -> Basis:
    """Make waves cos(2 pi i t) and sin(2 pi i t), i < H / 2: at most one period in every two steps."""
    return _apart(*(_waves(length, ceil(horizon / 2)) for length in (steps, horizon)))


def interpolated(steps: int, horizon: int, every: int) -> Basis:
    """Give the history value by value, and the future at a knot in every so many steps, straight lines between them."""
    knots = ceil(horizon / every)
    middles = (np.arange(horizon) + 0.5) * knots / horizon - 0.5  # a knot is in the middle of its steps
    places = np.clip(middles, 0, knots - 1)
    lines = np.stack([np.interp(places, np.arange(knots), row) for row in np.eye(knots)])
    backcast = np.concatenate([np.eye(steps), np.zeros((knots, steps))])
    forecast = np.concatenate([np.zeros((steps, horizon)), lines])
    return backcast.astype(np.float32), forecast.astype(np.float32)


def basis(kind: str, every: int, steps: int, horizon: int) -> Basis:
    """Make the basis of that name."""
    if kind == "interpolated":
        return interpolated(steps, horizon, every)
    return {"generic": generic, "trend": trend, "seasonality": seasonality}[kind](steps, horizon)


def _time(length: int) -> np.ndarray:
    """Return k / length, k = 0 .. length - 1: within 0 .. 1, so that no power of it grows large."""
    return np.arange(length) / length


def _waves(length: int, count: int) -> np.ndarray:
    angles = [2 * np.pi * number * _time(length) for number in range(count)]
    return np.stack([*map(np.cos, angles), *map(np.sin, angles[1:])])


def _apart(back: np.ndarray, ahead: np.ndarray) -> Basis:
    """Give each of the two, rows over history and rows over the future, its own coefficients."""
    backcast = np.concatenate([back, np.zeros((len(ahead), back.shape[1]))])
    forecast = np.concatenate([np.zeros((len(back), ahead.shape[1])), ahead])
    return backcast.astype(np.float32), forecast.astype(np.float32)

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
    """Make polynomials 1, t, ..., t^degree; t in horizons, 0 at the first step ahead."""
    return _apart([_time(steps, horizon) ** power for power in range(degree + 1)], steps, horizon)


def seasonality(steps: int, horizon: int) -> Basis:
    """Make waves cos(2 pi i t) and sin(2 pi i t), i < H / 2: at most one period in every two steps."""
    angles = [2 * np.pi * number * _time(steps, horizon) for number in range(ceil(horizon / 2))]
    waves = [*map(np.cos, angles), *map(np.sin, angles[1:])]
    return _apart(waves, steps, horizon)


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


def _time(steps: int, horizon: int) -> np.ndarray:
    return np.arange(-steps, horizon) / horizon


def _apart(rows: list[np.ndarray], steps: int, horizon: int) -> Basis:
    """Give each of the two its own coefficients."""
    whole = np.stack(rows).astype(np.float32)
    zeros = np.zeros_like(whole)
    return np.concatenate([whole, zeros])[:, :steps], np.concatenate([zeros, whole])[:, steps:]

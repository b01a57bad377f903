"""Fit a curve with a few unknowns to each of many rows at once.

    B rows, T values in each, P unknowns: rows [B, T], unknown [B, P], the curve's derivatives [B, T, P]

Levenberg and Marquardt's method (Marquardt 1963, doi:10.1137/0111030), for sum_t |noise_t|^norm with an even norm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Curve = Callable[["np.ndarray"], "np.ndarray"]  # unknown [B, P] -> values [B, T], or derivatives [B, T, P]
SMALL, LARGE = 1e-6, 1e4  # a smaller gain, as a share of the cost, or a larger damping end the search of a row


def refine(unknown: np.ndarray, rows: np.ndarray, curve: Curve, slopes: Curve, norm: int, steps: int) -> np.ndarray:
    """Follow the unknowns [B, P] for at most so many steps towards the least sum of |rows - curve|^norm."""
    unknown, noise = unknown.copy(), rows - curve(unknown)
    damping, scale = np.full(len(rows), 1e-3), np.abs(noise).max(axis=1, keepdims=True) + 1e-12
    cost = (np.abs(noise / scale) ** norm).sum(axis=1)
    going = np.arange(len(rows))
    for _ in range(steps):
        step = damped_step(slopes(unknown[going]), noise[going], scale[going], damping[going], norm)
        new = unknown[going] + step
        left = rows[going] - curve(new)
        reached = (np.abs(left / scale[going]) ** norm).sum(axis=1)
        better, ended = reached < cost[going], reached > (1 - SMALL) * cost[going]
        taken = going[better]
        damping[going] *= np.where(better, 1 / 5, 5)
        going_on = ~(better & ended) & (damping[going] < LARGE)
        unknown[taken], noise[taken], cost[taken] = new[better], left[better], reached[better]
        going = going[going_on]
        if not len(going):
            break
    return unknown


def damped_step(slopes: np.ndarray, noise: np.ndarray, scale: np.ndarray, damping: np.ndarray, norm: int) -> np.ndarray:
    """Return the step [B, P] of Gauss and Newton, with weights |noise|^(norm - 2), damped in units of each unknown."""
    weighted = slopes if norm == 2 else slopes * ((noise / scale) ** (norm - 2))[:, :, None]
    curvature = (norm - 1) * weighted.swapaxes(1, 2) @ slopes
    diagonal = np.einsum("bpp->bp", curvature)  # a view
    diagonal *= 1 + damping[:, None]
    return solve(curvature, (noise[:, None] @ weighted)[:, 0])


def solve(matrices: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Solve matrices [B, P, P] for values [B, P], with a ridge that keeps them from being singular."""
    count = matrices.shape[1]
    size = np.trace(matrices, axis1=1, axis2=2)[:, None, None] / max(count, 1)
    ridge = (1e-9 * size + 1e-30) * np.eye(count)
    return np.linalg.solve(matrices + ridge, values[..., None])[..., 0]

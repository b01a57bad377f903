"""ESPRIT: the frequencies of a history by the rotation of its signal subspace; the waves go on undamped.

    S = Y Y^T + J Y Y^T J                      Y [L, K]: the history's trajectory matrix, J turns rows upside down
    U = the r main eigenvectors of S           U without its last row, rotated, is U without its first:  U_1 Phi = U_2
    w_k = the angles of Phi's eigenvalues      a pair w, -w for each sine, 0 for a level
    x_t = sum_k c_k exp(i w_k t)               c by least squares on the history

Roy & Kailath 1989, doi:10.1109/29.32276; S is the forward-backward average (Stoica & Moses 2005, Spectral Analysis of
Signals, sections 4.7 and 4.8). Departs from them: the eigenvalues are put on the unit circle, so nothing grows or
decays, and the futures of training series choose window L and rank r.
"""

from __future__ import annotations

import numpy as np

from implementations.extrapolation import Shape, SubspaceExtrapolation

RIDGE = 1e-8  # of the least squares for c, against waves that are nearly the same


class ESPRIT(SubspaceExtrapolation):
    """Extrapolates the waves of each channel of each series.

    window: L, at least 2; rank: r, at least 1 and less than L. None: chosen on training series.
    """

    most = 6  # two for each sine
    shares = (0.5, 0.6, 2 / 3)

    def suits(self, shape: Shape, length: int) -> bool:
        """Say whether there are two values for each exponential, and columns, counted both ways, for the rank."""
        window, rank = shape
        return rank < window and 2 * (length - window + 1) >= rank and length >= 2 * rank

    def extrapolate(self, rows: np.ndarray, steps: int, shape: Shape) -> np.ndarray:
        """Forecast [B, steps] after rows [B, T] by r exponentials found with window L."""
        length = rows.shape[1]
        time = np.arange(1 - length, steps + 1)
        waves = np.exp(1j * frequencies(rows, *shape)[:, None, :] * time[:, None])  # [B, T + steps, r]
        seen = waves[:, :length]
        adjoint = seen.conj().swapaxes(1, 2)
        ridge = RIDGE * length * np.eye(seen.shape[2])
        amplitudes = np.linalg.solve(adjoint @ seen + ridge, adjoint @ rows[:, :, None])
        forecasts: np.ndarray = (waves[:, length:] @ amplitudes)[..., 0].real
        return forecasts


def frequencies(rows: np.ndarray, window: int, rank: int) -> np.ndarray:
    """Find the angles [B, r], in radians per step, of the r main exponentials of rows [B, T]."""
    trajectories = np.lib.stride_tricks.sliding_window_view(rows, window, axis=1)  # [B, K, L]
    forward = trajectories.swapaxes(1, 2) @ trajectories
    signal = np.linalg.eigh(forward + forward[:, ::-1, ::-1])[1][:, :, -rank:]  # U [B, L, r]
    upper, lower = signal[:, :-1], signal[:, 1:]
    left = upper.swapaxes(1, 2) @ upper + 1e-12 * np.eye(rank)
    rotation = np.linalg.solve(left, upper.swapaxes(1, 2) @ lower)
    return np.angle(np.linalg.eigvals(rotation))

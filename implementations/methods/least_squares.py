"""Linear regression in closed form: all H steps of all channels from the last T values of all channels.

    minimise  sum_n |y_n - W^T x_n - b|^2 + ridge s |W|^2         x [T D], y [H D], W [T D, H D], s = tr(X^T X) / (T D)
    W = (X^T X + ridge s I)^-1 X^T Y      X, Y: rows x_n, y_n without their means;  b = mean y - W^T mean x

Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634. No map of `linear`'s form has a smaller error on the training
series (with ridge 0), so this is the bound of the linear rows. The ridge is chosen by the errors of series left out,
one by one, which follow from the fit on all (Golub, Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751).
"""

from __future__ import annotations

import numpy as np

from implementations.regression import Regression, check_number

RIDGES = tuple(10.0**power for power in range(-8, 4))


class LeastSquares(Regression):
    """A linear map from window to horizon. ridge: the penalty, 0 or more; None: chosen by leave-one-out errors."""

    ridge: float | None = None

    def __post_init__(self) -> None:
        check_number(f"{self.name or 'least_squares'}.ridge", self.ridge, positive=False)

    def solve(self, inputs: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """Find W and b, for all ridges by one eigendecomposition of X^T X."""
        means, level = inputs.mean(axis=0), outputs.mean(axis=0)
        inputs, outputs = inputs - means, outputs - level
        sizes, directions = np.linalg.eigh(inputs.T @ inputs)
        rotated = inputs @ directions
        shared = rotated.T @ outputs
        ridges = np.array(RIDGES if self.ridge is None else [self.ridge])
        inverses = [inverse(np.maximum(sizes, 0) + ridge * sizes.mean()) for ridge in ridges]
        errors = [left_out(rotated, outputs, shared, shrunk) for shrunk in inverses]
        matrix = directions @ (inverses[int(np.argmin(errors))][:, None] * shared)
        return {"matrix": matrix, "offset": level - means @ matrix}

    def forecast(self, inputs: np.ndarray) -> np.ndarray:
        """Map inputs [N, T D] to outputs [N, H D]."""
        return inputs @ self.arrays["matrix"] + self.arrays["offset"]


def inverse(sizes: np.ndarray) -> np.ndarray:
    """Return 1 / sizes [P], and 0 for sizes that are 0 but for rounding."""
    counted = sizes > 1e-12 * sizes.max()
    return np.divide(1, sizes, out=np.zeros_like(sizes), where=counted)


def left_out(rotated: np.ndarray, outputs: np.ndarray, shared: np.ndarray, inverses: np.ndarray) -> float:
    """Return the mean squared error of series by the fits on all others: residuals over 1 - leverages."""
    leverage = np.square(rotated) @ inverses + 1 / len(rotated)
    residuals = outputs - rotated @ (inverses[:, None] * shared)
    return float(np.square(residuals / np.maximum(1 - leverage, 1e-6)[:, None]).mean())

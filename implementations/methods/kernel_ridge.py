"""Kernel ridge regression: a horizon as a weighted sum of how close its window is to each training window.

    f(x) = sum_n a_n k(x, x_n) + mean y,   k(x, x') = exp(-|x - x'|^2 / (width s)),   s: mean |x - x'|^2 in training
    a = (K + ridge I)^-1 (Y - mean y),     K_nm = k(x_n, x_m)

Saunders, Gammerman & Vovk 1998, Ridge Regression Learning Algorithm in Dual Variables (ICML); as the mean of a Gaussian
process: Rasmussen & Williams 2006, algorithm 2.1. width, ridge and whether windows and horizons are taken relative to
the window's last values are chosen on a holdout, from at most CHOSEN_ON windows. Departs from the papers: of more
training windows than `windows`, evenly spaced ones are used, so that K has at most `windows`^2 entries.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from implementations.regression import Regression, check_number

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
CHOSEN_ON = 1_500  # windows, a quarter of them held out
BLOCK = 512  # rows that are forecast together


class KernelRidge(Regression):
    """A smooth map from window to horizon.

    width: of the kernel; ridge: the penalty; both above 0, None: chosen on a holdout.
    windows: at most so many training windows enter, which takes 8 windows^2 bytes.
    """

    width: float | None = None
    ridge: float | None = None
    windows: int = 8_000

    def __post_init__(self) -> None:
        name = self.name or "kernel_ridge"
        check_number(f"{name}.width", self.width, positive=True)
        check_number(f"{name}.ridge", self.ridge, positive=True)
        if type(self.windows) is not int or self.windows < 1:
            raise ValueError(f"{name}.windows: got {self.windows!r}, needed a whole number of at least 1")

    @property
    def channels(self) -> int:
        """How many channels D the windows have."""
        return self.window[1] if self.window else 1

    def parameters(self) -> int:
        return self.arrays["weights"].size if self.arrays else 0

    def solve(self, inputs: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """Choose on a holdout, then find a from all windows."""
        inputs, outputs = thinned(inputs, self.windows), thinned(outputs, self.windows)
        few, futures = thinned(inputs, CHOSEN_ON), thinned(outputs, CHOSEN_ON)
        held = np.arange(len(few)) % 4 == 3
        held |= not held.any()  # of fewer than four windows all are held out, and learnt from
        kept = ~held | held.all()
        errors = {}
        for relative, width in product((0, 1), WIDTHS if self.width is None else (self.width,)):
            for ridge in RIDGES if self.ridge is None else (self.ridge,):
                self.arrays = self._regress(few[kept], futures[kept], relative, width, ridge)
                errors[relative, width, ridge] = np.square(self.forecast(few[held]) - futures[held]).mean()
        return self._regress(inputs, outputs, *min(errors, key=errors.__getitem__))

    def forecast(self, inputs: np.ndarray) -> np.ndarray:
        """Map inputs [N, T D] to outputs [N, H D], in blocks of rows."""
        centres, weights, level, (rate, relative) = self.arrays.values()
        shift = relative * inputs[:, -self.channels :]
        inputs = inputs - tiled(shift, inputs.shape[1])
        blocks = np.split(inputs, range(BLOCK, len(inputs), BLOCK))
        outputs = np.concatenate([kernel(block, centres, rate) @ weights for block in blocks])
        return level + outputs + tiled(shift, outputs.shape[1])

    def _regress(
        self, inputs: np.ndarray, outputs: np.ndarray, relative: int, width: float, ridge: float
    ) -> dict[str, np.ndarray]:
        """Return the training windows [N, T D], their weights a [N, H D], the level, and the kernel in two numbers."""
        shift = relative * inputs[:, -self.channels :]
        inputs, outputs = inputs - tiled(shift, inputs.shape[1]), outputs - tiled(shift, outputs.shape[1])
        level = outputs.mean(axis=0)
        rate = 1 / (width * max(2 * inputs.var(axis=0).sum(), 1e-12))  # mean squared distance: twice the variance
        weights = penalised(kernel(inputs, inputs, rate), ridge, outputs - level)
        return {"centres": inputs, "weights": weights, "level": level, "kernel": np.array([rate, relative])}


def kernel(rows: np.ndarray, centres: np.ndarray, rate: float) -> np.ndarray:
    """Compute k(x, x') [N, M] of rows [N, P] and centres [M, P], with no other array of that size."""
    values = rows @ centres.T
    values *= -2
    values += np.square(rows).sum(axis=1)[:, None]
    values += np.square(centres).sum(axis=1)
    np.maximum(values, 0, out=values)
    values *= -rate
    return np.exp(values, out=values)


def penalised(matrix: np.ndarray, ridge: float, values: np.ndarray) -> np.ndarray:
    """Solve (K + ridge I) a = values by Cholesky's factors, written over K."""
    from scipy import linalg

    matrix[np.diag_indices_from(matrix)] += ridge
    factor = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    solved: np.ndarray = linalg.cho_solve(factor, values, check_finite=False)
    return solved


def thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """Keep at most so many rows, evenly spaced."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]


def tiled(last: np.ndarray, width: int) -> np.ndarray:
    """Repeat last values [N, D] for every step of rows [N, width]."""
    return np.tile(last, width // last.shape[1])

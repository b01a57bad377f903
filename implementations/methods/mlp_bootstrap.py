"""Multi-layer perceptrons that never see a series twice: new ones are drawn from a model fitted to the training series.

    x_t = c(t) + sum_k a_k sin(w_k t + p_k) + e_t            fitted to each training series, all its T + H steps
    x*_t = c(t) + sum_k a_k sin(w_k t + p*_k) + e*_t         p* uniform, e* the residuals of another series
    y = mean over m of MLP_m(x*)                             other p*, e* in each epoch; `mlp` has the equations

A bootstrap of residuals (Efron and Tibshirani 1993, doi:10.1201/9780429246593, chapter 8) that enlarges the training
data of networks (Bandara, Hewamalage, Liu, Kang and Bergmeir 2021, arXiv:2008.02663). Departs from them: sines instead
of seasons and trends by smoothing, whole series of residuals instead of blocks. Not in the reference.

The number of sines and the trend c (none, a level, a line) are chosen as `sinusoids` does, on the training series'
futures, with least squares; residuals are scaled to the series' deviation and for the unknowns fitted. Where no sum of
sines forecasts better than the last value or the mean, networks are trained on the series as they are. So they are on
series from files, where other phases may be impossible, unless resample is set.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from implementations.curve_fitting import refine
from implementations.extrapolation import BLOCK
from implementations.forecaster import Setting
from implementations.methods.mlp import MLP
from implementations.methods.sinusoids import STEPS, Sinusoids, first_guess, model, slopes, waves
from implementations.training.windows import Redraw


class MLPBootstrap(MLP):
    epochs: int = 500
    members: int = 3
    resample: bool = True

    @classmethod
    def adapted(cls, settings: dict[str, Setting], season: int | None) -> dict[str, Setting]:
        """Return the settings without new series, and without flipped and reversed ones."""
        as_they_run: dict[str, Setting] = {"resample": False} if "resample" in settings else {}
        return super().adapted({**settings, **as_they_run}, season)

    @property
    def augments(self) -> bool:
        return super().augments or self.resample

    def redrawing(self, history: np.ndarray, future: np.ndarray) -> Redraw | None:
        """Return what draws new series like history and future; None where they are no sums of sines."""
        if not self.resample:
            return None
        best = (Sinusoids(norm=2).fit(history, future).ranking or ["last"])[0]
        if isinstance(best, str) or best[0] == 0:
            return None
        return SineBootstrap(np.concatenate([history, future], axis=1), *best[:2]).draw


class SineBootstrap:
    """Sines and a trend fitted to each channel of series [N, L, D], what they leave over, and new series from both."""

    def __init__(self, series: np.ndarray, sines: int, trend: int) -> None:
        rows = np.array(series.swapaxes(1, 2), dtype=np.float64, order="C").reshape(-1, series.shape[1])
        self.series, self.length, self.channels = series.shape
        self.sines, time = sines, np.arange(1 - self.length, 1) / self.length
        blocks = np.split(rows, range(BLOCK, len(rows), BLOCK))
        unknown = np.concatenate([fitted(block, time, sines, trend) for block in blocks])
        left = rows - model(unknown, time, sines)
        freedom = self.length / (self.length - 3 * sines - trend)
        self.columns = waves(unknown[:, :sines], time, trend).astype(np.float32)
        self.linear = self._by_series(unknown[:, sines:].astype(np.float32))
        self.noise = self._by_series((np.sqrt(freedom) * left).astype(np.float32))
        self.deviation = self.noise.std(axis=2, keepdims=True)

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Draw a series for each, [N, L, D] float32: the phases and the residuals are others, alike in all channels."""
        phases = np.exp(2j * np.pi * random.random((self.series, 1, self.sines))).astype(np.complex64)
        turned = (self.linear[:, :, : self.sines] + 1j * self.linear[:, :, self.sines : 2 * self.sines]) * phases
        linear = np.concatenate([turned.real, turned.imag, self.linear[:, :, 2 * self.sines :]], axis=2)
        curves = self._by_series((self.columns @ linear.reshape(len(self.columns), -1, 1))[..., 0])
        others = random.integers(self.series, size=self.series)
        scale = self.deviation / np.maximum(self.deviation[others], np.float32(1e-30))
        drawn: np.ndarray = curves + self.noise[others] * scale
        return np.ascontiguousarray(drawn.swapaxes(1, 2))

    def _by_series(self, rows: np.ndarray) -> np.ndarray:
        """Return rows [N D, ...] by series and channel, [N, D, ...]."""
        return rows.reshape(self.series, self.channels, *rows.shape[1:])


def fitted(rows: np.ndarray, time: np.ndarray, sines: int, trend: int) -> np.ndarray:
    """Fit sines and a trend to rows [B, L] at times [L] by least squares; return the unknowns [B, 3 sines + trend]."""
    spread = np.ptp(rows, axis=1, keepdims=True)
    scale = np.where(spread > 0, spread, 1.0)
    known: dict[str, Any] = {"time": time, "sines": sines}
    with np.errstate(all="ignore"):  # atoms that are among what is known already
        start = first_guess(rows / scale, time, sines, trend)
    unknown = refine(start, rows / scale, partial(model, **known), partial(slopes, **known), 2, STEPS)
    unknown[:, sines:] *= scale
    return unknown

"""What a network sees, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from implementations.normalisation import statistics
from implementations.strategies import Strategy
from implementations.training.options import Options
from implementations.training.seeding import AUGMENTATION

Redraw = Callable[["np.random.Generator"], "np.ndarray"]  # -> series [N, T + H, D] to train on in an epoch


class TrainingWindows:
    """What a network sees, epoch after epoch: inputs [N, T', D] and targets [N, ...]."""

    def __init__(
        self, options: Options, strategy: Strategy, history: np.ndarray, future: np.ndarray, seed: int,
        redraw: Redraw | None = None,
    ) -> None:  # fmt: skip
        self.options, self.strategy, self.history, self.future = options, strategy, history, future
        self.redraw = redraw
        self.random = np.random.default_rng([seed, AUGMENTATION])

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Draw the windows of an epoch: as they are, unless an option changes them."""
        if not self.options.augments:
            return self._normalised(self.history, self.history, self.future)
        whole = self.redraw(self.random) if self.redraw else np.concatenate([self.history, self.future], axis=1)
        history, future = self._cut(self._turned(whole))
        seen = history  # targets are without noise, which is for the inputs alone
        if noise := self.options.noise:
            seen = history + np.float32(noise) * self.random.standard_normal(history.shape, dtype=np.float32)
        inputs, targets = self._normalised(seen, history, future)
        return np.ascontiguousarray(inputs), targets

    def _normalised(self, seen: np.ndarray, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets, both by the statistics of what the network sees."""
        if (kind := self.options.window_statistics()) != "none":
            level, scale = statistics(kind, seen)
            seen, history, future = ((part - level) / scale for part in (seen, history, future))
        read = np.concatenate([seen, future], axis=1) if self.options.reads_truth else seen
        return read, self._targets(history, future)

    def _targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        """Return what the network should output: the same from each of its heads."""
        targets, heads = self.strategy.targets(history, future), self.options.output_heads
        if self.options.targets == "last":
            targets = targets[:, -1:]
        return np.tile(targets, heads) if heads > 1 else targets

    def _turned(self, series: np.ndarray) -> np.ndarray:
        """Turn half of the series upside down, and half of them backwards."""
        if self.options.flip:
            series = np.where(self._half(series), -series, series)
        if self.options.reverse:
            series = np.where(self._half(series), series[:, ::-1], series)
        return series

    def _half(self, series: np.ndarray) -> np.ndarray:
        return self.random.integers(2, size=(len(series), 1, 1)).astype(bool)

    def _cut(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut series [N, T + H, D], each at another start, into history and future."""
        steps, horizon = self.history.shape[1] - self.options.shift, self.future.shape[1]
        if self.options.shift:
            starts = self.random.integers(self.options.shift + 1, size=(len(series), 1))
            places = starts + np.arange(steps + horizon)
            series = np.take_along_axis(series, places[:, :, None], axis=1)
        return series[:, :steps], series[:, steps:]

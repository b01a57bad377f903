"""One network in training: its batches and its windows come from its own seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from implementations.backends.protocol import Engine, NetworkMethod
from implementations.training.windows import TrainingWindows


class NetworkTraining:
    """Draw its windows and train it, one epoch at a time."""

    def __init__(
        self, engine: Engine[Any], network: Any, method: NetworkMethod, windows: TrainingWindows, seed: int
    ) -> None:
        self.windows, self.count = windows, len(windows.history)
        self.random = np.random.default_rng(seed)
        self.drawn: tuple[np.ndarray, np.ndarray] | None = windows.draw()
        self.trainer = engine.Trainer(network, method, *self.drawn)

    def epoch(self) -> float:
        """Train on every series once; return the mean loss."""
        if self.windows.options.augments:
            if self.drawn is None:
                self.trainer.show(*self.windows.draw())
            self.drawn = None  # the first epoch's are there already
        return self.trainer.epoch(self.random.permutation(self.count))

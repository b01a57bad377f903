"""The best weights so far, and when to stop."""

from __future__ import annotations

import numpy as np


class EarlyStopping:
    """The best weights so far, by an error that is watched epoch by epoch."""

    def __init__(self, patience: int) -> None:
        self.patience, self.error, self.since = patience, float("inf"), 0
        self.weights: list[list[np.ndarray]] = []  # of each network

    def note(self, error: float) -> bool:
        """Note an epoch's error, and say whether it is the smallest yet."""
        self.since = 0 if error < self.error else self.since + 1
        self.error = min(error, self.error)
        return self.since == 0

    @property
    def over(self) -> bool:
        """Say whether it is time to stop."""
        return self.since >= self.patience

"""What each run is at, for whoever shows a campaign: the pool writes, a display reads, both at any time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.execution.compilation import BACKENDS as COMPILED
from bench.execution.orders import FITTED, READY
from bench.execution.supervision import Watched
from bench.schema.record import Spec


@dataclass
class Activity:
    """One run from the moment that a worker of the pool takes it up."""

    spec: Spec
    since: float = field(default_factory=time.monotonic)
    watched: Watched | None = None  # None until its process starts

    def start(self, watched: Watched) -> None:
        """Note that the run's process has started."""
        self.since, self.watched = time.monotonic(), watched

    @property
    def seconds(self) -> float:
        """Return the seconds since it was taken up, or since its process started."""
        return time.monotonic() - self.since

    @property
    def epochs(self) -> int | None:
        """Return the epochs it trains for; None for methods without them."""
        epochs = self.spec.settings.get("epochs")
        return epochs if isinstance(epochs, int) else None

    @property
    def stage(self) -> str:
        """Return in a word or two what it does or waits for."""
        if self.watched is None:
            return "waits for a core"
        if READY not in self.watched.stamps:
            return "starts"
        if FITTED in self.watched.stamps:
            return "forecasts"
        if self.epochs is None:
            return "fits"
        if not self.watched.epochs and self.spec.backend in COMPILED:
            return "compiles"
        return f"epoch {min(self.watched.epochs + 1, self.epochs)}/{self.epochs}"

    def remaining(self, predicted: float | None) -> float | None:
        """Return the seconds that are left, by earlier runs or by the epochs so far; None where neither tells."""
        if predicted is not None:
            return max(predicted - self.seconds, 0.0)
        if self.watched and self.watched.epochs and self.epochs:
            return self.seconds * max(self.epochs / self.watched.epochs - 1, 0.0)
        return None


Activities = dict[str, Activity]  # by key of the run

"""All seeds of a network trained at once, side by side on one GPU, instead of one after another.

Each seed has the first weights and the batches of a separate run; sums have another order, so that results differ
from that run's as those of two frameworks do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from implementations import backends
from implementations.forecaster import Forecaster, check_windows
from implementations.kinds import FORECAST
from implementations.network import NetworkForecaster
from implementations.normalisation import statistics
from implementations.training.windows import TrainingWindows

BACKEND = "keras-jax"

Watched = tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]  # windows, targets, level and scale of each window


def obstacle(forecaster: Forecaster) -> str:
    """Return why its seeds cannot be trained side by side, in words; empty where they can."""
    if not isinstance(forecaster, NetworkForecaster):
        return "it has no network"
    if forecaster.backend != BACKEND:
        return f"only {BACKEND} trains seeds side by side"
    found = {
        "it answers another question than what comes next": forecaster.kind != FORECAST,
        "its fit is its own": type(forecaster).fit is not NetworkForecaster.fit,
        "each seed stops at another epoch": bool(forecaster.holdout) or forecaster.select != "last",
        "it is several networks already": forecaster.members * forecaster.output_heads > 1,
    }
    return next((reason for reason, holds in found.items() if holds), "")


class Pack:
    """Forecasters that are equal but for their seeds, trained side by side."""

    def __init__(self, first: NetworkForecaster, seeds: tuple[int, ...]) -> None:
        """first: the forecaster of any of the seeds, which gives the network that is used for all of them."""
        if reason := obstacle(first):
            raise ValueError(f"{first.name} cannot be packed: {reason}")
        self.first, self.seeds = first, seeds
        self.curves: dict[int, dict[str, list[float]]] = {seed: {} for seed in seeds}
        self.diverged: dict[int, str] = {}  # seed -> what became of it

    def fit(self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray]) -> None:
        """Train every seed on history [N, T, D] and future [N, H, D], and watch the validation pair.

        Raises ValueError as `NetworkForecaster.fit` does. A seed that diverges does not end the others.
        """
        first = self.first
        check_windows(history, future)
        first._check_length(history, future)
        first.curve, first.seconds = {}, dict.fromkeys(("build", "first_step", "fit", "validate"), 0.0)
        with first._timed("build"):
            self._build(history, future)
        with first._timed("first_step"):
            self.trainer.compile(len(self.seeds), len(history))
        orders = [np.random.default_rng(seed) for seed in self.seeds]
        watched = self._watched(*validation)
        for epoch in range(1, first.epochs + 1):
            with first._timed("fit"):
                if self.windows and epoch > 1:  # the first epoch's are there already
                    self.trainer.show([windows.draw() for windows in self.windows])
                losses = self.trainer.epoch([order.permutation(len(history)) for order in orders])
            self._note(epoch, loss=losses, seconds=np.full(len(orders), first.seconds["fit"]))
            with first._timed("validate"):
                of_all, of_last = self.trainer.errors(*watched)
            self._note(epoch, val_loss=of_all, val_last_step_mse=of_last)
            first.curve = self.curves[first.seed]  # for whoever counts the epochs

    def fitted(self, seed: int) -> NetworkForecaster:
        """Return the forecaster with this seed's weights, until the next one is asked for.

        Raises FloatingPointError where the seed has diverged.
        """
        if seed in self.diverged:
            raise FloatingPointError(self.diverged[seed])
        self.trainer.put(self.seeds.index(seed))
        self.first.seed, self.first.curve = seed, self.curves[seed]
        return self.first

    def _build(self, history: np.ndarray, future: np.ndarray) -> None:
        from implementations.backends.keras.packed import PackedTrainer, start_of

        engine, shape = backends.load(BACKEND), (history.shape[1], history.shape[2], future.shape[1])
        starts = []
        for seed in self.seeds:
            one = type(self.first)(**{**self.first.get_params(), "seed": seed})
            one.build(engine, *shape)
            starts.append(start_of(one.network))
        self.first.build(engine, *shape)
        (training,) = self.first._trainings(engine, history, future)
        trainer: Any = training.trainer
        self.trainer = PackedTrainer(trainer, starts, self.first.aim.every_step)
        drawing = self.seeds if self.first.augments else ()
        self.windows = [TrainingWindows(self.first, self.first.aim, history, future, seed) for seed in drawing]
        if self.windows:
            self.trainer.show([windows.draw() for windows in self.windows])

    def _watched(self, history: np.ndarray, future: np.ndarray) -> Watched:
        """Return what the network reads of the validation pair, its targets, and how outputs are restored."""
        first = self.first
        windows, targets = first._window(history), first.aim.targets(history, future)
        if (kind := first.window_statistics()) == "none":
            return windows, targets, ()
        level, scale = statistics(kind, windows)
        return np.ascontiguousarray((windows - level) / scale), targets, (level, scale)

    def _note(self, epoch: int, **values: np.ndarray) -> None:
        """Add a value of each seed to its curve, until it has diverged."""
        for name, of_seeds in values.items():
            for seed, value in zip(self.seeds, of_seeds, strict=True):
                if not np.isfinite(value):
                    self.diverged.setdefault(seed, f"{name} became {value} in epoch {epoch} of {self.first.epochs}")
                if seed not in self.diverged:
                    self.curves[seed].setdefault(name, []).append(float(value))

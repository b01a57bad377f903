"""What a network answers besides what comes next: the class of a window, and what is hidden inside it.

The network is the same. Its head has an output per class, or per hidden value; it is trained and read at the last
history step, where a recurrent or convolutional network has seen the whole window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from implementations.answers import cross_entropy, probabilities, read_gaps
from implementations.forecaster import check_windows
from implementations.kinds import CLASSIFY, FORECAST, IMPUTE, METHOD
from implementations.normalisation import KINDS
from implementations.strategies import AtTheEnd, Strategy
from implementations.training.options import Options

#: options that belong to forecasts: they change or restore the series, or share its loss between heads
OF_FORECASTS = ("noise", "shift", "flip", "reverse", "output_heads", "normalise")


class NetworkAnswers(Options):
    """Hold what depends on the kind of question, see `implementations.kinds`."""

    strategy: ClassVar[Strategy]
    name: str
    kind: str

    @property
    def options(self) -> Options:
        """Return the options of its training."""
        return self

    @property
    def aim(self) -> Strategy:
        """Return what the network learns to output: its own strategy, or the answer at the last step."""
        return self.strategy if self.kind == FORECAST else AtTheEnd(self.strategy.every_step)

    def check_targets(self, own_gradient: bool) -> None:
        """Raise ValueError for targets that the method has not, and for statistics of steps that are yet to come."""
        if self.targets == "last" and not (self.strategy.every_step and not own_gradient):
            why = "its gradient is its own" if own_gradient else "it forecasts at the last step alone already"
            raise ValueError(f"{self.name}.targets: got last, allowed: every; {why}")
        if (kind := self.window_statistics()) not in KINDS:
            raise ValueError(f"{self.name}.normalise: got {kind!r}, allowed: {', '.join(KINDS)}")
        if kind != "none" and self.at_every_step:
            raise ValueError(
                f"{self.name}.normalise: got {kind}, allowed: none, as forecasts at every step would see later ones in "
                f"the window's statistics; with {self.name}.targets=last, where it has that, all"
            )

    @property
    def at_every_step(self) -> bool:
        """Say whether it is trained to forecast at every history step, not at the last alone."""
        return self.strategy.every_step and self.targets == "every" and self.kind == FORECAST

    def check_kind(self, off: Mapping[str, Any], own_gradient: bool) -> None:
        """Raise ValueError for options that only forecasts have. off: their values where they are off."""
        if self.kind == FORECAST:
            return
        if own_gradient:
            raise ValueError(f"{self.name}.kind: got {self.kind}, allowed: {FORECAST}; its gradient is its own")
        for option in OF_FORECASTS:
            value = getattr(self, option)
            if option in off and value != off[option]:
                raise ValueError(f"{self.name}.{option}: got {value}, allowed to {self.kind}: {off[option]}")

    def asked(self, kind: str) -> None:
        """Raise ValueError where the network was made to answer another kind of question."""
        if kind != self.kind:
            name = self.name or type(self).__name__
            raise ValueError(f"{name}: made to {self.kind}, so ask {METHOD[self.kind]}, not {METHOD[kind]}")

    def read(self, history: np.ndarray) -> np.ndarray:
        """Return what the network reads of a history [N, T, D]: itself, or [N, T, D + 1] with hidden steps marked."""
        return read_gaps(history) if self.kind == IMPUTE else history

    def channels_of(self, channels: int) -> tuple[int, int]:
        """Return how many channels the network reads, and how many numbers it outputs for each step asked."""
        return channels + (self.kind == IMPUTE), 1 if self.kind == CLASSIFY else channels

    def predict_class(self, history: np.ndarray) -> np.ndarray:
        """Return the probability of each class, [N, C] float32, from history [N, T, D]; members' logits are averaged.

        Raises ValueError as `predict_ahead` does.
        """
        self.asked(CLASSIFY)
        check_windows(history)
        return probabilities(self.at_the_end(history)[:, :, 0])

    def fill_in(self, history: np.ndarray) -> np.ndarray:
        """Return the hidden steps, [N, G, D] float32 in order, of history [N, T, D] with NaN there.

        Raises ValueError unless as many steps are hidden as when it was fitted.
        """
        self.asked(IMPUTE)
        check_windows(history, kind=IMPUTE)
        filled, hidden = self.at_the_end(history), int(np.isnan(history[0]).any(axis=1).sum())
        if filled.shape[1] != hidden:
            raise ValueError(f"history: got {hidden} hidden steps, needed {filled.shape[1]} as when it was fitted")
        return filled

    def at_the_end(self, history: np.ndarray) -> np.ndarray:
        """Return the outputs at the last step, [N, steps asked, D]."""
        raise NotImplementedError

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """Return the mean loss of outputs [N, ..., K], and the mean squared error of those at the last step.

        The loss of classes is their cross-entropy; their squared error is that of probabilities.
        """
        every_step = self.aim.every_step
        if self.kind == CLASSIFY:
            last = (outputs[:, -1], targets[:, -1]) if every_step else (outputs, targets)
            found = probabilities(last[0])
            return float(cross_entropy(found, last[1]).mean()), float(np.square(found - last[1]).mean())
        if self.targets == "last" or self.kind == IMPUTE:
            outputs = outputs[:, -1:] if every_step else outputs
        errors = np.square(outputs.astype(np.float64) - targets[:, -outputs.shape[1] :])
        return float(errors.mean()), float(errors[:, -1].mean() if every_step else errors.mean())

"""How a network is trained: the options of every network method.

    learning rate     a value per step: warm-up, then constant or half a cosine down to zero
    averaged weights  a_t = a_{t-1} + b_t (w_t - a_{t-1}), a b_t per step: the mean over the last steps, or exponential
    windows           each epoch sees its series shifted, turned round or with noise

All that is drawn or computed in this package is NumPy's, from the seed: the frameworks get arrays, and train alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any


@dataclass(kw_only=True, eq=False, repr=False)
class Basics:
    """What every training has: a record always states these."""

    epochs: int = 20
    batch_size: int = 32
    optimizer: str = "adam"  # or adamw, sgd
    learning_rate: float = 0.001
    clip_norm: float | None = None  # longest allowed gradient, over all weights together
    clip_value: float | None = None  # largest allowed component of a gradient
    l1: float = 0.0  # penalty on the absolute values of the weight matrices
    l2: float = 0.0  # penalty on their squares


@dataclass(kw_only=True, eq=False, repr=False)
class Options(Basics):
    """The training options of a network method. A record states those that are on, so that older ones stay valid."""

    schedule: str = "constant"  # or cosine: half a wave, from the learning rate down to zero
    warmup: float = 0.0  # share of all steps over which the learning rate rises to its full value
    weight_decay: float = 0.0  # of adamw: w <- w - learning rate * weight_decay * w, for the weight matrices
    averaging: str = "none"  # swa: the mean of the weights over the last steps; ema: their exponential moving average
    averaging_share: float = 0.25  # share of all steps, at the end, over which weights are averaged
    averaging_decay: float = 0.999  # of ema: how much of the average each step keeps
    holdout: float = 0.0  # share of the training series that is not trained on, but watched
    patience: int | None = None  # epochs without a better error on the holdout, after which the best weights are kept
    select: str = "last"  # whose weights are kept: the last epoch's, or the best one's on the validation part
    noise: float = 0.0  # standard deviation of what is added to the history, drawn again in each epoch
    shift: int = 0  # train on windows shorter by so many steps, which start anywhere in 0..shift in each epoch
    flip: bool = False  # half of the series, others in each epoch, times -1
    reverse: bool = False  # half of the series, others in each epoch, backwards in time
    members: int = 1  # networks trained from different seeds, drawn from the run's; their forecasts are averaged
    output_heads: int = 1  # last layers side by side on one network, from different first weights; averaged too
    targets: str = "every"  # or last: of a method that forecasts at every step, train the forecasts at the last alone
    normalise: str = (
        "none"  # or last, mean, revin: each window by its own statistics, see `implementations.normalisation`
    )

    def check_options(self, name: str) -> None:
        """Raise ValueError for a value that means nothing; `name` is the method's."""
        if not self.learning_rate > 0:
            raise ValueError(f"{name}.learning_rate: got {self.learning_rate!r}, needed more than 0")
        if self.optimizer not in ("adam", "adamw", "sgd"):
            raise ValueError(f"{name}.optimizer: got {self.optimizer!r}, allowed: adam, adamw, sgd")
        if self.weight_decay and self.optimizer != "adamw":
            raise ValueError(f"{name}.weight_decay: got optimizer {self.optimizer}, needed adamw (others: l2)")
        for setting, allowed in CHOICES.items():
            if getattr(self, setting) not in allowed:
                raise ValueError(f"{name}.{setting}: got {getattr(self, setting)!r}, allowed: {', '.join(allowed)}")
        for setting, (within, words) in RANGES.items():
            if not within(getattr(self, setting)):
                raise ValueError(f"{name}.{setting}: got {getattr(self, setting)!r}, needed {words}")
        if self.patience is not None and not self.holdout:
            raise ValueError(f"{name}.patience: got {self.patience}, needed with it: {name}.holdout more than 0")
        if self.patience is not None and self.select == "validation":
            raise ValueError(f"{name}.select: got validation with patience, needed one of them: both choose an epoch")

    def window_statistics(self) -> str:
        """Return what windows are normalised by."""
        return self.normalise

    @property
    def reads_truth(self) -> bool:
        """Say whether the network reads what follows the history, too, in training: teacher forcing."""
        return False

    @property
    def augments(self) -> bool:
        """Say whether every epoch sees other windows."""
        return bool(self.noise or self.shift or self.flip or self.reverse)


CHOICES = {
    "schedule": ("constant", "cosine"),
    "averaging": ("none", "swa", "ema"),
    "targets": ("every", "last"),
    "select": ("last", "validation"),
}
SHARE = (lambda value: 0 <= value < 1, "at least 0 and less than 1")
POSITIVE_SHARE = (lambda value: 0 < value <= 1, "more than 0 and at most 1")
NOT_NEGATIVE = (lambda value: value >= 0 and isfinite(value), "at least 0")
RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "warmup": SHARE,
    "weight_decay": NOT_NEGATIVE,
    "averaging_share": POSITIVE_SHARE,
    "averaging_decay": SHARE,
    "holdout": SHARE,
    "patience": (lambda value: value is None or value >= 1, "at least 1, or none"),
    "noise": NOT_NEGATIVE,
    "shift": NOT_NEGATIVE,
}
#: what each option is when it is off
OFF = {option.name: option.default for option in fields(Options)[len(fields(Basics)) :]}

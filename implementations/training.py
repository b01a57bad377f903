"""How a network may be trained beyond the notes' way: options that every network method has, each off unless set.

    learning rate     a value per step: warm-up, then constant or half a cosine down to zero
    averaged weights  a_t = a_{t-1} + b_t (w_t - a_{t-1}), a b_t per step: the mean over the last steps, or exponential
    windows           each epoch sees its series shifted, turned round or with noise

All that is drawn or computed here is NumPy's, from the seed: the frameworks are given arrays, and train alike.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from implementations.forecaster import NetworkForecaster

AUGMENTATION, HOLDOUT, MEMBERS = 2, 3, 4  # streams of random numbers, apart from those of batches and first weights


@dataclass(kw_only=True, eq=False, repr=False)
class Options:
    """The training options of a network method. A record states those that are on, so that older ones stay valid."""

    schedule: str = "constant"  # or cosine: half a wave, from the learning rate down to zero
    warmup: float = 0.0  # share of all steps over which the learning rate rises to its full value
    weight_decay: float = 0.0  # of adamw: w <- w - learning rate * weight_decay * w, for the weight matrices
    averaging: str = "none"  # swa: the mean of the weights over the last steps; ema: their exponential moving average
    averaging_share: float = 0.25  # share of all steps, at the end, over which weights are averaged
    averaging_decay: float = 0.999  # of ema: how much of the average each step keeps
    holdout: float = 0.0  # share of the training series that is not trained on, but watched
    patience: int | None = None  # epochs without a better error on the holdout, after which the best weights are kept
    noise: float = 0.0  # standard deviation of what is added to the history, anew in each epoch
    shift: int = 0  # train on windows shorter by so many steps, which start anywhere in 0..shift in each epoch
    flip: bool = False  # half of the series, others in each epoch, times -1
    reverse: bool = False  # half of the series, others in each epoch, backwards in time
    members: int = 1  # networks trained apart, from seeds drawn from the run's; their forecasts are averaged
    output_heads: int = 1  # last layers side by side on one network, each from first weights of its own; likewise

    def check_options(self, name: str) -> None:
        """Raise ValueError for a value that means nothing; `name` is the method's."""
        for setting, allowed in CHOICES.items():
            if getattr(self, setting) not in allowed:
                raise ValueError(f"{name}.{setting}: got {getattr(self, setting)!r}, allowed: {', '.join(allowed)}")
        for setting, (within, words) in RANGES.items():
            if not within(getattr(self, setting)):
                raise ValueError(f"{name}.{setting}: got {getattr(self, setting)!r}, needed {words}")
        if self.patience is not None and not self.holdout:
            raise ValueError(f"{name}.patience: got {self.patience}, needed with it: {name}.holdout more than 0")

    @property
    def augments(self) -> bool:
        """Whether every epoch sees other windows."""
        return bool(self.noise or self.shift or self.flip or self.reverse)


CHOICES = {"schedule": ("constant", "cosine"), "averaging": ("none", "swa", "ema")}
SHARE = (lambda value: 0 <= value < 1, "at least 0 and less than 1")
POSITIVE_SHARE = (lambda value: 0 < value <= 1, "more than 0 and at most 1")
NOT_NEGATIVE = (lambda value: value >= 0 and isfinite(value), "at least 0")
RANGES: dict[str, tuple[Any, str]] = {
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
OFF = {option.name: option.default for option in fields(Options)}


def member_seeds(seed: int, members: int) -> list[int]:
    """A seed for each network: the first has the run's own, so that it is the network of a run without others."""
    drawn = np.random.default_rng([seed, MEMBERS]).integers(2**32, size=members - 1)
    return [seed, *map(int, drawn)]


def split_off(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of so many series are trained on, and which held out: at least one of each. Raises ValueError for one."""
    if count < 2:
        raise ValueError(f"holdout: got {count} series to split, needed at least 2")
    order = np.random.default_rng([seed, HOLDOUT]).permutation(count)
    out = min(max(1, round(share * count)), count - 1)
    return np.sort(order[out:]), np.sort(order[:out])


def rates(options: NetworkForecaster, steps: int) -> np.ndarray | None:
    """The learning rate of each step [steps]; None where it is the same for all."""
    if options.schedule == "constant" and not options.warmup:
        return None
    rising = ceil(options.warmup * steps)
    up = np.arange(1, rising + 1) / max(rising, 1)
    after = np.arange(steps - rising) / max(steps - rising, 1)
    down = (1 + np.cos(np.pi * after)) / 2 if options.schedule == "cosine" else np.ones_like(after)
    return (options.learning_rate * np.concatenate([up, down])).astype(np.float32)


def blends(options: NetworkForecaster, steps: int) -> np.ndarray | None:
    """How much of its way to the weights the average goes in each step [steps]; None where nothing is averaged.

    1 until averaging begins: the average is the weights themselves.
    """
    if options.averaging == "none":
        return None
    last = ceil(options.averaging_share * steps)
    decay = 1 - options.averaging_decay
    of_last = 1 / np.arange(1, last + 1) if options.averaging == "swa" else np.r_[1.0, np.full(last - 1, decay)]
    return np.r_[np.ones(steps - last), of_last].astype(np.float32)


class Windows:
    """What a network sees, epoch after epoch: inputs [N, T', D] and targets [N, ...]."""

    def __init__(self, forecaster: NetworkForecaster, history: np.ndarray, future: np.ndarray, seed: int) -> None:
        self.forecaster, self.history, self.future = forecaster, history, future
        self.random = np.random.default_rng([seed, AUGMENTATION])

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """The windows of an epoch: as they are, unless an option changes them."""
        if not self.forecaster.augments:
            return self.history, self._targets(self.history, self.future)
        history, future = self._cut(self._turned(np.concatenate([self.history, self.future], axis=1)))
        targets = self._targets(history, future)  # without noise, which is for the inputs alone
        if noise := self.forecaster.noise:
            history = history + np.float32(noise) * self.random.standard_normal(history.shape, dtype=np.float32)
        return np.ascontiguousarray(history), targets

    def _targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        """What the network should output: the same from each of its heads."""
        targets, heads = self.forecaster.strategy.targets(history, future), self.forecaster.output_heads
        return np.tile(targets, heads) if heads > 1 else targets

    def _turned(self, series: np.ndarray) -> np.ndarray:
        """Half of the series times -1, half of them backwards."""
        if self.forecaster.flip:
            series = np.where(self._half(series), -series, series)
        if self.forecaster.reverse:
            series = np.where(self._half(series), series[:, ::-1], series)
        return series

    def _half(self, series: np.ndarray) -> np.ndarray:
        return self.random.integers(2, size=(len(series), 1, 1)).astype(bool)

    def _cut(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """History and future of series [N, T + H, D], each from a start of its own."""
        steps, horizon = self.history.shape[1] - self.forecaster.shift, self.future.shape[1]
        if self.forecaster.shift:
            starts = self.random.integers(self.forecaster.shift + 1, size=(len(series), 1))
            places = starts + np.arange(steps + horizon)
            series = np.take_along_axis(series, places[:, :, None], axis=1)
        return series[:, :steps], series[:, steps:]


class Fit:
    """One network in training: its batches and its windows come from a seed of its own."""

    def __init__(self, engine: Any, network: Any, windows: Windows, seed: int) -> None:
        self.windows, self.count = windows, len(windows.history)
        self.random = np.random.default_rng(seed)
        self.drawn: tuple[np.ndarray, np.ndarray] | None = windows.draw()
        self.trainer = engine.Trainer(network, windows.forecaster, *self.drawn)

    def epoch(self) -> float:
        """Train on every series once; the mean loss."""
        if self.windows.forecaster.augments:
            if self.drawn is None:
                self.trainer.show(*self.windows.draw())
            self.drawn = None  # the first epoch's are there already
        loss: float = self.trainer.epoch(self.random.permutation(self.count))
        return loss


class Best:
    """The best weights so far, by an error that is watched epoch by epoch."""

    def __init__(self, patience: int) -> None:
        self.patience, self.error, self.since = patience, float("inf"), 0
        self.weights: Any = None

    def better(self, error: float) -> bool:
        """Take note of an epoch's error; whether it is the smallest yet."""
        self.since = 0 if error < self.error else self.since + 1
        self.error = min(error, self.error)
        return self.since == 0

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.since >= self.patience

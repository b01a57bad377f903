"""The contract of every method: `fit`, then `predict_ahead`.

Shapes, by letters used throughout:

    N series, T history steps, H steps ahead (the horizon), D channels
    history [N, T, D], future [N, H, D], forecasts [N, steps, D], all NumPy float32
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from time import perf_counter_ns
from types import ModuleType
from typing import Any, ClassVar, Self, cast, dataclass_transform

import numpy as np

from implementations import backends
from implementations.strategies import Strategy, roll_on, roll_out
from implementations.training import OFF, Best, Fit, Options, Windows, member_seeds, split_off

Setting = int | float | str | bool | None
OF_A_RUN = ("backend", "seed", "name", "native")  # fields that are no settings


def check_windows(history: np.ndarray, future: np.ndarray | None = None) -> None:
    """Raise ValueError unless history is [N, T, D] and future, if given, [N, H, D]: finite floats, no axis empty."""
    for name, array in (("history", history), ("future", future)):
        if array is None:
            continue
        if array.ndim != 3 or 0 in array.shape:
            raise ValueError(f"{name}: got shape {array.shape}, needed [series, steps, channels], each at least 1")
        if not np.issubdtype(array.dtype, np.floating):
            raise ValueError(f"{name}: got {array.dtype}, needed floating-point numbers")
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: got {np.sum(~np.isfinite(array))} NaN or infinite values, needed finite ones")
    if future is not None and (history.shape[0], history.shape[2]) != (future.shape[0], future.shape[2]):
        raise ValueError(f"got history {history.shape} and future {future.shape}, needed equal series and channels")


def check_steps(steps: int) -> None:
    """Raise ValueError unless steps is a whole number of at least 1."""
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps: got {steps!r}, needed a whole number of at least 1")


@dataclass(kw_only=True, eq=False, repr=False)
@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class Forecaster(ABC):
    """A method that learns from windows and forecasts any number of steps ahead.

    Every subclass is a dataclass, without being told: its fields are its settings, stated once with their defaults. A
    name without a default, as in `gains: np.ndarray`, is no setting: `fit` gives it its value.
    `backend` and `seed` say where and from which random numbers it runs, `name` what METHODS calls it, and `native`
    whether its layers keep their framework's own defaults (see `implementations.defaults`).
    """

    backends: ClassVar[tuple[str, ...]] = ("numpy",)
    #: True where the method deals with trend and season itself: it is given the series as they are, scaled alone, even
    #: where others are given differences
    takes_levels: ClassVar[bool] = False

    backend: str = "numpy"
    seed: int = 42
    name: str = ""
    native: bool = False

    #: per epoch: loss, val_loss, val_last_step_mse, and the training seconds so far; empty for methods without epochs
    curve: dict[str, list[float]] = field(default_factory=dict, init=False)
    #: what fit took, in seconds: build, first_step (compilation), fit (training), validate; empty: all of it is fit
    seconds: dict[str, float] = field(default_factory=dict, init=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls.__dict__.get("__annotations__", {}):
            if not hasattr(cls, name):
                setattr(cls, name, field(init=False))
        dataclass(kw_only=True, eq=False, repr=False)(cls)  # fields are not compared, and `==` takes long to make

    def __repr__(self) -> str:
        settings = {"backend": self.backend, "seed": self.seed, **self.settings()}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"

    @abstractmethod
    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Learn from history [N, T, D] and future [N, H, D].

        `validation` is another such pair: watched for the learning curve, never trained on.
        Raises ValueError for a wrong shape, a NaN or an infinity; FloatingPointError when training diverges.
        """

    @abstractmethod
    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 after history [N, T, D], for any steps >= 1."""

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All that the method is trained to output on these series, and the truth: two arrays of one shape.

        For a sequence method [N, T', H * D]: the forecasts made at every step. For others: the forecast, [N, H, D].
        """
        return self.predict_ahead(history, future.shape[1]), future

    def parameters(self) -> int:
        """How many numbers were trained."""
        return 0

    def weights(self) -> list[np.ndarray]:
        """What was learnt, as arrays in a fixed order: the record keeps their digest."""
        return []

    def state(self) -> dict[str, Any]:
        """What was learnt, beside the weights, as JSON values: `save` writes it, `restore` takes it back."""
        return {}

    def restore(self, state: dict[str, Any], folder: Path) -> None:  # noqa: B027  (nothing learnt, nothing to do)
        """Take back what `save` wrote, instead of fitting."""

    @classmethod
    def defaults(cls) -> dict[str, Setting]:
        """The settings with their defaults, in order."""
        own = [one for one in fields(cls) if one.init and one.default is not MISSING and one.name not in OF_A_RUN]
        own.sort(key=lambda one: one.name in OFF)  # those of training last
        return {one.name: cast(Setting, one.default) for one in own}

    def settings(self) -> dict[str, Setting]:
        """The settings as they are, in order."""
        return {name: getattr(self, name) for name in self.defaults()}

    def save(self, folder: Path) -> None:
        """Write the fitted forecaster to a folder: forecaster.json, and the network in its framework's own format."""
        folder.mkdir(parents=True, exist_ok=True)
        made = {
            "method": self.name, "backend": self.backend, "seed": self.seed, "native": self.native,
            "settings": self.settings(),
        }  # fmt: skip
        (folder / "forecaster.json").write_text(json.dumps({**made, "state": self.state()}, indent=1), encoding="utf-8")


class NetworkForecaster(Options, Forecaster):
    """A method with a network, written once for Keras and once for PyTorch; the rest is the same for both.

    Training, in every framework: mean squared error over all that the network outputs, batches in the order of NumPy
    permutations drawn from the seed, Keras' initialisers and constants. More of it, off by default: see `training`.
    """

    backends: ClassVar[tuple[str, ...]] = ("keras", "keras-jax", "torch")
    strategy: ClassVar[Strategy]
    #: True where the series of a batch influence each other in training (batch normalisation)
    mixes_series: ClassVar[bool] = False
    #: the method's own way to its gradient, instead of the framework's:
    #: (ops, scan, weights, inputs, targets, present [B]) -> (loss, gradients)
    gradient: ClassVar[Callable[..., tuple[Any, list[Any]]] | None] = None

    backend: str = "keras"
    epochs: int = 20
    batch_size: int = 32
    optimizer: str = "adam"  # or adamw, sgd
    learning_rate: float = 0.001
    clip_norm: float | None = None  # longest allowed gradient, over all weights together
    clip_value: float | None = None  # largest allowed component of a gradient
    l1: float = 0.0  # penalty on the absolute values of the weight matrices
    l2: float = 0.0  # penalty on their squares

    def __post_init__(self) -> None:
        for name, value in self.settings().items():
            whole = isinstance(self.defaults()[name], int) and not isinstance(value, bool) and name != "shift"
            if whole and value < 1:  # type: ignore[operator]
                raise ValueError(f"{self.name or type(self).__name__}.{name}: got {value!r}, needed at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"{self.name}.learning_rate: got {self.learning_rate!r}, needed more than 0")
        if self.optimizer not in ("adam", "adamw", "sgd"):
            raise ValueError(f"{self.name}.optimizer: got {self.optimizer!r}, allowed: adam, adamw, sgd")
        if self.weight_decay and self.optimizer != "adamw":
            raise ValueError(f"{self.name}.weight_decay: got optimizer {self.optimizer}, needed adamw (others: l2)")
        self.check_options(self.name)
        if self.shift and not self.takes_any_length():
            raise ValueError(f"{self.name}.shift: got {self.shift}, allowed: 0; its network takes one length alone")
        if self.output_heads > 1 and not self.heads_apart():
            heads = self.output_heads
            raise ValueError(f"{self.name}.output_heads: got {heads}, allowed: 1; its outputs share weights")

    def state_size(self) -> int:
        """How many numbers a recurrent network of one channel carries from step to step; 0 for others."""
        return 0

    def receptive_field(self) -> int | None:
        """How many steps an output depends on; None for all that there are."""
        return None

    def takes_any_length(self) -> bool:
        """Whether its network takes windows of any number of steps: recurrent ones and convolutions do."""
        return self.state_size() > 0 or self.receptive_field() is not None

    def heads_apart(self) -> bool:
        """Whether each output has weights of its own, so that more of them make further heads."""
        return True

    @property
    def network(self) -> Any:
        """The network; of several, the first."""
        return self.networks[0]

    @abstractmethod
    def keras_network(self, channels: int, outputs: int) -> Callable[[Any], Any]:
        """Layers from windows [N, T, channels] to [N, outputs] or, for sequence methods, [N, T', outputs]."""

    @abstractmethod
    def torch_network(self, channels: int, outputs: int) -> Any:
        """The same layers as a torch.nn.Module."""

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        check_windows(history, future)
        self._check_length(history, future)
        kept = None
        if self.holdout:
            train, out = split_off(len(history), self.holdout, self.seed)
            kept = history[out], future[out]
            history, future = history[train], future[train]
        engine = backends.load(self.backend)
        self.curve, self.seconds = {}, dict.fromkeys(("build", "first_step", "fit", "validate"), 0.0)
        with self._timed("build"):
            self._build(engine, history.shape[1], history.shape[2], future.shape[1])
            fits = [
                Fit(engine, network, Windows(self, history, future, seed), seed)
                for network, seed in zip(self.networks, member_seeds(self.seed, self.members), strict=True)
            ]
        with self._timed("first_step"):
            for fit in fits:
                fit.trainer.compile()
        best = Best(self.patience) if self.patience else None
        for epoch in range(1, self.epochs + 1):
            with self._timed("fit"):
                loss = sum(fit.epoch() for fit in fits) / len(fits)
            self._note(epoch, "loss", loss)
            self._note(epoch, "seconds", self.seconds["fit"])
            with self._timed("validate"):
                for fit in fits:
                    fit.trainer.finish()
                self._watch(epoch, validation)
            if kept is not None and self._is_over(engine, epoch, kept, best):
                break
        if best is not None:
            for network, weights in zip(self.networks, best.weights, strict=True):
                engine.put(network, weights)
        return self

    def _check_length(self, history: np.ndarray, future: np.ndarray) -> None:
        """Raise ValueError for too short a history: before a framework is loaded, which takes seconds."""
        if self.shift >= history.shape[1]:
            raise ValueError(f"{self.name}.shift: got {self.shift}, needed less than the {history.shape[1]} steps")
        self.strategy.targets(history[:1, self.shift :], future[:1])

    def _is_over(self, engine: ModuleType, epoch: int, kept: tuple[np.ndarray, np.ndarray], best: Best | None) -> bool:
        """Note the last-step error on the series held out, keep the best weights, and say whether to stop."""
        with self._timed("fit"):
            error = self._errors(*kept)[1]
            if best is not None and best.better(error):
                best.weights = [engine.weights(network) for network in self.networks]
        self._note(epoch, "holdout_last_step_mse", error)
        return best is not None and best.over

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 from the last T steps of history [N, >= T, D], T as when it was fitted.

        Raises ValueError for a shorter history, other channels, a NaN or an infinity.
        """
        check_windows(history)
        check_steps(steps)
        window = self._window(history)
        if self._advance is None or steps <= self.strategy.block(self.horizon):
            return roll_out(self._forecast_block, window, int(steps), self.strategy.growing)
        return roll_on(self._advance_block, window, int(steps))

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.strategy.every_step:
            return super().outputs(history, future)
        return self._predict(self._window(history)), self.strategy.targets(history, future[:, : self.horizon])

    def parameters(self) -> int:
        return sum(map(backends.load(self.backend).parameters, self.networks))

    def weights(self) -> list[np.ndarray]:
        engine = backends.load(self.backend)
        return [array for network in self.networks for array in engine.weights(network)]

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "channels": self.channels, "horizon": self.horizon}

    def save(self, folder: Path) -> None:
        super().save(folder)
        for network, place in zip(self.networks, self._folders(folder), strict=True):
            place.mkdir(exist_ok=True)
            backends.load(self.backend).save(network, place)

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self._build(backends.load(self.backend), **state, folder=folder)

    def _build(self, engine: ModuleType, steps: int, channels: int, horizon: int, folder: Path | None = None) -> None:
        """Make the networks, or read them from a folder."""
        self.steps, self.channels, self.horizon = steps, channels, horizon
        outputs = self.strategy.block(horizon) * channels * self.output_heads
        length = None if self.strategy.growing or self.shift else steps
        if folder is None:
            seeds = member_seeds(self.seed, self.members)
            self.networks = [engine.build(self, length, channels, outputs, seed) for seed in seeds]
        else:
            self.networks = [engine.load(self, place, length, channels, outputs) for place in self._folders(folder)]
        self._predict = mean_of([engine.predictor(network) for network in self.networks], self.output_heads)
        advancers = [engine.advancer(network, steps, self.strategy.growing) for network in self.networks]
        self._advance: Any = None if None in advancers else advance_all(advancers, self.output_heads)

    def _folders(self, folder: Path) -> list[Path]:
        """Where each network is saved: the first in the folder itself."""
        return [folder, *(folder / f"member-{number}" for number in range(2, self.members + 1))]

    def _window(self, history: np.ndarray) -> np.ndarray:
        """The part of history [N, T or more, D] that a forecast is made from."""
        if history.shape[1] < self.steps or history.shape[2] != self.channels:
            raise ValueError(
                f"history: got {history.shape[1]} steps of {history.shape[2]} channels, "
                f"needed at least {self.steps} of {self.channels}"
            )
        return history if self.strategy.growing else np.ascontiguousarray(history[:, -self.steps :])

    def _forecast_block(self, window: np.ndarray) -> np.ndarray:
        """The next block [N, block, D] after a window [N, T, D]."""
        return self._last_block(self._predict(np.ascontiguousarray(window, dtype=np.float32)))

    def _advance_block(self, new: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """The next block [N, block, D] after new steps [N, S, D] and what the state remembers, and the state then."""
        outputs, state = self._advance(np.ascontiguousarray(new, dtype=np.float32), state)
        return self._last_block(outputs), state

    def _last_block(self, outputs: np.ndarray) -> np.ndarray:
        last = outputs[:, -1] if self.strategy.every_step else outputs
        return last.reshape(len(outputs), -1, self.channels)

    def _watch(self, epoch: int, validation: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Add the validation errors after an epoch to the curve."""
        if validation is None:
            return
        of_all, of_last = self._errors(*validation)
        self._note(epoch, "val_loss", of_all)
        self._note(epoch, "val_last_step_mse", of_last)

    def _errors(self, history: np.ndarray, future: np.ndarray) -> tuple[float, float]:
        """The mean squared error of all outputs, and of those from the last step alone."""
        targets = self.strategy.targets(history, future)
        errors = np.square(self._predict(self._window(history)).astype(np.float64) - targets)
        return float(errors.mean()), float(errors[:, -1].mean() if self.strategy.every_step else errors.mean())

    def _note(self, epoch: int, name: str, value: float) -> None:
        if not np.isfinite(value):
            raise FloatingPointError(f"{name} became {value} in epoch {epoch} of {self.epochs}")
        self.curve.setdefault(name, []).append(value)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = perf_counter_ns()
        yield
        self.seconds[phase] += (perf_counter_ns() - start) / 1e9


def mean_of(predictors: list[Callable[[np.ndarray], np.ndarray]], heads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function that gives the mean of what the networks output, each with so many heads."""
    if len(predictors) == heads == 1:
        return predictors[0]
    return lambda windows: mean_over([predict(windows) for predict in predictors], heads)


def advance_all(advancers: list[Any], heads: int) -> Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]:
    """The same for networks that carry a state on: theirs is the list of all states."""
    if len(advancers) == heads == 1:
        return cast(Callable[[np.ndarray, Any], tuple[np.ndarray, Any]], advancers[0])

    def advance(new: np.ndarray, states: Any) -> tuple[np.ndarray, Any]:
        pairs = zip(advancers, states or [None] * len(advancers), strict=True)
        outputs, after = zip(*(one(new, state) for one, state in pairs), strict=True)
        return mean_over(outputs, heads), after

    return advance


def mean_over(outputs: Sequence[np.ndarray], heads: int) -> np.ndarray:
    """The mean over networks and over their heads, which lie side by side: [..., heads * block * D] of each."""
    mean: np.ndarray = np.mean(outputs, axis=0)
    return mean if heads == 1 else mean.reshape(*mean.shape[:-1], heads, -1).mean(axis=-2)

"""The contract of every method: `fit`, then `predict_ahead`.

Shapes, by letters used throughout:

    N series, T history steps, H steps ahead (the horizon), D channels
    history [N, T, D], future [N, H, D], forecasts [N, steps, D], all NumPy float32
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from time import perf_counter_ns
from types import ModuleType
from typing import Any, ClassVar, Self, cast

import numpy as np

from implementations import backends
from implementations.strategies import Strategy, roll_on, roll_out

Setting = int | float | str | bool | None


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


@dataclass(kw_only=True)
class Forecaster(ABC):
    """A method that learns from windows and forecasts any number of steps ahead.

    The fields of a method's dataclass are its settings, stated once with their defaults; `backend` and `seed` say where
    and from which random numbers it runs, `name` what METHODS calls it, and `native` whether its layers keep their
    framework's own defaults (see `implementations.defaults`).
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
    curve: dict[str, list[float]] = field(default_factory=dict, init=False, repr=False)
    #: what fit took, in seconds: build, first_step (compilation), fit (training), validate; empty: all of it is fit
    seconds: dict[str, float] = field(default_factory=dict, init=False, repr=False)

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
        own = [one for one in fields(cls) if one.init and one.name not in ("backend", "seed", "name", "native")]
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


@dataclass(kw_only=True)
class NetworkForecaster(Forecaster):
    """A method with a network, written once for Keras and once for PyTorch; the rest is the same for both.

    Training, in every framework: mean squared error over all that the network outputs, batches in the order of NumPy
    permutations drawn from the seed, Keras' initialisers and constants.
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
    optimizer: str = "adam"  # or sgd
    learning_rate: float = 0.001
    clip_norm: float | None = None  # longest allowed gradient, over all weights together
    clip_value: float | None = None  # largest allowed component of a gradient
    l1: float = 0.0  # penalty on the absolute values of the weight matrices
    l2: float = 0.0  # penalty on their squares

    def __post_init__(self) -> None:
        for name, value in self.settings().items():
            whole = isinstance(self.defaults()[name], int) and not isinstance(value, bool)
            if whole and value < 1:  # type: ignore[operator]
                raise ValueError(f"{self.name or type(self).__name__}.{name}: got {value!r}, needed at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"{self.name}.learning_rate: got {self.learning_rate!r}, needed more than 0")
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"{self.name}.optimizer: got {self.optimizer!r}, allowed: adam, sgd")

    def state_size(self) -> int:
        """How many numbers a recurrent network of one channel carries from step to step; 0 for others."""
        return 0

    def receptive_field(self) -> int | None:
        """How many steps an output depends on; None for all that there are."""
        return None

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
        targets = self.strategy.targets(history, future)
        engine = backends.load(self.backend)
        self.curve, self.seconds = {}, dict.fromkeys(("build", "first_step", "fit", "validate"), 0.0)
        with self._timed("build"):
            self._build(engine, history.shape[1], history.shape[2], future.shape[1])
            trainer = engine.Trainer(self.network, self, history, targets)
        with self._timed("first_step"):
            trainer.compile()
        random = np.random.default_rng(self.seed)
        for epoch in range(1, self.epochs + 1):
            with self._timed("fit"):
                loss = trainer.epoch(random.permutation(len(history)))
            self._note(epoch, "loss", loss)
            self._note(epoch, "seconds", self.seconds["fit"])
            with self._timed("validate"):
                trainer.finish()
                self._watch(epoch, validation)
        return self

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
        return backends.load(self.backend).parameters(self.network)

    def weights(self) -> list[np.ndarray]:
        return backends.load(self.backend).weights(self.network)

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "channels": self.channels, "horizon": self.horizon}

    def save(self, folder: Path) -> None:
        super().save(folder)
        backends.load(self.backend).save(self.network, folder)

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self._build(backends.load(self.backend), **state, folder=folder)

    def _build(self, engine: ModuleType, steps: int, channels: int, horizon: int, folder: Path | None = None) -> None:
        """Make the network, or read it from a folder."""
        self.steps, self.channels, self.horizon = steps, channels, horizon
        outputs = self.strategy.block(horizon) * channels
        length = None if self.strategy.growing else steps
        if folder is None:
            self.network = engine.build(self, length, channels, outputs)
        else:
            self.network = engine.load(self, folder, length, channels, outputs)
        self._predict = engine.predictor(self.network)
        self._advance = engine.advancer(self.network, steps, self.strategy.growing)

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
        targets = self.strategy.targets(*validation)
        errors = np.square(self._predict(self._window(validation[0])).astype(np.float64) - targets)
        self._note(epoch, "val_loss", float(errors.mean()))
        self._note(
            epoch, "val_last_step_mse", float(errors[:, -1].mean() if self.strategy.every_step else errors.mean())
        )

    def _note(self, epoch: int, name: str, value: float) -> None:
        if not np.isfinite(value):
            raise FloatingPointError(f"{name} became {value} in epoch {epoch} of {self.epochs}")
        self.curve.setdefault(name, []).append(value)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = perf_counter_ns()
        yield
        self.seconds[phase] += (perf_counter_ns() - start) / 1e9

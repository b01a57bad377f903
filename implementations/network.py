"""The methods with a network: build it, train it, forecast with it, in any framework."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any, ClassVar, Self

import numpy as np

from implementations import backends
from implementations.backends.protocol import Advance, Engine, GradientRule
from implementations.ensemble import advance_all, mean_of
from implementations.forecaster import Forecaster, Setting, check_steps, check_windows
from implementations.incremental import State, Tensor
from implementations.kinds import FORECAST
from implementations.network_answers import NetworkAnswers
from implementations.network_training import NetworkTraining
from implementations.normalisation import restoring
from implementations.strategies import Strategy, roll_on, roll_out
from implementations.training.early_stopping import EarlyStopping
from implementations.training.options import OFF
from implementations.training.seeding import member_seeds, split_in_time, split_off
from implementations.training.windows import Redraw, TrainingWindows

Pair = tuple[np.ndarray, np.ndarray]  # history [N, T, D] and future [N, H, D]


class NetworkForecaster(NetworkAnswers, Forecaster):
    """A method with a network, written once for Keras and once for PyTorch; the rest is the same for both.

    Training, in every framework: mean squared error over all that the network outputs (of classes, cross-entropy),
    batches in the order of NumPy permutations drawn from the seed, Keras' initialisers and constants. Further options:
    `implementations.training`.
    """

    backends: ClassVar[tuple[str, ...]] = backends.TRAINING_BACKENDS
    off: ClassVar[Mapping[str, Any]] = OFF
    strategy: ClassVar[Strategy]
    #: True where the series of a batch influence each other in training (batch normalisation)
    mixes_series: ClassVar[bool] = False

    backend: str = "keras"

    def __post_init__(self) -> None:
        for name, value in self.settings().items():
            whole = isinstance(self.defaults()[name], int) and not isinstance(value, bool) and name != "shift"
            if whole and value < 1:  # type: ignore[operator]
                raise ValueError(f"{self.name or type(self).__name__}.{name}: got {value!r}, needed at least 1")
        self.check_options(self.name)
        own_gradient = self.gradient_rule() is not None
        self.check_targets(own_gradient)
        self.check_kind(self.off, own_gradient)
        if self.shift and not self.takes_any_length():
            raise ValueError(f"{self.name}.shift: got {self.shift}, allowed: 0; its network takes one length alone")
        if self.output_heads > 1 and not self.heads_apart():
            heads = self.output_heads
            raise ValueError(f"{self.name}.output_heads: got {heads}, allowed: 1; its outputs share weights")

    @classmethod
    def adapted(cls, settings: dict[str, Setting], season: int | None) -> dict[str, Setting]:
        """Return the settings without series that are flipped or reversed in training: what grows would shrink."""
        as_they_run: dict[str, Setting] = {name: False for name in ("flip", "reverse") if name in settings}
        return super().adapted({**settings, **as_they_run}, season)

    def state_size(self) -> int:
        """Count the numbers that a recurrent network of one channel carries from step to step; 0 for others."""
        return 0

    def receptive_field(self) -> int | None:
        """Count the steps that an output depends on; None for all that there are."""
        return None

    def takes_any_length(self) -> bool:
        """Say whether its network takes windows of any number of steps: recurrent ones and convolutions do."""
        return self.state_size() > 0 or self.receptive_field() is not None

    def heads_apart(self) -> bool:
        """Say whether each output has its own weights, so that more outputs make further heads."""
        return True

    def gradient_rule(self) -> GradientRule | None:
        """Return the method's own way to its gradient, instead of the framework's, if it has one.

        That is a function (ops, scan, weights, inputs, targets, present [B]) -> (loss, gradients).
        """
        return None

    def redrawing(self, history: np.ndarray, future: np.ndarray) -> Redraw | None:
        """Return what draws the series of each epoch, if the method trains on others than history and future."""
        return None

    @property
    def network(self) -> Any:
        """Return the network; of several, the first."""
        return self.networks[0]

    @abstractmethod
    def keras_network(self, channels: int, outputs: int) -> Callable[[Tensor], Tensor]:
        """Make layers from windows [N, T, channels] to [N, outputs] or, for sequence methods, [N, T', outputs]."""

    @abstractmethod
    def torch_network(self, channels: int, outputs: int) -> Any:
        """Make the same layers as a torch.nn.Module."""

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        check_windows(history, future, self.kind)
        self._check_length(history, future)
        best = self._to_keep(validation)
        history, future, held_out = self._hold_out(history, future)
        engine = backends.load(self.backend)
        self.curve, self.seconds = {}, dict.fromkeys(("build", "first_step", "fit", "validate"), 0.0)
        with self._timed("build"):
            self.build(engine, history.shape[1], history.shape[2], future.shape[1])
            trainings = self._trainings(engine, history, future)
        with self._timed("first_step"):
            for training in trainings:
                training.trainer.compile()
        for epoch in range(1, self.epochs + 1):
            self._train_once(epoch, trainings)
            with self._timed("validate"):
                for training in trainings:
                    training.trainer.finish()
                self._watch(epoch, validation)
            if held_out is not None:
                self._watch_held_out(epoch, held_out)
            if best is not None and self._is_over(engine, best):
                break
        if best is not None:
            for network, weights in zip(self.networks, best.weights, strict=True):
                engine.put(network, weights)
        return self

    def _hold_out(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray, Pair | None]:
        """Return the series to train on, and those held out, if any."""
        if not self.holdout:
            return history, future, None
        if self.places is None:
            train, out = split_off(len(history), self.holdout, self.seed)
        else:
            train, out = split_in_time(self.places, self.holdout, history.shape[1] + future.shape[1])
        return history[train], future[train], (history[out], future[out])

    def _trainings(self, engine: Engine[Any], history: np.ndarray, future: np.ndarray) -> list[NetworkTraining]:
        """Return the training of each network."""
        seeds, read = member_seeds(self.seed, self.members), self.read(history)
        redraw = self.redrawing(history, future)
        return [
            NetworkTraining(engine, network, self, TrainingWindows(self, self.aim, read, future, seed, redraw), seed)
            for network, seed in zip(self.networks, seeds, strict=True)
        ]

    def _train_once(self, epoch: int, trainings: list[NetworkTraining]) -> None:
        """Train every network for an epoch, and note the mean loss."""
        with self._timed("fit"):
            loss = sum(training.epoch() for training in trainings) / len(trainings)
        self._note(epoch, "loss", loss)
        self._note(epoch, "seconds", self.seconds["fit"])

    def _check_length(self, history: np.ndarray, future: np.ndarray) -> None:
        """Raise ValueError for too short a history: before a framework is loaded, which takes seconds."""
        if self.shift >= history.shape[1]:
            raise ValueError(f"{self.name}.shift: got {self.shift}, needed less than the {history.shape[1]} steps")
        self.aim.targets(history[:1, self.shift :], future[:1])

    def _to_keep(self, validation: Pair | None) -> EarlyStopping | None:
        """Return what keeps the weights of the best epoch; None where the last one's stay. Raises ValueError."""
        if self.select != "validation":
            return EarlyStopping(self.patience) if self.patience else None
        if validation is None:
            raise ValueError(f"{self.name}.select: got validation, allowed here: last; no validation part is watched")
        return EarlyStopping(self.epochs)  # to the end: the validation part chooses an epoch, and saves no time

    def _watch_held_out(self, epoch: int, held_out: Pair) -> None:
        """Note the last-step error on the series held out."""
        with self._timed("fit"):
            self._note(epoch, "holdout_last_step_mse", self._errors(*held_out)[1])

    def _is_over(self, engine: Engine[Any], best: EarlyStopping) -> bool:
        """Keep the weights of the best epoch so far, and say whether to stop."""
        watched = "val_last_step_mse" if self.select == "validation" else "holdout_last_step_mse"
        with self._timed("fit"):
            if best.note(self.curve[watched][-1]):
                best.weights = [engine.weights(network) for network in self.networks]
        return best.over

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 from the last T steps of history [N, >= T, D], T as when it was fitted.

        Raises ValueError for a shorter history, other channels, a NaN or an infinity.
        """
        self.asked(FORECAST)
        check_windows(history)
        check_steps(steps)
        window = self._window(history)
        if self._advance is None or steps <= self.strategy.block(self.horizon):
            return roll_out(self._forecast_block, window, int(steps), self.strategy.growing)
        advance = self._advance
        return roll_on(lambda new, state: self._advance_block(advance, new, state), window, int(steps))

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.at_every_step:
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
        self.build(backends.load(self.backend), **state, folder=folder)

    def build(self, engine: Engine[Any], steps: int, channels: int, horizon: int, folder: Path | None = None) -> None:
        """Make the networks for windows of `steps`, or read them from a folder."""
        self.steps, self.channels, self.horizon = steps, channels, horizon
        read, asked = self.channels_of(channels)
        outputs = self.aim.block(horizon) * asked * self.output_heads
        length = None if self.aim.growing or self.shift or self.reads_truth else steps
        if folder is None:
            seeds = member_seeds(self.seed, self.members)
            self.networks = [engine.build(self, length, read, outputs, seed) for seed in seeds]
        else:
            self.networks = [engine.load(self, place, length, read, outputs) for place in self._folders(folder)]
        kind = self.window_statistics()
        predict = mean_of([engine.predictor(network) for network in self.networks], self.output_heads)
        self._predict = restoring(kind, predict, channels)
        found = [engine.advancer(network, steps, self.strategy.growing) for network in self.networks]
        advancers = [one for one in found if one is not None]
        carried = len(advancers) == len(found) and kind == "none"  # else each window has other statistics
        self._advance = advance_all(advancers, self.output_heads) if carried else None

    def _folders(self, folder: Path) -> list[Path]:
        """List the folder of each network: the first is saved in the folder itself."""
        return [folder, *(folder / f"member-{number}" for number in range(2, self.members + 1))]

    def _window(self, history: np.ndarray) -> np.ndarray:
        """Return the part of history [N, T or more, D] that a forecast is made from."""
        if history.shape[1] < self.steps or history.shape[2] != self.channels:
            raise ValueError(
                f"history: got {history.shape[1]} steps of {history.shape[2]} channels, "
                f"needed at least {self.steps} of {self.channels}"
            )
        return history if self.strategy.growing else np.ascontiguousarray(history[:, -self.steps :])

    def _forecast_block(self, window: np.ndarray) -> np.ndarray:
        """Forecast the next block [N, block, D] after a window [N, T, D]."""
        return self._last_block(self._predict(np.ascontiguousarray(window, dtype=np.float32)))

    def _advance_block(self, advance: Advance, new: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast the next block [N, block, D] after new steps [N, S, D] and a state; return it and the state then."""
        outputs, state = advance(np.ascontiguousarray(new, dtype=np.float32), state)
        return self._last_block(outputs), state

    def at_the_end(self, history: np.ndarray) -> np.ndarray:
        return self._forecast_block(self.read(self._window(history)))

    def _last_block(self, outputs: np.ndarray) -> np.ndarray:
        last = outputs[:, -1] if self.aim.every_step else outputs
        return last.reshape(len(outputs), -1, self.channels_of(self.channels)[1])

    def _watch(self, epoch: int, validation: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Add the validation errors after an epoch to the curve."""
        if validation is None:
            return
        of_all, of_last = self._errors(*validation)
        self._note(epoch, "val_loss", of_all)
        self._note(epoch, "val_last_step_mse", of_last)

    def _errors(self, history: np.ndarray, future: np.ndarray) -> tuple[float, float]:
        """Return the loss of all outputs, and the squared error of those from the last step alone, see `losses`."""
        outputs = self._predict(self.read(self._window(history)))
        return self.losses(outputs, self.aim.targets(history, future))

    def _note(self, epoch: int, name: str, value: float) -> None:
        if not np.isfinite(value):
            raise FloatingPointError(f"{name} became {value} in epoch {epoch} of {self.epochs}")
        self.curve.setdefault(name, []).append(value)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = perf_counter_ns()
        yield
        self.seconds[phase] += (perf_counter_ns() - start) / 1e9

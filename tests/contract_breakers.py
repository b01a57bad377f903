"""A small method that keeps the contract, and others that break one promise of it each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from bench.contract import subject
from implementations.forecaster import Forecaster, check_steps, check_windows
from implementations.strategies import SequenceToSequence, roll_out


class Honest(Forecaster):
    """Forecasts a multiple of the newest value, one per step ahead; learnt by gradient descent from a random start."""

    epochs: int = 2

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Self:
        check_windows(history, future)
        self.horizon = future.shape[1]
        self.gains = self.first_gains().astype(np.float32)
        for epoch in range(self.epochs):
            errors = history[:, -1:] * self.gains[:, None] - future
            self.gains -= 0.1 * (errors * history[:, -1:]).mean(axis=(0, 2))
            for name in ("loss", "val_loss", "val_last_step_mse"):
                self.curve.setdefault(name, []).append(float(np.square(errors).mean()))
            self.curve.setdefault("seconds", []).append(epoch / 1000)
        return self

    def first_gains(self) -> np.ndarray:
        return np.random.default_rng(self.seed).uniform(0.5, 1, self.horizon)

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        check_windows(history)
        check_steps(steps)
        return roll_out(lambda window: window[:, -1:] * self.gains[:, None], history, steps)

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        each = history[:, :, None] * self.gains[:, None]
        return each.reshape(*history.shape[:2], -1), SequenceToSequence().targets(history, future)

    def weights(self) -> list[np.ndarray]:
        return [self.gains]

    def state(self) -> dict[str, Any]:
        return {"gains": self.gains.tolist()}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.gains = np.array(state["gains"], np.float32)


class Centred(Honest):
    """Averages over the neighbours, of which one is still to come."""

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs, truth = super().outputs(history, future)
        outputs[:, :-1] += 0.1 * outputs[:, 1:]
        return outputs, truth


class FutureReader(Honest):
    """Hands out the truth as what it was trained to output."""

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return future, future


class Frozen(Honest):
    """Outputs at every step what the first step gave, but for the last."""

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs, truth = super().outputs(history, future)
        outputs[:, :-1] = outputs[:, :1]
        return outputs, truth


class Late(Honest):
    """Its truth is a step behind."""

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs, truth = super().outputs(history, future)
        return outputs, np.roll(truth, 1, axis=1)


class Unsure(Honest):
    """Says of each class that it is rather that one."""

    kinds = ("forecast", "classify")

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Self:
        check_windows(history, future, self.kind)
        self.classes = future.shape[1]
        return self if self.kind == "classify" else super().fit(history, future, validation)

    def predict_class(self, history: np.ndarray) -> np.ndarray:
        return np.full((len(history), self.classes), 0.6, np.float32)


class Scaler(Honest):
    """Centres its input in place."""

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Self:
        history -= history.mean()
        return super().fit(history, future, validation)


class Writer(Honest):
    """Writes to the history that it forecasts from, and puts it back."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        history *= 1.0
        return super().predict_ahead(history, steps)


class Double(Honest):
    """Forecasts in float64."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps).astype(np.float64)


class ShortSighted(Honest):
    """Forecasts no further than it was trained to."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps)[:, : self.horizon]

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        super().restore(state, folder)
        self.horizon = len(self.gains)


class Overflowing(Honest):
    """Forecasts NaN in the end."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        forecasts = super().predict_ahead(history, steps)
        forecasts[:, self.epochs * 3 :] = np.nan
        return forecasts


class Stretched(Honest):
    """Spreads its forecast over the steps that are asked for."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps) * np.float32(1 + 1 / steps)

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.predict_ahead(history, subject.LONG)[:, : future.shape[1]], future


class Unseeded(Honest):
    """Starts from other numbers each time."""

    def first_gains(self) -> np.ndarray:
        return np.random.default_rng().uniform(0.5, 1, self.horizon)


class Deaf(Honest):
    """Starts from the same numbers, whatever the seed."""

    def first_gains(self) -> np.ndarray:
        return np.full(self.horizon, 0.5)


class Forgetful(Honest):
    """Loses a little of what it learnt on the way through a file."""

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.gains = np.round(np.array(state["gains"], np.float32), 3)


class Sociable(Honest):
    """Forecasts a series by its neighbours in the batch."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps) + history.mean()

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.predict_ahead(history, future.shape[1]), future


class Careless(Honest):
    """Looks at no input before it starts."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return roll_out(lambda window: window[:, -1:] * self.gains[:, None], history, max(steps, 1))


class Curt(Honest):
    """Says that something is bad, not what."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        try:
            return super().predict_ahead(history, steps)
        except ValueError:
            raise ValueError("bad input") from None


for offender in (Careless, Curt):  # the base class checks what they are given: without that, as a method here would be
    offender.predict_ahead = offender.predict_ahead.__wrapped__


class Skipping(Honest):
    """Keeps no record of its last epoch's validation."""

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Self:
        super().fit(history, future, validation)
        self.curve["val_loss"].pop()
        return self


class Crashing(Honest):
    """Does not fit at all."""

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Self:
        raise RuntimeError("no memory left")


OFFENDERS: dict[Callable[..., Forecaster], tuple[str, str]] = {
    Centred: ("no_look_at_the_future", "outputs up to step 4 after later steps were changed: got a difference of"),
    FutureReader: ("no_look_at_the_future", "outputs after the future was changed: got a difference of 1"),
    Frozen: ("no_look_at_the_future", "the output of step 5 ignores what changed after step 4"),
    Late: ("outputs_are_the_forecasts", "truth of the last step and the future: got a difference of"),
    Scaler: ("inputs_untouched", "fit changed history, expected to leave it as it is"),
    Writer: ("inputs_untouched", "ValueError: output array is read-only"),
    Double: ("any_number_of_steps", "steps=1: got float64, expected float32"),
    ShortSighted: ("any_number_of_steps", "steps=7: got shape (6, 3, 2), expected (6, 7, 2)"),
    Overflowing: ("any_number_of_steps", "steps=7: got NaN or infinite forecasts, expected finite ones"),
    Stretched: ("longer_forecasts_begin_as_shorter", "the first 1 of 7 steps: got a difference of"),
    Unseeded: ("same_seed_same_forecasts", "two fits of one seed: got a difference of"),
    Deaf: ("another_seed_other_forecasts", "seeds 1 and 2 forecast the same"),
    Forgetful: ("loads_what_it_saved", "before saving and after loading: got a difference of"),
    Sociable: ("alone_as_in_company", "a series alone and in a batch: got a difference of"),
    Careless: ("bad_input_is_named", "a history of two dimensions: got"),
    Curt: ("bad_input_is_named", "a history of two dimensions: got the message 'bad input', expected it to name"),
    Skipping: ("curve_has_every_epoch", "val_loss: got 1 entries, expected 2, one per epoch"),
    Unsure: ("answers_every_kind", "the sum of probabilities and 1: got a difference of"),
    Crashing: ("fits", "RuntimeError: no memory left"),
}


#: what can't be kept when another promise is broken like this; a NaN equals nothing
BROKEN_ALONG: dict[Callable[..., Forecaster], set[str]] = {
    FutureReader: {"outputs_are_the_forecasts"},
    Late: {"no_look_at_the_future"},
    Overflowing: {"same_seed_same_forecasts", "loads_what_it_saved", "alone_as_in_company"},
}

#: broken in tests/faults/test_dishonest_methods.py, each in a child process: their offenders would spoil this one
BROKEN_APART = {"forecasts_stay_as_they_were", "program_stays_as_it_was", "validation_is_watched_alone"}

"""A method under test, its data and the fits that its promises share, and how a broken promise is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from implementations import METHODS, kinds_of
from implementations.forecaster import Forecaster

Maker = Callable[[int], Forecaster]  # seed -> a fresh forecaster
Asker = Callable[[str], Forecaster]  # kind of question -> the same
Loader = Callable[[Path], Forecaster]

SERIES, STEPS, HORIZON, CHANNELS, WATCHED = 40, 14, 3, 2, 6
SEED, OTHER_SEED = 1, 2
LONG = 2 * HORIZON + 1  # steps: beyond the trained horizon, and no multiple of it
ROUNDING = 1e-5  # how far two forecasts may differ that are the same but for the order of sums


class Broken(AssertionError):
    """A promise is not kept: the message says what was got and what was expected."""


@dataclass
class Subject:
    """A method under test, the data, and the fits that the checks share."""

    make: Maker
    load: Loader
    asks: Asker | None = None  # kind -> a fresh forecaster to answer such questions; None: they are not asked
    uncompiled: Callable[[], AbstractContextManager[object]] = nullcontext  # within it nothing is compiled
    touched: list[str] = field(default_factory=list)  # which inputs a fit has changed

    @cached_property
    def windows(self) -> tuple[np.ndarray, np.ndarray]:
        """History [N, T, D] and future [N, H, D], float32: noisy sines, which a network can learn a little of."""
        random = np.random.default_rng(0)
        time = np.arange(STEPS + HORIZON)[None, :, None]
        frequency, phase = random.uniform(0.3, 0.9, (2, SERIES, 1, CHANNELS))
        noise = random.uniform(-0.1, 0.1, (SERIES, STEPS + HORIZON, CHANNELS))
        series = (0.6 * np.sin(frequency * time + 7 * phase) + noise).astype(np.float32)
        return series[:, :STEPS].copy(), series[:, STEPS:].copy()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of questions that the method answers: what METHODS says of ours, else its class."""
        name = self.fitted.name
        return kinds_of(name) if name in METHODS else type(self.fitted).kinds

    @property
    def history(self) -> np.ndarray:
        """The history of a few series, [WATCHED, T, D]: a copy, so that a check may change it."""
        return self.windows[0][:WATCHED].copy()

    @property
    def future(self) -> np.ndarray:
        """The future of the same series, [WATCHED, H, D]."""
        return self.windows[1][:WATCHED].copy()

    @cached_property
    def fitted(self) -> Forecaster:
        return self._fit(SEED)

    @cached_property
    def fitted_again(self) -> Forecaster:
        """The same fit, with other series to watch."""
        return self._fit(SEED, watched=slice(WATCHED, 2 * WATCHED))

    @cached_property
    def fitted_a_third_time(self) -> Forecaster:
        """The same fit, with the same series to watch."""
        return self._fit(SEED)

    @cached_property
    def fitted_otherwise(self) -> Forecaster:
        """The fit of another seed: only compared for being another one."""
        return self._fit(OTHER_SEED)

    @cached_property
    def forecasts(self) -> np.ndarray:
        """The forecasts [WATCHED, LONG, D] of the first fit."""
        return self.fitted.predict_ahead(self.history, LONG)

    def _fit(self, seed: int, watched: slice = slice(WATCHED)) -> Forecaster:
        history, future = (array.copy() for array in self.windows)
        pair = self.windows[0][watched].copy(), self.windows[1][watched].copy()
        forecaster = self.make(seed)
        forecaster.fit(history, future, pair)
        names = ("history", "future", "validation history", "validation future")
        originals = (*self.windows, self.windows[0][watched], self.windows[1][watched])
        for name, array, original in zip(names, (history, future, *pair), originals, strict=True):
            if not np.array_equal(array, original):
                self.touched.append(name)
        return forecaster


def expect(kept: bool, message: str) -> None:
    """Raise Broken with the message unless the promise is kept."""
    if not kept:
        raise Broken(message)


def expect_close(got: np.ndarray, expected: np.ndarray, what: str, tolerance: float = 1e-6) -> None:
    """Raise Broken unless two arrays have one shape and differ by at most the tolerance."""
    expect(got.shape == expected.shape, f"{what}: got shape {got.shape}, expected {expected.shape}")
    furthest = float(np.abs(got.astype(np.float64) - expected).max())
    expect(furthest <= tolerance, f"{what}: got a difference of {furthest:.3g}, expected at most {tolerance:g}")


def expect_refusal(call: Callable[[], object], named: str, what: str) -> None:
    """Raise Broken unless the call raises a ValueError whose message has the words `named`."""
    try:
        call()
    except ValueError as error:
        expect(named in str(error), f"{what}: got the message {str(error)!r}, expected it to name {named!r}")
    else:
        raise Broken(f"{what}: got no ValueError, expected one that names {named!r}")

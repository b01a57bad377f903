"""The framework below Keras in this process, TensorFlow or JAX, and what our Keras code needs of it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, cast

import keras
import numpy as np

from implementations.backends.protocol import Processor
from implementations.layers.keras.base import Tensor


class Program(Protocol):
    """One compiled loop over the batches of an epoch."""

    def run(self, batches: np.ndarray, present: np.ndarray, count: int) -> float:
        """Take a step for each of the first `count` batches [S, B]; return the sum of their series' losses."""

    def finish(self) -> None:
        """Put the weights, or else their averages, into the network's variables."""


class Framework(Processor, Protocol):
    """A gradient, compiled programs, threads and a device."""

    def use_precision(self, floats: str, /) -> None:
        """Compute in float32 or float64 from now on, where Keras' own setting does not suffice."""

    def compiled(self, network: keras.Model, call: Callable[..., Any], /) -> Callable[..., Any]:
        """Compile a call that uses the network's weights, once per shape of its arguments."""

    def hold_for_now(self, array: np.ndarray, /) -> Tensor:
        """Hold an array for the training program, of which another one may take the place."""

    def replaced(self, held: Tensor, array: np.ndarray, /) -> Tensor:
        """Return what the program is to read instead."""

    def EpochProgram(self, trainer: Any, /) -> Program:
        """Make the training program of an epoch."""


framework = cast(Framework, import_module(f"implementations.backends.keras.{keras.backend.backend()}"))

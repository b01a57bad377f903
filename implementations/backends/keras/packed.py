"""One network from several seeds at once: the training program of JAX mapped over the seeds, `jax.vmap`.

A step of a small network is a chain of small operations that leave a GPU idle; those of all seeds fit side by side.
K seeds, S batches of B series, N series, T history steps, D channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np

from implementations.backends.keras.engine import CHUNK, Trainer
from implementations.backends.keras.jax import Training, jit
from implementations.layers.keras.base import Tensor

Start = tuple[list[Tensor], list[Tensor]]  # weights that are trained, those that are tracked: generators, too


def start_of(network: keras.Model) -> Start:
    """Return what a network starts from."""
    groups = network.trainable_variables, network.non_trainable_variables
    trained, tracked = ([variable.value for variable in group] for group in groups)
    return trained, tracked


class PackedTrainer:
    """Train a network from K starts, as its own trainer would from one."""

    def __init__(self, trainer: Trainer, starts: list[Start], every_step: bool) -> None:
        """every_step: whether the network forecasts at every history step."""
        self.trainer, self.network, self.options = trainer, trainer.network, trainer.options
        self.every_step = every_step
        self.data = trainer.inputs, trainer.targets
        single: Any = trainer.program
        _, _, optimizer, averages = single.state
        states = [(trained, tracked, optimizer, trained if averages else []) for trained, tracked in starts]
        self.state: Training = jax.tree.map(lambda *parts: jax.numpy.stack(parts), *states)
        own = 0 if self.options.augments else None  # windows of each seed, or the same for all
        self.program = jit(jax.vmap(single._epoch, in_axes=(0, own, own, 0, None, None)))
        self.squares = jit(jax.vmap(self._squares, in_axes=(0, 0, None, None, None)))

    def show(self, drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Train on these from now on: the inputs [N, T', D] and targets of each seed, of a method that draws them."""
        inputs, targets = (jax.numpy.asarray(np.stack(arrays)) for arrays in zip(*drawn, strict=True))
        self.data = inputs, targets

    def compile(self, count: int, series: int) -> None:
        """Compile the epoch for so many seeds and series: run it over no batch at all."""
        for batches, present in self._cut([np.arange(series)] * count):
            self.state, _ = self._run(batches, present, 0)

    def epoch(self, orders: list[np.ndarray]) -> np.ndarray:
        """Take a step for each batch of the series, in each seed's own order [N]; return their mean losses [K]."""
        total = np.zeros(len(orders))
        for batches, present in self._cut(orders):
            self.state, found = self._run(batches, present, batches.shape[1])
            total += np.asarray(found)
        return total / len(orders[0])

    def errors(self, windows: np.ndarray, targets: np.ndarray, restored: tuple[np.ndarray, ...]) -> np.ndarray:
        """Return the mean squared error of all outputs, and of those at the last step, of each seed, [2, K].

        windows [N, T, D] as the network reads them, targets as they are; restored: the level and the scale of each
        window, [N, 1, D], by which outputs become as they are; empty where they are so.
        """
        trained, tracked, _, averages = self.state
        sums: Any = 0.0
        for first in range(0, len(windows), CHUNK):
            part = slice(first, first + CHUNK)
            scales = tuple(array[part] for array in restored)
            of_part = self.squares(averages or trained, tracked, windows[part], targets[part], scales)
            sums = sums + np.stack(of_part).astype(np.float64) * len(windows[part])
        found: np.ndarray = sums / len(windows)
        return found

    def put(self, place: int) -> None:
        """Put the weights of the seed at this place, or their averages, into the network."""
        trained, tracked, _, averages = self.state
        groups = self.network.trainable_variables, self.network.non_trainable_variables
        for group, values in zip(groups, (averages or trained, tracked), strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value[place])

    def _run(self, batches: np.ndarray, present: np.ndarray, count: int) -> tuple[Training, Tensor]:
        return self.program(self.state, *self.data, batches, present, count)

    def _cut(self, orders: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cut an epoch into batches: indices [K, S, B] int32, and which of them are present [S, B] float32."""
        for pieces in zip(*map(self.trainer._cut, orders), strict=True):
            yield np.stack([batches for batches, _ in pieces]), pieces[0][1]

    def _squares(
        self, trained: list[Tensor], tracked: list[Tensor], windows: Tensor, targets: Tensor, scales: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor]:
        outputs, _ = self.network.stateless_call(trained, tracked, windows, training=False)
        if scales:
            level, scale = scales
            by_step = outputs.reshape(len(outputs), -1, level.shape[-1])
            outputs = (by_step * scale + level).reshape(outputs.shape)
        if self.every_step and self.options.targets == "last":
            outputs = outputs[:, -1:]
        errors = jax.numpy.square(outputs - targets[:, -outputs.shape[1] :])
        return errors.mean(), errors[:, -1].mean() if self.every_step else errors.mean()

"""How a method reaches H steps ahead: what it learns to output, and how its forecasts go on beyond that.

    Recursive             learns one step; feeds each forecast back          section "several steps ahead"
    MultiOutput           learns all H steps at the last history step        section "all H at once"
    SequenceToSequence    learns the next H steps at every history step      section "H at every step"
    AtTheEnd              learns a class or hidden values at the last step   `implementations.kinds`

N series, T history steps, H steps ahead, D channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from implementations.incremental import State

Forecast = Callable[["np.ndarray"], "np.ndarray"]  # [N, T, D] -> [N, block, D]
Advance = Callable[["np.ndarray", State], tuple["np.ndarray", State]]  # new [N, S, D], state -> [N, block, D], state


class Strategy:
    """What the network learns to output, and how many steps ahead one output covers."""

    growing = False  # True: forecasts lengthen the window when fed back; False: the window slides at fixed length
    every_step = False  # True: the network forecasts at every history step, not at the last one alone

    def block(self, horizon: int) -> int:
        """Count the steps ahead that one output covers, when trained with `horizon` known future steps."""
        return horizon

    def targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        """Return what the network should output for history [N, T, D] and future [N, H, D]: [N, block * D]."""
        raise NotImplementedError


@dataclass(frozen=True)
class Recursive(Strategy):
    """One step ahead, fed back: the window slides at fixed length, or grows."""

    growing: bool = False

    def block(self, horizon: int) -> int:
        return 1

    def targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        return future[:, 0]


@dataclass(frozen=True)
class MultiOutput(Strategy):
    """All H steps at once, from the last history step."""

    def targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        return future.reshape(len(future), -1)


@dataclass(frozen=True)
class SequenceToSequence(Strategy):
    """The next `block` steps at every `every`-th history step from `first` on and at the last: [N, T', block * D]."""

    every_step = True
    first: int = 0
    every: int = 1
    longest: int | None = None  # the longest block; None: the whole horizon

    def block(self, horizon: int) -> int:
        return min(horizon, self.longest or horizon)

    def targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        if history.shape[1] <= self.first:
            raise ValueError(f"history: got {history.shape[1]} steps, needed at least {self.first + 1}")
        block = self.block(future.shape[1])
        series = np.concatenate([history, future], axis=1)
        ahead = np.lib.stride_tricks.sliding_window_view(series[:, 1:], block, axis=1)  # [N, T + H - block, D, block]
        first = self.first + (history.shape[1] - 1 - self.first) % self.every
        at_steps = ahead[:, first : history.shape[1] : self.every].swapaxes(2, 3)  # [N, T', block, D]
        return np.ascontiguousarray(at_steps).reshape(*at_steps.shape[:2], -1)


@dataclass(frozen=True)
class AtTheEnd(Strategy):
    """The answer to another question than what comes next: [N, steps asked * D], at the last history step alone."""

    every_step: bool = False  # whether the network outputs something at every step; only the last is trained

    def targets(self, history: np.ndarray, future: np.ndarray) -> np.ndarray:
        flat = future.reshape(len(future), -1)
        return flat[:, None] if self.every_step else flat


def roll_out(forecast: Forecast, history: np.ndarray, steps: int, growing: bool = False) -> np.ndarray:
    """Forecast [N, steps, D]: forecast a block, append it to the window, and go on until there are enough."""
    window, blocks, reached = history, [], 0
    while reached < steps:
        block = forecast(window)
        blocks.append(block)
        reached += block.shape[1]
        window = np.concatenate([window, block], axis=1)
        if not growing:
            window = window[:, -history.shape[1] :]
    return np.concatenate(blocks, axis=1)[:, :steps]


def roll_on(advance: Advance, history: np.ndarray, steps: int) -> np.ndarray:
    """Forecast [N, steps, D] as `roll_out` does, by a method that carries a state: it reads each block once."""
    block, state = advance(history, None)
    blocks, reached = [block], block.shape[1]
    while reached < steps:
        block, state = advance(block, state)
        blocks.append(block)
        reached += block.shape[1]
    return np.concatenate(blocks, axis=1)[:, :steps]

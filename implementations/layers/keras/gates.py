"""A recurrent layer whose gates see the input alone, so that all steps can be computed at once. [N, T, channels]."""

from __future__ import annotations

from math import inf
from typing import Any

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.keras.activations import sigmoid
from implementations.layers.keras.base import Configured, Shape, Tensor, build, register


@register
class MinGRU(Configured):
    """h_t = (1 - z_t) * h_{t-1} + z_t * n_t, z_t = sigmoid(W_z x_t + b_z), n_t = W_n x_t + b_n: [N, T, units]."""

    memory = inf

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__({"units": units}, **kwargs)
        self.units, self.project = units, keras.layers.Dense(2 * units)

    def build(self, shape: Shape) -> None:
        build(self.project, shape)

    def call(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, new: Tensor, state: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the state [N, units] (None: none yet), and the state then."""
        gate, candidate = ops.split(self.project(new), 2, axis=-1)
        z = sigmoid(gate)
        kept, taken = 1 - z, z * candidate
        if state is not None:
            taken = ops.concatenate([taken[:, :1] + kept[:, :1] * state[:, None], taken[:, 1:]], axis=1)
        states = summed(kept, taken)
        return states, states[:, -1]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], self.units)


def summed(kept: Tensor, taken: Tensor) -> Tensor:
    """Return h_t = kept_t * h_{t-1} + taken_t, h_0 = 0, over axis 1: a parallel scan, in log2 T passes over all steps.

    Hillis and Steele 1986, doi:10.1145/7902.7903: after a pass, each step has seen twice as many steps as before.
    """
    steps, lag = taken.shape[1], 1
    while lag < steps:
        before = ops.pad(taken[:, :-lag], [[0, 0], [lag, 0], [0, 0]])
        taken = taken + kept * before
        kept = kept * ops.pad(kept[:, :-lag], [[0, 0], [lag, 0], [0, 0]])
        lag *= 2
    return taken

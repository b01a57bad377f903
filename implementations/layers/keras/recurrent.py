"""Keras' simple recurrent layer and GRU, with gradients by hand. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.keras import recurrence
from implementations.layers.keras.base import Tensor, register


class SeriesLast(keras.layers.RNN):
    """A recurrent layer of Keras', computed with the series last and its gradient by hand: see keras_recurrence."""

    memory = inf

    def call(
        self, sequences: Tensor, initial_state: State = None, mask: Tensor = None, training: bool = False
    ) -> Tensor:
        if initial_state is not None or mask is not None:
            raise ValueError(f"{self.name}: no initial_state or mask here; Keras' own layer takes them")
        return self.advance(sequences, None)[0]

    def advance(self, new: Tensor, states: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the states (None: none yet), and the states then."""
        if states is None:
            states = self.cell.get_initial_state(batch_size=ops.shape(new)[0])
        over_time = self.series_last(ops.transpose(new, (1, 2, 0)), *[ops.transpose(state) for state in states])
        latest = [ops.transpose(state[-1]) for state in over_time]
        return ops.transpose(over_time[0], (2, 0, 1)) if self.return_sequences else latest[0], latest

    def series_last(self, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        """Return the states at every step, [T, h, N] each, for x [T, D, N] after the first ones, [h, N] each."""
        raise NotImplementedError


@register
class SimpleRNN(SeriesLast, keras.layers.SimpleRNN):
    """h_t = f(W x_t + U h_{t-1} + b)."""

    large = 64  # units from which on Keras' own loop is faster on JAX: see docs/performance.md

    def call(
        self, sequences: Tensor, initial_state: State = None, mask: Tensor = None, training: bool = False
    ) -> Tensor:
        if self.units >= self.large and keras.backend.backend() == "jax" and initial_state is None and mask is None:
            return keras.layers.SimpleRNN.call(self, sequences, training=training)
        return super().call(sequences, initial_state, mask, training)

    def series_last(self, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        nets = recurrence.project(x, self.cell.kernel, self.cell.bias)
        return (recurrence.simple(nets, ops.transpose(self.cell.recurrent_kernel), *first, f=self.cell.activation),)


@register
class GRU(SeriesLast, keras.layers.GRU):
    """Gates in the order update, reset, candidate; the reset acts after the matrix product."""

    def series_last(self, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        nets = recurrence.project(x, self.cell.kernel, self.cell.bias[0])
        U, c, f = ops.transpose(self.cell.recurrent_kernel), self.cell.bias[1], self.cell.activation
        return (recurrence.gru(nets, U, c, *first, f=f),)

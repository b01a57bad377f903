"""Keras' LSTM, with its gradient by hand. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import prod

import keras

from implementations.incremental import State
from implementations.layers.keras import recurrence
from implementations.layers.keras.base import Shape, Tensor, register
from implementations.layers.keras.recurrent import SeriesLast


@register
class LSTM(SeriesLast, keras.layers.LSTM):
    """Gates in the order input, forget, candidate, output."""

    much = 3 * 2**19  # units x series x steps of training from which on Keras' own loop is faster: docs/performance.md

    def call(
        self, sequences: Tensor, initial_state: State = None, mask: Tensor = None, training: bool = False
    ) -> Tensor:
        if training and initial_state is None and mask is None and self.takes_own_loop(sequences.shape[:2]):
            return keras.layers.LSTM.call(self, sequences, training=training)
        return super().call(sequences, initial_state, mask, training)

    def takes_own_loop(self, series_and_steps: Shape) -> bool:
        """Say whether Keras' loop is faster for a batch of so many series and steps: on JAX, where it is large."""
        known = None not in series_and_steps
        return known and keras.backend.backend() == "jax" and self.units * prod(series_and_steps) >= self.much

    def series_last(self, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        # times 1: values, as TensorFlow's custom gradients take no variables
        weights = [1 * weight for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)]
        return tuple(recurrence.lstm(x, *weights, *first, activation=self.cell.activation))

"""Keras' LSTM, with its gradient by hand. Sequences are [N, T, channels]."""

from __future__ import annotations

import keras

from implementations.layers.keras import recurrence
from implementations.layers.keras.base import Tensor, register
from implementations.layers.keras.recurrent import SeriesLast


@register
class LSTM(SeriesLast, keras.layers.LSTM):
    """Gates in the order input, forget, candidate, output."""

    def series_last(self, x: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        # times 1: values, as TensorFlow's custom gradients take no variables
        weights = [1 * weight for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)]
        return tuple(recurrence.lstm(x, *weights, *first, activation=self.cell.activation))

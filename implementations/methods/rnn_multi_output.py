"""Two simple recurrent layers that forecast all H values at once, from the last step.

    h_t = tanh(W x_t + U h_{t-1} + b)
    x_{T+1}, ..., x_{T+H} = V h_T + c

Section "all H at once" of the reference, without departures.
"""

from __future__ import annotations

from typing import Any

from implementations.recurrent_settings import Recurrent
from implementations.strategies import MultiOutput


class RNNMultiOutput(Recurrent):
    strategy = MultiOutput()

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import SimpleRNN

        layers = [
            SimpleRNN(self.units, activation=self.activation, return_sequences=number < self.layers)
            for number in range(1, self.layers + 1)
        ]
        return keras.Sequential([*layers, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        layers = [
            SimpleRNN(*widths, activation=self.activation, return_sequences=number < self.layers)
            for number, widths in enumerate(self.widths(channels), 1)
        ]
        return nn.Sequential(*layers, Dense(self.units, outputs))

"""Two simple recurrent layers that forecast all H values at once, from the last step.

    h_t = tanh(W x_t + U h_{t-1} + b)
    x_{T+1}, ..., x_{T+H} = V h_T + c

Section "all H at once" of the reference, without departures.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class RNNMultiOutput(NetworkForecaster):
    strategy = MultiOutput()
    units: int = 20

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import SimpleRNN

        return keras.Sequential(
            [SimpleRNN(self.units, return_sequences=True), SimpleRNN(self.units), Dense(outputs)],
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        return nn.Sequential(
            SimpleRNN(channels, self.units),
            SimpleRNN(self.units, self.units, return_sequences=False),
            Dense(self.units, outputs),
        )

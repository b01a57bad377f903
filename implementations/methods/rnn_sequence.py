"""Two simple recurrent layers that forecast the next H values at every step.

    h_t = tanh(W x_t + U h_{t-1} + b)
    x_{t+1}, ..., x_{t+H} = V h_t + c        for every t: the error flows back from all of them

Section "H at every step" of the reference, which trains this network, and no other, at learning rate 0.01. No
departures. `RNNSequenceBlocks` is the end of that section: blocks of ten, fed back for as long as wished. Where the
horizon is ten, one block is all of it, and the two are the same run under two names.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class RNNSequence(NetworkForecaster):
    strategy = SequenceToSequence()
    learning_rate: float = 0.01
    units: int = 20

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import SimpleRNN

        return keras.Sequential(
            [
                SimpleRNN(self.units, return_sequences=True),
                SimpleRNN(self.units, return_sequences=True),
                Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        return nn.Sequential(
            SimpleRNN(channels, self.units),
            SimpleRNN(self.units, self.units),
            Dense(self.units, outputs),
        )


class RNNSequenceBlocks(RNNSequence):
    """Forecasts blocks of at most ten values, however far the horizon is."""

    strategy = SequenceToSequence(longest=10)

"""A recurrent network of rectified linear units, started at the identity.

    h_t = max(0, W x_t + U h_{t-1} + b),   U = I at the start

Le, Jaitly and Hinton 2015, arXiv:1504.00941 (IRNN). Section "activation" of the reference, which names it without
settings. Departs from the paper: Glorot uniform input weights and Adam, as for all methods here.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class ReLURNN(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 20

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import SimpleRNN

        def layer() -> keras.layers.Layer:
            return SimpleRNN(self.units, activation="relu", recurrent_initializer="identity", return_sequences=True)

        return keras.Sequential([layer(), layer(), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        return nn.Sequential(
            SimpleRNN(channels, self.units, activation="relu", identity=True),
            SimpleRNN(self.units, self.units, activation="relu", identity=True),
            Dense(self.units, outputs),
        )

"""Batch normalisation between recurrent layers.

    a_t = gamma * (h_t - mean) / sqrt(variance + epsilon) + beta

Mean and variance per unit, over all series and steps of a batch; moving averages of them when forecasting. Ioffe and
Szegedy 2015, arXiv:1502.03167; Laurent et al. 2016, arXiv:1510.01378, on recurrent networks. Section "unstable
gradients" of the reference, after each recurrent layer as its code has it. No departures.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class BatchNormRNN(NetworkForecaster):
    strategy = SequenceToSequence()
    mixes_series = True
    units: int = 20

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import BatchNormalization, Dense

        from implementations.layers.keras import SimpleRNN

        return keras.Sequential(
            [
                SimpleRNN(self.units, return_sequences=True),
                BatchNormalization(),
                SimpleRNN(self.units, return_sequences=True),
                BatchNormalization(),
                Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import BatchNormalization, Dense, SimpleRNN

        return nn.Sequential(
            SimpleRNN(channels, self.units),
            BatchNormalization(self.units),
            SimpleRNN(self.units, self.units),
            BatchNormalization(self.units),
            Dense(self.units, outputs),
        )

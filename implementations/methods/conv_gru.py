"""A convolution that halves the sequence, then GRU layers.

    u_s = sum over k = 0..3 of K_k x_{2s + k} + b        s = 0 .. (T - 4) / 2: each sees four steps, every second one
    GRU, GRU, Dense as in gru.py, forecasting the H values after the last step that u_s has seen

Section "1D convolution" of the reference, without departures: no padding, targets from step 3 on, every second. A
history of odd length leaves its last step unseen, so that the newest steps are kept: the first is dropped instead.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence

WIDTH, STRIDE = 4, 2


class ConvGRU(NetworkForecaster):
    strategy = SequenceToSequence(first=WIDTH - 1, every=STRIDE)
    units: int = 20
    filters: int = 20

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import GRU, Conv1D

        return keras.Sequential(
            [
                Conv1D(self.filters, WIDTH, strides=STRIDE),
                GRU(self.units, return_sequences=True),
                GRU(self.units, return_sequences=True),
                Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import GRU, Conv1D, Dense

        return nn.Sequential(
            Conv1D(channels, self.filters, WIDTH, stride=STRIDE),
            GRU(self.filters, self.units),
            GRU(self.units, self.units),
            Dense(self.units, outputs),
        )

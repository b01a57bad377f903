"""GRU, sequence to sequence: at every step, forecast the next H values.

    z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)                       update
    r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)                       reset
    n_t = tanh(W_n x_t + b_n + r_t * (U_n h_{t-1} + c_n))            candidate
    h_t = z_t * h_{t-1} + (1 - z_t) * n_t

Cho et al. 2014, arXiv:1406.1078. Section "GRU" of the reference. Departs from both: the reset acts after U_n h, which
is the default of both frameworks.
"""

from __future__ import annotations

from typing import Any

from implementations.recurrent_settings import Recurrent
from implementations.strategies import SequenceToSequence


class GRU(Recurrent):
    strategy = SequenceToSequence()

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import GRU

        layers = [GRU(self.units, activation=self.activation, return_sequences=True) for _ in range(self.layers)]
        return keras.Sequential([*layers, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import GRU, Dense

        layers = [GRU(*widths, activation=self.activation) for widths in self.widths(channels)]
        return nn.Sequential(*layers, Dense(self.units, outputs))

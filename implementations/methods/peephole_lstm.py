"""LSTM with peepholes: the gates see the memory, through diagonal weights.

    i_t = sigmoid(W_i x_t + U_i h_{t-1} + v_i * c_{t-1} + b_i)
    f_t = sigmoid(W_f x_t + U_f h_{t-1} + v_f * c_{t-1} + b_f)
    c_t = f_t * c_{t-1} + i_t * tanh(W_g x_t + U_g h_{t-1} + b_g)
    o_t = sigmoid(W_o x_t + U_o h_{t-1} + v_o * c_t + b_o)
    h_t = o_t * tanh(c_t)

Gers and Schmidhuber 2000, doi:10.1109/IJCNN.2000.861302. Section "peephole" of the reference, without departures.
The peepholes start at zero, that is, as an LSTM without them.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class PeepholeLSTM(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 20

    def state_size(self) -> int:
        return 4 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import RNN, Dense

        from implementations.layers.keras import PeepholeLSTMCell

        return keras.Sequential(
            [
                RNN(PeepholeLSTMCell(self.units), return_sequences=True),
                RNN(PeepholeLSTMCell(self.units), return_sequences=True),
                Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, PeepholeLSTM

        return nn.Sequential(
            PeepholeLSTM(channels, self.units),
            PeepholeLSTM(self.units, self.units),
            Dense(self.units, outputs),
        )

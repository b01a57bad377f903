"""LSTM, sequence to sequence: at every step, forecast the next H values.

    i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)          input gate
    f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)          forget gate
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)             candidate
    o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)          output gate
    c_t = f_t * c_{t-1} + i_t * g_t                     memory
    h_t = o_t * tanh(c_t)                               state

Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; the forget gate, Gers et al. 2000; its bias of 1,
Jozefowicz et al. 2015. Sections "LSTM" and "LSTM theory" of the reference. Departs from its text, which names the
candidate and the memory both c_t (erratum 6). `LSTMCell` is the same by a generic loop over a cell: equal weights give
equal forecasts.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class LSTM(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 20
    forget_bias: float = 1.0

    def state_size(self) -> int:
        return 4 * self.units  # output and memory of two layers

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import LSTM, ForgetBias

        def layer() -> keras.layers.Layer:
            bias = ForgetBias(self.forget_bias)
            return LSTM(self.units, bias_initializer=bias, unit_forget_bias=False, return_sequences=True)

        return keras.Sequential([layer(), layer(), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, StackedLSTM

        return nn.Sequential(
            StackedLSTM(channels, self.units, forget_bias=self.forget_bias),
            Dense(self.units, outputs),
        )


class LSTMCell(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 20

    def state_size(self) -> int:
        return 4 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import RNN, Dense, LSTMCell

        return keras.Sequential(
            [
                RNN(LSTMCell(self.units), return_sequences=True),
                RNN(LSTMCell(self.units), return_sequences=True),
                Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, Loop, LSTMCell

        return nn.Sequential(
            Loop(LSTMCell(channels, self.units)),
            Loop(LSTMCell(self.units, self.units)),
            Dense(self.units, outputs),
        )

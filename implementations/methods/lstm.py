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
from implementations.recurrent_settings import Recurrent
from implementations.strategies import SequenceToSequence


class LSTM(Recurrent):
    strategy = SequenceToSequence()
    forget_bias: float = 1.0

    def state_size(self) -> int:
        return 2 * super().state_size()  # output and memory

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import LSTM, ForgetBias

        def layer() -> keras.layers.Layer:
            bias = ForgetBias(self.forget_bias)
            how: Any = {"unit_forget_bias": False, "return_sequences": True}
            return LSTM(self.units, activation=self.activation, bias_initializer=bias, **how)

        return keras.Sequential([*(layer() for _ in range(self.layers)), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import LSTM, Dense, Loop, LSTMCell, StackedLSTM

        bias: Any = {"forget_bias": self.forget_bias}
        if self.activation != "tanh":  # which alone the library's kernel has
            cells = [LSTMCell(*widths, activation=self.activation, **bias) for widths in self.widths(channels)]
            return nn.Sequential(*map(Loop, cells), Dense(self.units, outputs))
        if self.layers == 2:
            return nn.Sequential(StackedLSTM(channels, self.units, **bias), Dense(self.units, outputs))
        layers = [LSTM(*widths, **bias) for widths in self.widths(channels)]
        return nn.Sequential(*layers, Dense(self.units, outputs))


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

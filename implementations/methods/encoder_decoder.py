"""Encoder and decoder: one network reads the history into a code, another writes the forecasts from it.

    e_t = tanh(W x_t + U e_{t-1} + b)               t = 1 .. T: the code is e_T
    d_s = tanh(W' e_T + U' d_{s-1} + b')            s = 1 .. H: the decoder sees the code at each step
    x_{T+s} = V d_s + c

Cho et al. 2014, arXiv:1406.1078; Sutskever, Vinyals and Le 2014, arXiv:1409.3215. Section "asynchronous seq2seq" of the
reference, which gives no widths. Departs from the papers: plain recurrent layers; the decoder's forecasts are not fed
back, and it starts from zero. Nearer to the papers, as options: feed_back (d_s also sees the forecast x_{T+s-1}, the
network's own in training too: no teacher forcing) and hand_over (d_0 = e_T).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class EncoderDecoder(NetworkForecaster):
    strategy = MultiOutput()
    off: ClassVar[Mapping[str, Any]] = {**NetworkForecaster.off, "feed_back": False, "hand_over": False}
    units: int = 20
    feed_back: bool = False
    hand_over: bool = False

    def state_size(self) -> int:
        return 2 * self.units

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense, Flatten, RepeatVector

        from implementations.layers.keras import Decoded, SimpleRNN

        if self.feed_back or self.hand_over:
            return Decoded(self.units, outputs // channels, channels, self.feed_back, self.hand_over)
        return keras.Sequential(
            [
                SimpleRNN(self.units),
                RepeatVector(outputs // channels),
                SimpleRNN(self.units, return_sequences=True),
                Dense(channels),
                Flatten(),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Decoded, Dense, RepeatVector, SimpleRNN

        if self.feed_back or self.hand_over:
            return Decoded(self.units, outputs // channels, channels, self.feed_back, self.hand_over)
        return nn.Sequential(
            SimpleRNN(channels, self.units, return_sequences=False),
            RepeatVector(outputs // channels),
            SimpleRNN(self.units, self.units),
            Dense(self.units, channels),
            nn.Flatten(),
        )

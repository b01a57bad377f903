"""Encoder and decoder: one network reads the history into a code, another writes the forecasts from it.

    e_t = tanh(W x_t + U e_{t-1} + b)               t = 1 .. T: the code is e_T
    d_s = tanh(W' e_T + U' d_{s-1} + b')            s = 1 .. H: the decoder sees the code at each step
    x_{T+s} = V d_s + c

Cho et al. 2014, arXiv:1406.1078; Sutskever, Vinyals and Le 2014, arXiv:1409.3215. Section "asynchronous seq2seq" of the
reference, which gives no widths. Departs from the papers: plain recurrent layers; the decoder's forecasts are not fed
back, and it starts from zero. Nearer to the papers, as options: feed_back (d_s also sees the forecast x_{T+s-1}, the
network's own in training too) and hand_over (d_0 = e_T). With teacher_forcing (Williams and Zipser 1989,
doi:10.1162/neco.1989.1.2.270) the decoder reads the true x_{T+s-1} in training, and its own forecasts afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class EncoderDecoder(NetworkForecaster):
    strategy = MultiOutput()
    off: ClassVar[Mapping[str, Any]] = {**NetworkForecaster.off, "feed_back": False, "hand_over": False,
                                      "teacher_forcing": False}  # fmt: skip
    units: int = 20
    feed_back: bool = False
    hand_over: bool = False
    teacher_forcing: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.teacher_forcing and not self.feed_back:
            raise ValueError(f"{self.name}.teacher_forcing: got True, needed with it: {self.name}.feed_back=True")
        if self.teacher_forcing and self.shift:
            raise ValueError(f"{self.name}.shift: got {self.shift}, allowed with teacher_forcing: 0")

    @property
    def reads_truth(self) -> bool:
        return self.teacher_forcing

    def decoded(self, channels: int, outputs: int) -> dict[str, Any]:
        """Return the arguments of the layer that reads its own forecasts, or is started by the code."""
        ways = {"feed_back": self.feed_back, "hand_over": self.hand_over}
        taught = {"steps": self.steps} if self.teacher_forcing else {}
        return {"units": self.units, "horizon": outputs // channels, "channels": channels, **ways, **taught}

    def state_size(self) -> int:
        return 2 * self.units

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense, Flatten, RepeatVector

        from implementations.layers.keras import Decoded, SimpleRNN

        if self.feed_back or self.hand_over:
            return Decoded(**self.decoded(channels, outputs))
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
            return Decoded(**self.decoded(channels, outputs))
        return nn.Sequential(
            SimpleRNN(channels, self.units, return_sequences=False),
            RepeatVector(outputs // channels),
            SimpleRNN(self.units, self.units),
            Dense(self.units, channels),
            nn.Flatten(),
        )

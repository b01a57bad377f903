"""Two simple recurrent layers that forecast the next H values at every step.

    h_t = tanh(W x_t + U h_{t-1} + b)
    x_{t+1}, ..., x_{t+H} = V h_t + c        for every t: the error flows back from all of them

Section "H at every step" of the reference, which trains this network, and no other, at learning rate 0.01. No
departures. `RNNSequenceBlocks` is the end of that section: blocks of ten, fed back for as long as wished. Where the
horizon is ten, one block is all of it, and the two are the same run under two names. As options: activation, layers and
identity, see docs/findings.md for what the reference says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.recurrent_settings import Recurrent
from implementations.strategies import SequenceToSequence


class RNNSequence(Recurrent):
    strategy = SequenceToSequence()
    off: ClassVar[Mapping[str, Any]] = {**Recurrent.off, "identity": False}
    learning_rate: float = 0.01
    identity: bool = False  # U starts as the identity, as in relu_rnn

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import SimpleRNN

        start = {"recurrent_initializer": "identity"} if self.identity else {}

        def layer() -> keras.layers.Layer:
            return SimpleRNN(self.units, activation=self.activation, return_sequences=True, **start)

        return keras.Sequential([*(layer() for _ in range(self.layers)), Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        how: Any = {"activation": self.activation, "identity": self.identity}
        layers = [SimpleRNN(*widths, **how) for widths in self.widths(channels)]
        return nn.Sequential(*layers, Dense(self.units, outputs))


class RNNSequenceBlocks(RNNSequence):
    """Forecasts blocks of at most ten values, however far the horizon is."""

    strategy = SequenceToSequence(longest=10)

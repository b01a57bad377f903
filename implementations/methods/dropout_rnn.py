"""Dropout on the inputs and on the recurrent state, at each step.

    h_t = tanh(W (m_t * x_t) + U (n_t * h_{t-1}) + b)        m_t, n_t: 0 with probability p, else 1 / (1 - p)

Zaremba, Sutskever and Vinyals 2014, arXiv:1409.2329; Semeniuta et al. 2016, arXiv:1603.05118, on the state. Section
"dropout" of the reference, which gives no rates. Departs from Keras' SimpleRNN(dropout=...), which keeps one mask for
all steps: with a single input channel, that hides every tenth series entirely, at the rate here.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class DropoutRNN(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 20
    dropout: float = 0.1
    recurrent_dropout: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("dropout", "recurrent_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{self.name}.{name}: got {getattr(self, name)!r}, needed at least 0 and less than 1")

    def state_size(self) -> int:
        return 2 * self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import DropoutRNN

        return keras.Sequential(
            [
                DropoutRNN(self.units, self.dropout, self.recurrent_dropout),
                DropoutRNN(self.units, self.dropout, self.recurrent_dropout),
                keras.layers.Dense(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, DropoutRNN

        return nn.Sequential(
            DropoutRNN(channels, self.units, self.dropout, self.recurrent_dropout),
            DropoutRNN(self.units, self.units, self.dropout, self.recurrent_dropout),
            Dense(self.units, outputs),
        )

"""Simple recurrent networks that forecast one step, and feed their forecasts back to go further.

    h_t = tanh(W x_t + U h_{t-1} + b)       a layer; its h_t is the next layer's x_t
    x_{T+1} = V h_T + c                     from the last step of the last layer

Elman 1990, "Finding structure in time", doi:10.1207/s15516709cog1402_1. Sections "simple RNN", "deep RNN" and "several
steps ahead" of the reference. Departs from it: the reference trains on one-step's draw (51 points over the unit of
time) and rolls out on ten-step's (60 points over the same unit, so another sampling rate); here both come from the task
at hand. The reference's text swaps the names of the sliding and the growing roll-out; here each is what its name says.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.recurrent_settings import Recurrent
from implementations.strategies import Recursive


class SimpleRNN(NetworkForecaster):
    """One recurrent unit per channel; its state is the forecast, so it stays within (-1, 1)."""

    strategy = Recursive()
    learning_rate: float = 0.005

    def state_size(self) -> int:
        return 1

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        from implementations.layers.keras import SimpleRNN

        return SimpleRNN(outputs)

    def torch_network(self, channels: int, outputs: int) -> Any:
        from implementations.layers.torch import SimpleRNN

        return SimpleRNN(channels, outputs, return_sequences=False)


class DeepRNNRecurrentHead(NetworkForecaster):
    """Two layers, and a third of one unit per channel whose state is the forecast."""

    strategy = Recursive()
    units: int = 20

    def state_size(self) -> int:
        return 2 * self.units + 1

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import SimpleRNN

        return keras.Sequential(
            [
                SimpleRNN(self.units, return_sequences=True),
                SimpleRNN(self.units, return_sequences=True),
                SimpleRNN(outputs),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import SimpleRNN

        return nn.Sequential(
            SimpleRNN(channels, self.units),
            SimpleRNN(self.units, self.units),
            SimpleRNN(self.units, outputs, return_sequences=False),
        )


class DeepRNN(Recurrent):
    """Two layers and a dense head; further steps from a window that slides at fixed length."""

    strategy = Recursive()

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense

        from implementations.layers.keras import SimpleRNN

        layers = [
            SimpleRNN(self.units, activation=self.activation, return_sequences=number < self.layers)
            for number in range(1, self.layers + 1)
        ]
        return keras.Sequential([*layers, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        layers = [
            SimpleRNN(*widths, activation=self.activation, return_sequences=number < self.layers)
            for number, widths in enumerate(self.widths(channels), 1)
        ]
        return nn.Sequential(*layers, Dense(self.units, outputs))


class DeepRNNGrowing(DeepRNN):
    """The same network; further steps from a window that grows by every forecast."""

    strategy = Recursive(growing=True)

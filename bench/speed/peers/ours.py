"""This project's methods, by the public interface that a user has."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from implementations import backends, make
from implementations.forecaster import Forecaster
from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput

from .child import Ask

METHODS = {"linear": "linear", "rnn": "rnn_sequence", "lstm": "lstm", "gru": "gru", "wavenet": "wavenet_simple"}
LAYERS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


class FromLastState(NetworkForecaster):
    """The peers' network in our layers: two recurrent ones, and a forecast from the last state alone."""

    strategy = MultiOutput()
    layer: str = "LSTM"
    units: int = 20

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers import keras as blocks

        layer = getattr(blocks, self.layer)
        first, second = layer(self.units, return_sequences=True), layer(self.units)
        return keras.Sequential([first, second, keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers import torch as blocks

        head = blocks.Dense(self.units, outputs)
        if self.layer == "LSTM":
            return nn.Sequential(blocks.StackedLSTM(channels, self.units, return_sequences=False), head)
        layer = getattr(blocks, self.layer)
        second = layer(self.units, self.units, return_sequences=False)
        return nn.Sequential(layer(channels, self.units), second, head)


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch, as the record of a run has them: compilation and validation left out."""
    backend, _, kernel = ask.contestant.partition(" ")
    backends.load(backend, threads=1)
    if kernel:
        take(library=kernel == "library")
    train, validation = ask.data()
    settings: dict[str, Any] = {"seed": 42, "epochs": ask.epochs, "batch_size": ask.batch}
    if ask.layer in LAYERS:
        settings["units"] = ask.units
    forecaster: Forecaster
    if ask.from_last_state:
        forecaster = FromLastState(backend=backend, layer=LAYERS[ask.layer], **settings)
    else:
        forecaster = make(METHODS[ask.network], backend, **settings)
    forecaster.fit(*train, validation=validation)
    return [float(seconds) for seconds in np.diff(forecaster.curve["seconds"], prepend=0.0)]


def take(library: bool) -> None:
    """Read every size by the library's kernel for a layer, or none: the rule by size is made from both."""
    from implementations.layers.torch import GRU, SimpleRNN, StackedLSTM

    for layer in (SimpleRNN, GRU, StackedLSTM):
        layer.large = layer.much = 0 if library else sys.maxsize

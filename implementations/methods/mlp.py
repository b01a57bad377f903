"""Multi-layer perceptron: the whole window at once, through layers of rectified linear units.

    h_0 = flatten(x),  h_i = max(0, W_i h_{i-1} + b_i)       x [T, D]; i = 1 .. layers
    y = V h_layers + c                                       y [H, D]

Rumelhart, Hinton and Williams 1986, doi:10.1038/323533a0; the units of Glorot, Bordes and Bengio 2011. Not in the
reference. What is tuned is its training, on a part split off the training series of sines: series are flipped and
turned round, which is right where they could as well be upside down or backwards. On series from files the harness
turns both off; elsewhere make it with flip=False and reverse=False. In METHODS mlp_ensemble: five of them, trained for
longer, with noise on their inputs, and their forecasts averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class MLP(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"units": (128, 256, 512), "layers": (2, 3, 4)}
    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 0.003
    units: int = 256
    layers: int = 3
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense, Flatten, ReLU

        hidden = [layer for _ in range(self.layers) for layer in (Dense(self.units), ReLU())]
        return keras.Sequential([Flatten(), *hidden, Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense

        widths = [self.steps * channels, *[self.units] * self.layers]
        hidden = [layer for pair in zip(widths, widths[1:], strict=False) for layer in (Dense(*pair), nn.ReLU())]
        return nn.Sequential(nn.Flatten(), *hidden, Dense(widths[-1], outputs))

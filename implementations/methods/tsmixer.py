"""TSMixer: layers over the steps of each channel and over the channels of each step, in turn.

    x <- x + max(0, W LN(x) + b)                             over the steps of each channel
    x <- x + V' max(0, V LN(x) + c) + c'                     over the channels of each step
    y = U x + d                                              over the steps, in the end

Chen, Li, Yoder, Arik and Pfister 2023, arXiv:2303.06053. Departs from it: layer normalisation, over the steps of a
channel, instead of batch normalisation over all; no dropout. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class TSMixer(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"layers": (2, 4, 8), "hidden": (16, 32, 64)}
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.002
    hidden: int = 32
    layers: int = 4
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, Mixer

        blocks = [Mixer(self.hidden) for _ in range(self.layers)]
        last = keras.layers.Dense(outputs // channels)
        return keras.Sequential([*blocks, ChannelsApart(), last, ChannelsTogether(channels)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, Dense, Mixer

        return nn.Sequential(
            *(Mixer(self.steps, channels, self.hidden) for _ in range(self.layers)),
            ChannelsApart(),
            Dense(self.steps, outputs // channels),
            ChannelsTogether(channels),
        )

"""PatchTST: a transformer over patches, stretches of the window as its words.

    p_k = x_{kS + 1} .. x_{kS + P},  z_k = W p_k + e_k       the last value repeated S times; e: learnt positions
    A = softmax(Q K' / sqrt(d)) V                            in each head, Q, K, V linear in z
    z <- LN(z + W A);  z <- LN(z + W'' gelu(W' z))           in each layer
    y = V flatten(z) + c                                     for each channel, weights shared

Nie et al. 2023, arXiv:2211.14730, on the encoder of Vaswani et al. 2017, arXiv:1706.03762. Departs from PatchTST: no
residual attention (the scores of a layer are not added to those of the next), layer instead of batch normalisation,
series are not normalised one by one, no dropout. Not in the reference. Until now it was called `transformer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class PatchTST(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"patch": (8, 16, 25), "stride": (4, 5, 8)}
    epochs: int = 120
    batch_size: int = 64
    learning_rate: float = 0.002
    patch: int = 25  # at most the whole window
    stride: int = 5
    units: int = 64
    heads: int = 4
    hidden: int = 128
    layers: int = 2
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True
    warmup: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise ValueError(f"{self.name}.heads: got {self.heads}, needed a divisor of the {self.units} units")

    def length(self) -> int:
        """Return how long a patch is: where the window is short, all of it with the value that is repeated."""
        return min(self.patch, self.steps + self.stride)

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras
        from keras.layers import Dense, Flatten

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, Encoder, Patches, Positions

        return keras.Sequential(
            [
                ChannelsApart(),
                Patches(self.length(), self.stride),
                Dense(self.units),
                Positions(),
                *(Encoder(self.units, self.heads, self.hidden) for _ in range(self.layers)),
                Flatten(),
                Dense(outputs // channels),
                ChannelsTogether(channels),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, Dense, Encoder, Patches, Positions

        places = (self.steps + self.stride - self.length()) // self.stride + 1
        return nn.Sequential(
            ChannelsApart(),
            Patches(self.length(), self.stride),
            Dense(self.length(), self.units),
            Positions(places, self.units),
            *(Encoder(self.units, self.heads, self.hidden) for _ in range(self.layers)),
            nn.Flatten(),
            Dense(places * self.units, outputs // channels),
            ChannelsTogether(channels),
        )

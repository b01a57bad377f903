"""WaveNet: causal dilated convolutions with gates, residual and skip connections.

    x = K * input                                          causal, width 2
    z = tanh(W_f *_d x) * sigmoid(W_g *_d x)               a gated block, dilations d = 1, 2, 4
    s = V z;  x <- x + s                                   skip and residual connection
    y = head(K'' relu(K' relu(sum of s)))

van den Oord et al. 2016, arXiv:1609.03499. Section "WaveNet" of the reference: 32 filters, one block of three layers.
Departs from its code (erratum 2), which ends in a softmax, so that outputs are positive and sum to one, and applies
tanh twice in the gate. Here the head is linear and tanh is applied once, as the formula says; head="softmax" and
tanh_twice=True, in METHODS wavenet_as_printed, are the code's. Departs from the paper, as the reference does: the
block's convolution V serves for both the skip and the residual connection.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class WaveNet(NetworkForecaster):
    strategy = SequenceToSequence()
    filters: int = 32
    layers: int = 3  # 10 in the paper: dilations 1, 2, 4, ...
    blocks: int = 1  # 3 in the paper
    head: str = "linear"  # or softmax
    tanh_twice: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head not in ("linear", "softmax"):
            raise ValueError(f"{self.name}.head: got {self.head!r}, allowed: linear, softmax")

    def dilations(self) -> list[int]:
        """Return how far apart the two inputs of each gated convolution are."""
        return [2**layer for layer in range(self.layers)] * self.blocks

    def receptive_field(self) -> int:
        return 2 + sum(self.dilations())

    def heads_apart(self) -> bool:
        return self.head == "linear"

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import Conv1D, GatedStack

        return keras.Sequential(
            [
                Conv1D(self.filters, 2, padding="causal"),
                GatedStack(self.filters, self.dilations(), self.tanh_twice),
                keras.layers.ReLU(),
                Conv1D(self.filters, 1, activation="relu"),
                Conv1D(outputs, 1, activation=self.head),
            ]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Conv1D, GatedStack

        return nn.Sequential(
            Conv1D(channels, self.filters, 2, causal=True),
            GatedStack(self.filters, self.dilations(), self.tanh_twice),
            nn.ReLU(),
            Conv1D(self.filters, self.filters, 1, activation="relu"),
            Conv1D(self.filters, outputs, 1, activation=self.head),
        )

"""Simplified WaveNet: causal convolutions whose reach doubles from layer to layer.

    u_t = max(0, K_0 x_{t - d} + K_1 x_t + b)        d = 1, 2, 4, 8, 1, 2, 4, 8; zeros before the start
    x_{t+1}, ..., x_{t+H} = V u_t + c                a convolution of width 1

Receptive field: 1 + 2 (1 + 2 + 4 + 8) = 31 steps. van den Oord et al. 2016, arXiv:1609.03499. Section "WaveNet" of the
reference, its simplified version, without departures.
"""

from __future__ import annotations

from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence

DILATIONS = (1, 2, 4, 8, 1, 2, 4, 8)


class WaveNetSimple(NetworkForecaster):
    strategy = SequenceToSequence()
    filters: int = 20

    def receptive_field(self) -> int:
        return 1 + sum(DILATIONS)

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import Conv1D

        return keras.Sequential(
            [Conv1D(self.filters, 2, padding="causal", activation="relu", dilation_rate=d) for d in DILATIONS]
            + [Conv1D(outputs, 1)]
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Conv1D

        widths = [channels] + [self.filters] * len(DILATIONS)
        layers = [
            Conv1D(width, self.filters, 2, dilation=d, causal=True, activation="relu")
            for width, d in zip(widths, DILATIONS, strict=False)
        ]
        return nn.Sequential(*layers, Conv1D(self.filters, outputs, 1))

"""Layer normalisation inside the recurrent cell.

    z_t = U h_{t-1} + W x_t
    h_t = tanh(LN(z_t))
    LN(z) = gamma * (z - mean(z)) / sqrt(var(z) + epsilon) + beta        over the units of one series

Ba, Kiros and Hinton 2016, arXiv:1607.06450. Sections "layer normalisation" and "custom RNN" of the reference. Departs
from its code, which normalises the output of a cell which has applied tanh already (erratum 3). normalise="output", in
METHODS the variants ending in _as_printed, does the same as the code: h_t = tanh(LN(tanh(z_t + b))).

hand_written: the loop over time is our own instead of the framework's generic one. PyTorch has no generic one, so there
the two are the same code, and the methods differ by their widths alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class LayerNormRNN(NetworkForecaster):
    strategy = SequenceToSequence()
    #: its setting `normalise` is of the cell
    off: ClassVar[Mapping[str, Any]] = {
        name: value for name, value in NetworkForecaster.off.items() if name != "normalise"
    }
    units: int = 20
    second_units: int = 10
    normalise: str = "input"  # or output, as the reference's code does
    hand_written: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.normalise not in ("input", "output"):
            raise ValueError(f"{self.name}.normalise: got {self.normalise!r}, allowed: input, output")

    def window_statistics(self) -> str:
        return "none"

    def state_size(self) -> int:
        return self.units + self.second_units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import LayerNormCell, Loop

        def layer(units: int) -> keras.layers.Layer:
            cell = LayerNormCell(units, self.normalise)
            return Loop(cell) if self.hand_written else keras.layers.RNN(cell, return_sequences=True)

        return keras.Sequential([layer(self.units), layer(self.second_units), keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, LayerNormCell, Loop

        return nn.Sequential(
            Loop(LayerNormCell(channels, self.units, self.normalise)),
            Loop(LayerNormCell(self.units, self.second_units, self.normalise)),
            Dense(self.second_units, outputs),
        )

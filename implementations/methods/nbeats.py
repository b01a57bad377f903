"""N-BEATS: blocks of fully connected layers, each explaining what the blocks before it left over.

    theta_l = MLP_l(x_l)                                     four layers of ReLU and a linear one
    x_{l+1} = x_l - theta_l B_l                              doubly residual: the history that is left
    y = sum over l of theta_l F_l                            and the sum of partial forecasts

Bases B, F: generic, every value a coefficient; interpretable, polynomials of degree 3 in the first half of the blocks
and waves in the second, in a time that runs from 0 to 1 over the history, and again over the future. Oreshkin, Carpov,
Chapados and Bengio 2020, arXiv:1905.10437. Departs from it: mean squared error, fewer and narrower blocks, weights not
shared within a stack, no level or scale taken off the series; each channel apart. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput


class NBeats(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"blocks": (2, 4, 6), "units": (64, 128, 256)}
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.002
    basis: str = "generic"  # or interpretable
    blocks: int = 4
    layers: int = 4
    units: int = 128
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.basis not in ("generic", "interpretable"):
            raise ValueError(f"{self.name}.basis: got {self.basis!r}, allowed: generic, interpretable")

    def heads_apart(self) -> bool:
        return False

    def plan(self) -> list[list[Any]]:
        """List for each block its basis, steps to a knot, steps to a pool."""
        if self.basis == "generic":
            return [["generic", 1, 1]] * self.blocks
        return [["trend" if 2 * block < self.blocks else "seasonality", 1, 1] for block in range(self.blocks)]

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, DoublyResidual

        blocks = DoublyResidual(outputs // channels, self.plan(), self.layers, self.units)
        return keras.Sequential([ChannelsApart(), blocks, ChannelsTogether(channels)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, DoublyResidual

        blocks = DoublyResidual(self.steps, outputs // channels, self.plan(), self.layers, self.units)
        return nn.Sequential(ChannelsApart(), blocks, ChannelsTogether(channels))

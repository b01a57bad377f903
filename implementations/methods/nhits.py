"""N-HiTS: N-BEATS with blocks that see the history, and forecast, at different rates.

    theta_l = MLP_l(maxpool(x_l; k_l))                       k_l steps become one, the largest
    x_{l+1} = x_l - theta_l[:T]
    y = sum over l of interpolate(theta_l[T:])               ceil(H / r_l) knots, straight lines between them

Challu et al. 2023, arXiv:2201.12886. From coarse to fine: k = 8, 4, 1 and r = 4, 2, 1. Departs from it: the backcast is
not interpolated, as in the authors' code; mean squared error; each channel apart. Not in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster
from implementations.strategies import MultiOutput

PLAN = [["interpolated", 4, 8], ["interpolated", 2, 4], ["interpolated", 1, 1]]  # basis, steps to a knot, to a pool


class NHiTS(NetworkForecaster):
    strategy = MultiOutput()
    search_space: ClassVar[Mapping[str, Any]] = {"layers": (2, 3), "units": (128, 256, 512)}
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.002
    layers: int = 2
    units: int = 256
    schedule: str = "cosine"
    flip: bool = True
    reverse: bool = True

    def heads_apart(self) -> bool:
        return False

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import ChannelsApart, ChannelsTogether, DoublyResidual

        blocks = DoublyResidual(outputs // channels, PLAN, self.layers, self.units)
        return keras.Sequential([ChannelsApart(), blocks, ChannelsTogether(channels)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import ChannelsApart, ChannelsTogether, DoublyResidual

        blocks = DoublyResidual(self.steps, outputs // channels, PLAN, self.layers, self.units)
        return nn.Sequential(ChannelsApart(), blocks, ChannelsTogether(channels))

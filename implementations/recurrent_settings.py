"""Depth and activation as settings of the recurrent methods.

Section "activation" of the reference; the defaults, two layers of tanh, are those that it trains, and a record leaves
them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from implementations.network import NetworkForecaster

ACTIVATIONS = ("tanh", "sigmoid", "relu")


class Recurrent(NetworkForecaster):
    """A method of equal recurrent layers; in LSTMs and GRUs the activation is that of candidate and memory."""

    off: ClassVar[Mapping[str, Any]] = {**NetworkForecaster.off, "activation": "tanh", "layers": 2}
    units: int = 20
    activation: str = "tanh"  # or sigmoid, relu
    layers: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation not in ACTIVATIONS:
            allowed = ", ".join(ACTIVATIONS)
            raise ValueError(f"{self.name}.activation: got {self.activation!r}, allowed: {allowed}")

    def state_size(self) -> int:
        return self.layers * self.units

    def widths(self, channels: int) -> list[tuple[int, int]]:
        """Return how many inputs and units each layer has, from the first."""
        return [(self.units if layer else channels, self.units) for layer in range(self.layers)]

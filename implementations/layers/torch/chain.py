"""A network as a chain of layers."""

from __future__ import annotations

from torch import nn

PER_STEP = (nn.Linear, nn.ReLU)  # layers whose output at a step depends on that step alone


def chain(network: nn.Module) -> list[nn.Module]:
    """List the layers of a network that passes its input through one after the other."""
    if isinstance(network, nn.Sequential):
        return [one for layer in network for one in chain(layer)]
    return [network]

"""A network as a chain of layers."""

from __future__ import annotations

import keras

PER_STEP = (keras.layers.Dense, keras.layers.ReLU)  # layers whose output at a step depends on that step alone


def chain(network: keras.layers.Layer) -> list[keras.layers.Layer]:
    """List the layers of a network that passes its input through one after the other."""
    inner = [layer for layer in getattr(network, "layers", []) if not isinstance(layer, keras.layers.InputLayer)]
    if isinstance(network, keras.Sequential) or (isinstance(network, keras.Model) and len(inner) == 1):
        return [one for layer in inner for one in chain(layer)]
    return [network]

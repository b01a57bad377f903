"""Forecasting with a state that is carried on, instead of reading the whole window again for each block.

A recurrent layer's state is its hidden state; a causal convolution's, the last inputs that its kernel reaches, as in
fast WaveNet generation (Le Paine et al. 2016, arXiv:1611.09482). A layer that can carry one has

    memory                                         how many earlier steps its outputs depend on
    advance(new [N, S, D], state) -> outputs, state       state None: nothing seen yet

N series, S new steps, D channels. The same for both frameworks: layers are called, never looked into.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Tensor = Any  # of the framework
State = Any  # what a layer remembers, in a form that it alone knows; None: nothing yet


def carries(layers: Sequence[Any], per_step: tuple[type, ...], steps: int, growing: bool) -> bool:
    """Say whether these layers, in turn, forecast the same with a carried state as by reading the window again.

    They do if every layer can carry one, and nothing that has left a window of so many steps would be remembered.
    """
    if not all(hasattr(layer, "advance") or isinstance(layer, per_step) for layer in layers):
        return False
    return growing or sum(getattr(layer, "memory", 0) for layer in layers) < steps


def advance(layers: Sequence[Any], new: Tensor, states: Sequence[State] | None) -> tuple[Tensor, list[State]]:
    """Return what the layers output for new steps [N, S, D] after their states, and their states then."""
    after = []
    for layer, state in zip(layers, states or [None] * len(layers), strict=True):
        if hasattr(layer, "advance"):
            new, state = layer.advance(new, state)
        else:
            new = layer(new)
        after.append(state)
    return new, after

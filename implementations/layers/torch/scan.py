"""A loop over time, as `keras.ops.scan` has it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from implementations.incremental import State


def scan(
    step: Callable[..., tuple[State, torch.Tensor]], carried: State, sequences: tuple[torch.Tensor, ...]
) -> tuple[State, torch.Tensor]:
    """Carry a value over the steps, and stack what each step returns."""
    outputs = []
    for at_step in zip(*sequences, strict=True):
        carried, output = step(carried, at_step)
        outputs.append(output)
    return carried, torch.stack(outputs)

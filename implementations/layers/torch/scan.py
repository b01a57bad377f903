"""A loop over time, as `keras.ops.scan` has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def scan(step: Callable[..., Any], carried: Any, sequences: tuple[torch.Tensor, ...]) -> tuple[Any, torch.Tensor]:
    """Carry a value over the steps, and stack what each step returns."""
    outputs = []
    for at_step in zip(*sequences, strict=True):
        carried, output = step(carried, at_step)
        outputs.append(output)
    return carried, torch.stack(outputs)

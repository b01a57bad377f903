"""Errors and learning curves that the reference prints, per task and method, to compare with ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

#: variance of the uniform noise 0.1 (u - 0.5) in the reference's series: no forecast has a smaller expected error
NOISE_FLOOR = 0.1**2 / 12


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One method's figures in the reference: validation MSE, and the same over the forecasts from the last step alone.

    `curve` holds loss, val_loss and, for sequence methods, their last-step versions: one value per epoch. Empty where
    the reference prints none.
    """

    val_mse: float
    last_step_mse: float
    curve: dict[str, list[float]]


@cache
def figures() -> dict[str, dict[str, Figure]]:
    """Return every figure of the reference: task -> method -> Figure."""
    path = Path(__file__).with_suffix(".json")
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Figure]])


def figure(task: str, method: str) -> Figure | None:
    """Return the reference's figure for one method, or None where it prints none that compares."""
    return figures().get(task, {}).get(method)

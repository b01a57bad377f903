"""Panels whose series come at different times: weekly from a Monday and from a Wednesday, or daily and monthly.

All series of a file share one calendar. Where that leaves holes in series that have none by themselves, filling them in
would make values up: such a file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.data import rhythms
from bench.data.numbers import shown
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.columns import Key

LOOKED_AT = 50  # series
FEWEST = 6  # times of a series that show how often it comes


def refuse(times: pd.DatetimeIndex, keys: Sequence[Key], name: str, column: str, filled: bool) -> None:
    """Raise UsageError where series come at different times, each at an even rhythm.

    filled: whether holes are to be filled in, so that a slower rhythm may be, but not another phase of one rhythm.
    """
    rows: dict[Key, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    if len(rows) < 2:
        return
    joint = rhythms.best_fit(times)
    place = np.searchsorted(times.unique().sort_values().asi8, times.asi8)
    found: list[tuple[Key, rhythms.Fit]] = []
    for key in sorted(rows, key=lambda key: key.order)[:LOOKED_AT]:
        missing = np.inf if joint is None else holes(joint.steps[place[rows[key]]])
        fit = rhythms.best_fit(times[rows[key]]) if len(rows[key]) >= FEWEST and missing else None
        if fit is not None and 2 * fit.missing < missing:
            found.append((key, fit))
    several_phases = len({fit.name for _, fit in found}) < len(found)
    if several_phases or (found and not filled and (joint is not None or len(found) > 1)):
        raise apart(found, sorted(rows, key=lambda key: key.order), times, rows, name, column)


def holes(steps: np.ndarray) -> int:
    """Return how many steps between the first and the last have no value."""
    return int(np.ptp(steps)) + 1 - len(np.unique(steps))


def apart(
    found: Sequence[tuple[Key, rhythms.Fit]], every: Sequence[Key], times: pd.DatetimeIndex,
    rows: dict[Key, list[int]], name: str, column: str,
) -> UsageError:  # fmt: skip
    """Return the error, with two series that differ."""
    first = found[0]
    others = [(key, rhythms.best_fit(times[rows[key]])) for key in every[:LOOKED_AT] if key != first[0]]
    fits = [(key, fit) for key, fit in others if fit is not None]
    second = next(((key, fit) for key, fit in fits if fit.name != first[1].name), fits[0] if fits else first)
    said = " and ".join(f"{shown(key.name)} {fit.name} from {times[rows[key]].min()}" for key, fit in (first, second))
    said = said.replace(" 00:00:00", "")
    return UsageError(f"{name}, column {column!r}: its series come at different times: {said}: a file for each "
                      "rhythm, or --time - takes the rows of each series as they stand")  # fmt: skip

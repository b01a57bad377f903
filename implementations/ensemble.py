"""Several networks, or several heads on one, as one: their outputs are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from implementations.backends.protocol import Advance, Predict
from implementations.incremental import State


def mean_of(predictors: list[Predict], heads: int) -> Predict:
    """Make a function that returns the mean of what the networks output, each with so many heads."""
    if len(predictors) == heads == 1:
        return predictors[0]
    return lambda windows: mean_over([predict(windows) for predict in predictors], heads)


def advance_all(advancers: list[Advance], heads: int) -> Advance:
    """Do the same for networks that carry a state: theirs is the list of all states."""
    if len(advancers) == heads == 1:
        return advancers[0]

    def advance(new: np.ndarray, states: State) -> tuple[np.ndarray, State]:
        pairs = zip(advancers, states or [None] * len(advancers), strict=True)
        outputs, after = zip(*(one(new, state) for one, state in pairs), strict=True)
        return mean_over(outputs, heads), after

    return advance


def mean_over(outputs: Sequence[np.ndarray], heads: int) -> np.ndarray:
    """Average over networks and over their heads, which lie side by side: [..., heads * block * D] of each."""
    mean: np.ndarray = np.mean(outputs, axis=0)
    return mean if heads == 1 else mean.reshape(*mean.shape[:-1], heads, -1).mean(axis=-2)

"""Which settings a search tries for a method: as many trained epochs for each, whatever its own number of epochs is.

An epoch is one pass of one network over the training series; the networks of an ensemble count as one. First come the
method's own settings, then these at each of RATES, then others that are drawn, the same way for all, until the budget
is spent: learning rates, epochs, and what the method's class names in `search_space`, at most two settings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

import implementations
from bench.analysis.tuning import RATE, RATES, SEED
from bench.campaigns.request import Setting

BUDGET = 1200  # trained epochs of each method, with each seed
EPOCHS = (20, 40, 80, 120)
SEEDS = (42, 43, 44)  # of each point

Point = dict[str, Setting]  # what differs from the method's own settings


def is_affordable(own: Mapping[str, Setting]) -> bool:
    """Say whether settings can be trained at each of RATES within the budget, as a search has to."""
    return len(RATES) * int(own["epochs"] or 0) <= BUDGET


def points(method: str, own: Mapping[str, Setting], quick: bool = False) -> list[Point]:
    """Return what is tried for a method with these settings, its own first; in a quick search the rates alone."""
    rates: list[Point] = [{RATE: rate} for rate in RATES if rate != own[RATE]]
    first: list[Point] = [{}, *rates]
    if quick:
        return first
    epochs = int(own["epochs"] or 0)
    found, left = first, BUDGET - len(first) * epochs
    for point in drawn(method, own):
        trained = int(point.get("epochs", epochs) or 0)
        if point not in found and trained <= left:
            found, left = [*found, point], left - trained
    return [*found, *rest(own, found, left)]


def drawn(method: str, own: Mapping[str, Setting]) -> Iterator[Point]:
    """Yield every combination of values, in an order that is drawn once for all methods."""
    named = {**implementations.all_settings(method), **own}
    choices: dict[str, tuple[Setting, ...]] = {
        RATE: RATES,
        "epochs": EPOCHS,
        **implementations.class_of(method).search_space,
    }
    every = list(itertools.product(*choices.values()))
    for place in np.random.default_rng(SEED).permutation(len(every)):
        values = zip(choices, every[place], strict=True)
        yield {name: value for name, value in values if value != named[name]}


def rest(own: Mapping[str, Setting], found: list[Point], left: int) -> Iterator[Point]:
    """Yield points of new settings that spend what is left, where those that were drawn do not."""
    for rate in sorted(RATES, key=lambda rate: rate != own[RATE]):
        for epochs in range(left, 0, -1):
            wanted: Point = {RATE: rate, "epochs": epochs}
            point = {name: value for name, value in wanted.items() if value != own[name]}
            if epochs <= left and point not in found:
                yield point
                left -= epochs


def trained_epochs(own: Mapping[str, Setting], tried: list[Point]) -> int:
    """Count the epochs that these points train for, with one seed."""
    return sum(int(point.get("epochs", own["epochs"]) or 0) for point in tried)

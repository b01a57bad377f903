"""How large a record can become, and how it is kept below that: what pictures are made of is thinned or cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bench.schema.record import Run

SHOWN = 50  # steps of an example's history
POINTS = 2000  # of a curve, a list of samples or a forecast


def bounded(run: Run) -> Run:
    """Return the run with at most POINTS values in each list that grows with epochs, histories or horizons."""
    changes: dict[str, object] = {"curve": thinned(run.curve), "samples": thinned(run.samples)}
    if run.examples:
        changes["examples"] = [row[:POINTS] for row in run.examples]
    if run.truth:
        history, future = ([row[-SHOWN:] for row in run.truth.history], [row[:POINTS] for row in run.truth.future])
        changes["truth"] = msgspec.structs.replace(run.truth, history=history, future=future)
    return msgspec.structs.replace(run, **changes)


def thinned(lists: Mapping[str, Sequence[float]] | None) -> dict[str, list[float]] | None:
    """Return the lists with every n-th value and the last one, as few as needed: equal lengths stay equal."""
    return lists if lists is None else {name: few(values) for name, values in lists.items()}


def few(values: Sequence[float]) -> list[float]:
    """Return at most POINTS values, evenly apart, the last one always."""
    if len(values) <= POINTS:
        return list(values)
    return [values[(place + 1) * len(values) // POINTS - 1] for place in range(POINTS)]

"""How large a record can become, and how it is kept below that: what pictures show is thinned, cut or rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bench.schema.record import Run

SHOWN = 50  # steps of an example's history
EXAMPLES = 120  # values of all examples together, one example at least
LONG = 50  # a list of more values keeps DIGITS of each
DIGITS = 6  # significant ones
POINTS = 150  # of a curve or a list of samples
EPOCH = "epoch"  # of a thinned curve: the number of each epoch that was kept


def bounded(run: Run) -> Run:
    """Return the run with lists that grow with epochs or horizons made short enough to be committed."""
    changes: dict[str, object] = {"curve": curve_of(run.curve), "samples": thinned(run.samples)}
    if run.mse_by_step:
        changes["mse_by_step"] = rounded(run.mse_by_step)
    if run.examples:
        changes["examples"] = first(run.examples)
    if run.truth:
        future = first(run.truth.future)
        history = [row[-SHOWN:] for row in run.truth.history[: len(future)]]
        changes["truth"] = msgspec.structs.replace(run.truth, history=history, future=future)
    return msgspec.structs.replace(run, **changes)


def first(forecasts: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return as many whole forecasts [count, H] as EXAMPLES allows; of a longer one, its first steps."""
    longest = max(map(len, forecasts), default=0)
    whole = EXAMPLES // max(longest, 1)
    return [list(row[:EXAMPLES]) for row in forecasts[: max(whole, 1)]]


def curve_of(curve: Mapping[str, Sequence[float]] | None) -> dict[str, list[float]] | None:
    """Return the curve thinned; where values were left out, `epoch` says of which epochs those kept are."""
    short = thinned(curve)
    if curve and short and EPOCH not in curve and (epochs := max(map(len, curve.values()))) > POINTS:
        short[EPOCH] = few(range(1, epochs + 1))
    return short


def thinned(lists: Mapping[str, Sequence[float]] | None) -> dict[str, list[float]] | None:
    """Return the lists with every n-th value and the last one, as few as needed: equal lengths stay equal."""
    return lists if lists is None else {name: rounded(few(values)) for name, values in lists.items()}


def few(values: Sequence[float]) -> list[float]:
    """Return at most POINTS values, evenly apart, the last one always."""
    if len(values) <= POINTS:
        return list(values)
    return [values[(place + 1) * len(values) // POINTS - 1] for place in range(POINTS)]


def rounded(values: Sequence[float]) -> list[float]:
    """Return a short list as it is, and DIGITS of each value of a long one."""
    return list(values) if len(values) <= LONG else [float(f"{value:.{DIGITS}g}") for value in values]

"""What searches for a learning rate have found: the rates chosen, and how methods compare at them.

Each method gets the same budget: one run at each of RATES, on the training series alone, a fifth of them split off to
score on. The rate with the smallest last-step MSE there is trained again on all training series, with several seeds,
and is scored on the test series, which served no choice. `bench.campaigns.tune` says what to run for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from bench.analysis import statistics
from bench.analysis.statistics import half_width
from bench.analysis.table import CPU, changed_of, device_of, of_board
from bench.schema.record import Run, Spec
from bench.tasks import REFERENCES, SEARCHES

RATE = "learning_rate"
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)  # half an order of magnitude apart, around the notes' 0.001 to 0.01
SEED = 42  # of the search; what comes of it is trained with several
SUFFIX = "-search"

COLUMNS = ["rank", "method", "backend", "rate", "tuned", "interval", "own_rate", "own", "own_rank", "seeds", "errors"]


class Row(NamedTuple):
    """What a rate is chosen for."""

    task: str
    quick: bool
    method: str
    backend: str
    changed: tuple[str, ...] = ()  # what else differs from the defaults
    native: bool = False
    device: str = CPU


class Found(NamedTuple):
    """What a search has found."""

    rate: float
    errors: dict[float, float]  # rate -> last-step MSE on the series split off; NaN where the run diverged


def row_of(spec: Spec) -> Row:
    """Return what a rate is chosen for; searches belong to their task."""
    others = tuple(change for name, change in zip(spec.changed, changed_of(spec), strict=True) if name != RATE)
    task = spec.task.removesuffix(SUFFIX)
    return Row(task, spec.quick, spec.method, spec.backend, others, spec.native, device_of(spec))


def searched(runs: Iterable[Run]) -> dict[Row, Found]:
    """What searches found, from their records: nothing yet where a rate is missing, or where all diverged."""
    errors: dict[Row, dict[float, float]] = {}
    for run in runs:
        if run.spec.task in SEARCHES and run.spec.seed == SEED and run.is_final:
            error = run.metrics["last_step_mse"] if run.metrics else math.nan
            errors.setdefault(row_of(run.spec), {})[rate_of(run.spec)] = error
    return {row: found for row, by_rate in errors.items() if (found := choose(by_rate))}


def choose(errors: dict[float, float]) -> Found | None:
    """The rate with the smallest error, once all have been tried and one has ended well."""
    tried = {rate: errors[rate] for rate in RATES if rate in errors}
    ended = [rate for rate in tried if math.isfinite(tried[rate])]
    return Found(min(ended, key=tried.__getitem__), tried) if ended and len(tried) == len(RATES) else None


def rate_of(spec: Spec) -> float:
    """Its learning rate."""
    rate = spec.settings[RATE]
    assert isinstance(rate, float)
    return rate


def table(tried: pd.DataFrame, found: Mapping[Row, Found], task: str, quick: bool) -> pd.DataFrame:
    """One row per method and backend of a task, ranked by test MSE at the rate found; empty where none was searched.

    tried: records that count, see ranking.frame. Methods without a learning rate are in it as they are, to compare.

    Columns: `rank`, `method`, `backend`, `rate` (NaN for those without), `tuned` (mean test MSE) and `interval` (half
    width at 95 %), `own_rate`, `own` (mean test MSE at the method's own rate, same seeds), `own_rank`, `seeds`, and
    `errors` (rate -> last-step MSE in the search).
    """
    ok = of_board(tried, task, quick)
    ok = ok[(ok["status"] == "ok") & ~ok["method"].isin(REFERENCES) & ~ok["native"] & (ok["device"] == CPU)]
    runs = {
        row: (json.loads(records["settings"].iloc[0]), dict(zip(records["seed"], records["test_mse"], strict=True)))
        for row, records in ok.groupby(["method", "backend", "changed"])
    }
    lines = []
    for (method, backend, changed), (settings, own) in runs.items():
        choice = found.get(Row(task, quick, str(method), str(backend)))
        if changed or (choice is None and RATE in settings):
            continue
        at_choice = (f"{RATE}={choice.rate}",) if choice and choice.rate != settings[RATE] else ()
        tuned = runs.get((method, backend, at_choice), ({}, {}))[1]
        if seeds := sorted(own.keys() & tuned.keys()):
            values = [[errors[seed] for seed in seeds] for errors in (tuned, own)]
            lines.append((method, backend, choice, settings.get(RATE, math.nan), seeds, *values))
    return ranked(lines) if any(line[2] for line in lines) else pd.DataFrame(columns=COLUMNS)


def ranked(lines: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """The table of these lines: method, backend, choice, own rate, seeds, errors by seed at the rate found and own."""
    methods, backends, chosen, own_rates, seeds, *errors = zip(*lines, strict=True)
    tuned, own = (
        pd.DataFrame([dict(zip(names, values, strict=True)) for names, values in zip(seeds, rows, strict=True)])
        for rows in errors
    )
    count = tuned.notna().sum(axis=1)
    columns = {
        "rank": statistics.ranks(tuned.mean(axis=1).to_numpy(), tuned.to_numpy()),
        "method": methods,
        "backend": backends,
        "rate": [choice.rate if choice else math.nan for choice in chosen],
        "tuned": tuned.mean(axis=1),
        "interval": half_width(count, tuned.std(axis=1)),
        "own_rate": own_rates,
        "own": own.mean(axis=1),
        "own_rank": statistics.ranks(own.mean(axis=1).to_numpy(), own.to_numpy()),
        "seeds": count,
        "errors": [choice.errors if choice else {} for choice in chosen],
    }
    return pd.DataFrame(columns).sort_values(["tuned", "method", "backend"], kind="stable", ignore_index=True)

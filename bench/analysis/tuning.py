"""What searches for settings have found: those chosen, and how methods compare at them.

Each method gets the same budget of trained epochs (`bench.campaigns.search`), on the training series alone, a fifth of
them split off to score on, and the same seeds at each point. The point with the smallest mean logarithm of the
last-step MSE, or the method's own settings within a standard error of it, is trained again on all training series, with
several seeds, and is scored on the test series, which served no choice. `bench.campaigns.tune` says what to run for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.analysis import statistics
from bench.analysis.table import CPU, changed_of, device_of, of_board
from bench.schema.record import Run, Spec
from bench.tasks import REFERENCES, SEARCHES

RATE = "learning_rate"
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)  # half an order of magnitude apart, around the reference's 0.001 to 0.01
SEED = 42  # of the search; what comes of it is trained with several
SUFFIX = "-search"

COLUMNS = [
    "place", "rank_low", "rank_high", "method", "backend", "rate", "tuned", "low", "high", "own_rate", "own",
    "own_place", "tested_apart", "seeds", "found", "errors",
]  # fmt: skip


#: what is changed from the method's own settings, names and values
Changes = tuple[tuple[str, Any], ...]


class Row(NamedTuple):
    """What a rate is chosen for."""

    task: str
    quick: bool
    method: str
    backend: str
    changed: tuple[str, ...] = ()  # what else differs from the defaults
    native: bool = False
    device: str = CPU


class Tried(NamedTuple):
    """The records of a row: settings, test MSE by seed, and on how many series that is."""

    settings: dict[str, Any]
    errors: dict[int, float]
    test_series: int


class Found(NamedTuple):
    """What a search has found."""

    rate: float
    errors: dict[float, float]  # rate -> last-step MSE on the series split off; NaN where the run diverged
    changes: dict[str, Any] = {}  # what differs from the method's own settings
    seeds: int = 1  # that each point was tried with
    more: bool = False  # whether other settings than rates were tried


def row_of(spec: Spec) -> Row:
    """Return what a rate is chosen for; searches belong to their task."""
    others = tuple(change for name, change in zip(spec.changed, changed_of(spec), strict=True) if name != RATE)
    task = spec.task.removesuffix(SUFFIX)
    return Row(task, spec.quick, spec.method, spec.backend, others, spec.native, device_of(spec))


def searched(runs: Iterable[Run]) -> dict[Row, Found]:
    """Return what searches found, from their records: nothing yet where a rate is missing, or where all diverged."""
    tried: dict[Row, dict[Changes, dict[int, float]]] = {}
    own: dict[Row, float] = {}
    for run in runs:
        if run.spec.task in SEARCHES and run.is_final:
            error = run.metrics["last_step_mse"] if run.metrics else math.nan
            row = row_of(run.spec)._replace(changed=())
            tried.setdefault(row, {}).setdefault(changes_of(run.spec), {})[run.spec.seed] = error
            if RATE not in run.spec.changed:
                own[row] = rate_of(run.spec)
    return {row: found for row, points in tried.items() if row in own and (found := choose(points, own[row]))}


def changes_of(spec: Spec) -> Changes:
    """Return what the spec has changed, names and values."""
    return tuple((name, spec.settings.get(name)) for name in spec.changed)


def choose(points: Mapping[Changes, Mapping[int, float]], own_rate: float) -> Found | None:
    """Return the point with the smallest mean log error over seeds, or the method's own within a standard error of it.

    points: what is changed -> seed -> error. None until every rate has been tried, and one point has ended well.
    Points with fewer seeds than the rates have do not count.
    """
    at_rates = {rate: points.get(((RATE, rate),) if rate != own_rate else ()) for rate in RATES}
    if not all(at_rates.values()):
        return None
    seeds = min(len(errors or {}) for errors in at_rates.values())
    logs = {point: np.log(list(errors.values())) for point, errors in points.items() if len(errors) >= seeds}
    ended = {point: errors for point, errors in logs.items() if np.isfinite(errors).all()}
    if not ended:
        return None
    best = min(ended, key=lambda point: float(ended[point].mean()))
    deviation = ended[best].std(ddof=1) / math.sqrt(len(ended[best])) if len(ended[best]) > 1 else 0.0
    if () in ended and ended[()].mean() <= ended[best].mean() + deviation:
        best = ()
    means = {rate: float(np.exp(np.mean(np.log(list((errors or {}).values()))))) for rate, errors in at_rates.items()}
    more = any(name != RATE for point in logs for name, _ in point)
    return Found(dict(best).get(RATE, own_rate), means, dict(best), seeds, more)


def rate_of(spec: Spec) -> float:
    """Return its learning rate."""
    rate = spec.settings[RATE]
    assert isinstance(rate, float)
    return rate


def table(tried: pd.DataFrame, found: Mapping[Row, Found], task: str, quick: bool) -> pd.DataFrame:
    """Return one row per method and backend of a task, ranked by test MSE at the rate found; empty where none was
    searched.

    tried: records that count, see ranking.frame. Methods without a learning rate are in it as they are, to compare.

    Columns: `place` with `rank_low` and `rank_high` (see statistics.places), `method`, `backend`, `rate` (NaN for those
    without), `tuned` (geometric mean test MSE) with the interval `low` to `high`, `own_rate`, `own` (the same at the
    method's own rate, same seeds), `own_place`, `tested_apart` (the two were tested on other series), `seeds`,
    `found` (the Found, or None) and `errors` (rate -> last-step MSE in the search).
    """
    ok = of_board(tried, task, quick)
    ok = ok[(ok["status"] == "ok") & ~ok["method"].isin(REFERENCES) & ~ok["native"] & (ok["device"] == CPU)]
    runs: dict[Any, Tried] = {
        row: Tried(
            json.loads(records["settings"].iloc[0]),
            dict(zip(records["seed"], records["test_mse"], strict=True)),
            int(records["test_series"].iloc[0]),
        )
        for row, records in ok.groupby(["method", "backend", "changed"])
    }
    lines = []
    for (method, backend, changed), (settings, own, tested) in runs.items():
        choice = found.get(Row(task, quick, str(method), str(backend)))
        if changed or (choice is None and RATE in settings):
            continue
        at_choice = tuple(f"{name}={value}" for name, value in sorted(choice.changes.items())) if choice else ()
        tuned, tested_then = runs.get((method, backend, at_choice), Tried({}, {}, tested))[1:]
        if seeds := sorted(own.keys() & tuned.keys()):
            values = [[errors[seed] for seed in seeds] for errors in (tuned, own)]
            rate = settings.get(RATE, math.nan)
            lines.append((method, backend, choice, rate, tested != tested_then, seeds, *values))
    return ranked(lines) if any(line[2] for line in lines) else pd.DataFrame(columns=COLUMNS)


def ranked(lines: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the table of these lines.

    method, backend, choice, own rate, whether tested on other series, seeds, errors at the rate found and own.
    """
    methods, backends, chosen, own_rates, tested_apart, seeds, *errors = zip(*lines, strict=True)
    tuned, own = (
        np.log(pd.DataFrame([dict(zip(*row, strict=True)) for row in zip(seeds, rows, strict=True)]).to_numpy(float))
        for rows in errors
    )
    chance = np.array([0.0 if backend == "numpy" else 1.0 for backend in backends])
    means = statistics.means_over_seeds(tuned, chance)
    half = statistics.half_widths(means)
    placed = statistics.places(tuned, None, chance)
    columns = {
        **dict(zip(("place", "rank_low", "rank_high"), placed, strict=True)),
        "method": methods,
        "backend": backends,
        "rate": [choice.rate if choice else math.nan for choice in chosen],
        "tuned": np.exp(means.mean),
        "low": np.exp(means.mean - half),
        "high": np.exp(means.mean + half),
        "own_rate": own_rates,
        "own": np.exp(statistics.means_over_seeds(own).mean),
        "own_place": statistics.places(own, None, chance).place,
        "tested_apart": tested_apart,
        "seeds": means.seeds,
        "found": chosen,
        "errors": [choice.errors if choice else {} for choice in chosen],
    }
    return pd.DataFrame(columns).sort_values(["tuned", "method", "backend"], kind="stable", ignore_index=True)

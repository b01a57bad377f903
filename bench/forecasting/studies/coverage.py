"""Coverage of the intervals that `forecast` gives: `python -m bench.forecasting.studies.coverage`.

Each series is a separate file. This is the hardest case: the errors of other series are not available.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

import implementations
from bench.campaigns.settings import defaults_of
from bench.data.series_tasks import task_on
from bench.errors import UsageError
from bench.forecasting import train
from bench.forecasting.ahead import ahead
from bench.forecasting.predictor import Training, soonest
from bench.forecasting.studies.sets import Case, SetOfSeries, in_memory, real, simulated
from bench.reporting.markdown import table
from bench.schema.series import Preparation
from implementations.statistical import RowForecaster

LEVELS = (80.0, 90.0)
METHODS = ("seasonal_naive", "theta", "linear")
LENGTHS = (60, 144)  # of simulated series
AHEAD = 12


class Held(NamedTuple):
    """Shares of what came that lie in the intervals of each level, percent; and how many series had them."""

    shares: tuple[float, ...]
    series: int


def held(cases: Sequence[Case], season: int | None, method: str, panel: bool = False) -> Held:
    """Forecast every case with intervals, alone or all as one file, and count what lies inside."""
    groups = [list(cases)] if panel else [[case] for case in cases]
    inside: list[np.ndarray] = []
    for group in groups:
        found = in_memory([case.known for case in group])
        steps = len(group[0].truth)
        how = Preparation(file="series", ahead=steps, season=season, deseasonalise=False)
        what = Training(method, soonest(method), 42, dict(defaults_of(method, task_on(how, ""))), None)
        rows = issubclass(implementations.class_of(method), RowForecaster)
        try:
            model, _ = train.train(found, how if rows else train.with_fitting_history(found, how), what, LEVELS)
            made = ahead(model, found, steps).made
        except UsageError:  # a series too short for the method
            continue
        if made.levels == LEVELS:
            truth = np.array([case.truth for case in group])
            inside += list(((made.lower[..., 0] <= truth) & (truth <= made.upper[..., 0])).swapaxes(0, 1))
    if not inside:
        return Held((float("nan"),) * len(LEVELS), 0)
    return Held(
        tuple(float(100 * np.mean([one[place] for one in inside])) for place in range(len(LEVELS))), len(inside)
    )


def every_set(count: int) -> Iterator[SetOfSeries]:
    """Yield all sets, simulated ones first."""
    for length in LENGTHS:
        yield from simulated(count, length, AHEAD)
    yield from real(count)


def main() -> None:
    """Print the table, row by row as it is measured, and then as Markdown with means."""
    parser = argparse.ArgumentParser(description="Measure how much of what came lies in the intervals.")
    parser.add_argument("--series", type=int, default=40, help="Of each set. Default: 40.")
    parser.add_argument("--method", action="append", help=f"May be repeated. Default: {', '.join(METHODS)}.")
    parser.add_argument("--panel", action="store_true", help="All series of a set as one file.")
    asked = parser.parse_args()
    methods = asked.method or list(METHODS)
    lines, numbers = [], []
    for one in every_set(asked.series):
        start = time.monotonic()
        results = [held(one.cases, one.season, method, asked.panel) for method in methods]
        shares = [share for result in results for share in result.shares]
        numbers.append((one.real, shares))
        lines.append([one.name, str(len(one.cases)), *(f"{share:.0f}" for share in shares)])
        print(*lines[-1], f"({time.monotonic() - start:.0f} s)", flush=True)
    for name, wanted in (("mean of simulated sets", False), ("mean of real sets", True)):
        means = np.nanmean([shares for is_real, shares in numbers if is_real == wanted], axis=0)
        lines.append([f"**{name}**", "", *(f"**{mean:.1f}**" for mean in means)])
    header = ["set", "series", *(f"{method} {level:g} %" for method in methods for level in LEVELS)]
    print("\n" + table(header, lines, left=[0]))


if __name__ == "__main__":
    main()

"""Coverage of the intervals that `forecast` gives: `python -m bench.forecasting.studies.coverage`.

Each series is a separate file. This is the hardest case: the errors of other series are not available.
"""

from __future__ import annotations

import argparse
import itertools
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
NEAR = 4.0  # percentage points from a level that count as holding it
DRAWS = 4000


class Held(NamedTuple):
    """Share of what came that lies in the intervals of each level, percent: of the series that had them, [S]."""

    shares: tuple[np.ndarray, ...]

    def means(self) -> list[float]:
        """Return the mean share at each level; NaN where no series had intervals of it."""
        return [float(one.mean()) if len(one) else float("nan") for one in self.shares]

    def cells(self, cases: int) -> list[str]:
        """Return the means as text, with the number of series where not every one had intervals of the level."""
        few = ["" if len(one) == cases else f" ({len(one)})" for one in self.shares]
        return [f"{one.mean():.0f}{note}" if len(one) else "–" for one, note in zip(self.shares, few, strict=True)]


def held(cases: Sequence[Case], season: int | None, method: str, panel: bool = False) -> Held:
    """Forecast every case with intervals, alone or all as one file, and count what lies inside."""
    groups = [list(cases)] if panel else [[case] for case in cases]
    inside: list[list[float]] = [[] for _ in LEVELS]
    for group in groups:
        found = in_memory([case.known for case in group])
        steps = len(group[0].truth)
        how = Preparation(file="series", ahead=steps, season=season, deseasonalise=False)
        what = Training(method, soonest(method), 42, dict(defaults_of(method, task_on(how, ""))), None)
        rows = issubclass(implementations.class_of(method), RowForecaster)
        try:
            how = how if rows else train.with_fitting_history(found, how, LEVELS)
            model, _ = train.train(found, how, what, LEVELS)
            made = ahead(model, found, steps).made
        except UsageError:  # a series too short for the method
            continue
        truth = np.array([case.truth for case in group])
        for place, level in enumerate(made.levels):
            lies = (made.lower[place, ..., 0] <= truth) & (truth <= made.upper[place, ..., 0])
            if level in LEVELS:
                inside[LEVELS.index(level)] += (100 * lies.mean(axis=1)).tolist()
    return Held(tuple(map(np.array, inside)))


def by_chance(found: Sequence[np.ndarray], level: float) -> tuple[float, float, float]:
    """Return how many sets would be near the level were the intervals of all exact: mean, 5 % and 95 % quantile.

    found: the shares of each set's series. They are drawn again, shifted to a mean of `level`: sets are small.
    """
    random = np.random.default_rng(0)
    near = np.zeros(DRAWS)
    for shares in found:
        drawn = random.choice(shares, (DRAWS, len(shares))).mean(axis=1) - shares.mean() + level
        near += np.abs(drawn - level) <= NEAR
    return float(near.mean()), float(np.quantile(near, 0.05)), float(np.quantile(near, 0.95))


def counted(name: str, found: Sequence[np.ndarray], level: float) -> str:
    """Return in words how many sets are near the level, and how many chance would leave there."""
    there = [shares for shares in found if len(shares) > 1]
    near = sum(abs(shares.mean() - level) <= NEAR for shares in there)
    mean, low, high = by_chance(there, level)
    return (f"{name}: {near} of {len(there)} sets within {level - NEAR:g} to {level + NEAR:g} %; were all intervals "
            f"exact, chance would leave {mean:.1f} ({low:.0f} to {high:.0f}) there")  # fmt: skip


def every_set(count: int) -> Iterator[SetOfSeries]:
    """Yield all sets, simulated ones first."""
    for length in LENGTHS:
        yield from simulated(count, length, AHEAD)
    yield from real(count)


def main() -> None:
    """Print the table, row by row as it is measured, and then as Markdown with means; and what chance explains."""
    parser = argparse.ArgumentParser(description="Measure how much of what came lies in the intervals.")
    parser.add_argument("--series", type=int, default=40, help="Of each set. Default: 40.")
    parser.add_argument("--method", action="append", help=f"May be repeated. Default: {', '.join(METHODS)}.")
    parser.add_argument("--panel", action="store_true", help="All series of a set as one file.")
    asked = parser.parse_args()
    methods = asked.method or list(METHODS)
    lines: list[list[str]] = []
    results: dict[bool, list[list[Held]]] = {False: [], True: []}
    for one in every_set(asked.series):
        start = time.monotonic()
        row = [held(one.cases, one.season, method, asked.panel) for method in methods]
        results[one.real].append(row)
        lines.append([one.name, str(len(one.cases)), *(cell for item in row for cell in item.cells(len(one.cases)))])
        print(*lines[-1], f"({time.monotonic() - start:.0f} s)", flush=True)
    notes = []
    for is_real, name in ((False, "simulated"), (True, "real")):
        means = np.nanmean([[mean for item in row for mean in item.means()] for row in results[is_real]], axis=0)
        lines.append([f"**mean of {name} sets**", "", *(f"**{mean:.1f}**" for mean in means)])
        for place, level in itertools.product(range(len(methods)), range(len(LEVELS))):
            shares = [row[place].shares[level] for row in results[is_real]]
            notes.append(counted(f"{methods[place]}, {name}", shares, LEVELS[level]))
    header = ["set", "series", *(f"{method} {level:g} %" for method in methods for level in LEVELS)]
    print("\n" + table(header, lines, left=[0]) + "\n", *notes, sep="\n")


if __name__ == "__main__":
    main()

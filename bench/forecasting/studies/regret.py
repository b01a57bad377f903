"""What the advice of `recommend` is worth: `python -m bench.forecasting.studies.regret`.

The series of each real set are one file. Every method is evaluated as in a race, one after the other and without a
limit of time; the advice comes from the rolling origins, its worth from the last H steps, which decided nothing. The
errors at the origins are a second table: they may decide, as they did on the default method of `forecast`.
"""

from __future__ import annotations

import argparse
import fnmatch
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.errors import UsageError
from bench.forecasting import recommend
from bench.forecasting.evaluate import evaluate, fitting, plan
from bench.forecasting.race import Result
from bench.forecasting.studies.sets import Case, SetOfSeries, in_memory, real
from bench.reporting.markdown import table
from bench.schema.series import Preparation

METHODS = ("last_value", "moving_average", "theta", "auto_ets", "linear", "dlinear", "mlp")
CUTS = 6  # times at which a series of statsmodels is cut: each is a file and a race of its own


class Worth(NamedTuple):
    """MASE over the last H steps: of the methods chosen, the baseline and the best of all raced."""

    choice: str
    chosen: float
    baseline: float
    best: str
    least: float
    at_origins: dict[str, float]  # MASE over the rolling origins

    @property
    def regret(self) -> float:
        """How much more error than the best raced, percent."""
        return 100 * (self.chosen / self.least - 1)


def worth(one: SetOfSeries, methods: Sequence[str], every: int = 1) -> Worth:
    """Race the methods on a set, take the advice, and see what came of it: means over its races.

    The best is one method for all races: the one with the least mean error.
    """
    files = [[case] for case in one.cases] if one.name.startswith("statsmodels") else [list(one.cases)]
    found = [raced(file, one.season, methods, every) for file in files]
    advice = [recommend.advise(standings, blocks).choice for standings, blocks in found]
    means = means_of([{one.training.method: one.test for one in standings} for standings, _ in found])
    origins = means_of([{one.training.method: one.error for one in standings} for standings, _ in found])
    best = min(means, key=lambda name: means[name])
    chosen = Counter(taken.training.method for taken in advice)
    names = ", ".join(f"{name} {count}" if len(files) > 1 else name for name, count in chosen.most_common())
    least, error = means[best], float(np.mean([taken.test for taken in advice]))
    return Worth(names, error, means[recommend.BASELINE], best, least, origins)


def means_of(errors: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each method's errors over races, of methods that finished all."""
    common = set.intersection(*map(set, errors))
    return {name: float(np.mean([one[name] for one in errors])) for name in sorted(common)}


def raced(
    cases: Sequence[Case], season: int | None, methods: Sequence[str], every: int
) -> tuple[list[recommend.Standing], int]:
    """Return how the methods stand on one file, and how many blocks their errors are paired by.

    every: origins, for time.
    """
    found = in_memory([np.concatenate(case) for case in cases])
    how = Preparation(file="series", ahead=len(cases[0].truth), season=season, deseasonalise=False)
    planned = plan(found.series, how)
    planned = planned._replace(origins=planned.origins[every - 1 :: every])
    how = fitting(how, planned, True)
    results = []
    for what in recommend.entrants(how, recommend.choose_backend(()), methods):
        try:
            results.append(Result(what, evaluate(found.series, how, what, planned), ""))
        except UsageError as error:
            results.append(Result(what, None, str(error)))
    return recommend.standings(results)


def raced_names(methods: Sequence[str] | None) -> list[str]:
    """Return all that are raced: the baseline, and those asked for."""
    return [recommend.BASELINE, *(methods or METHODS)]


def main() -> None:
    """Print the table, row by row as it is measured, and then as Markdown with its summary."""
    parser = argparse.ArgumentParser(description="Measure what the advice of `recommend` is worth.")
    parser.add_argument("--series", type=int, default=20, help="Of each set. Default: 20.")
    parser.add_argument("--method", action="append", help=f"May be repeated. Default: {', '.join(METHODS)}.")
    parser.add_argument("--set", default="*", help="Pattern of the sets' names. Default: all.")
    parser.add_argument("--every", type=int, default=1, help="Take every k-th origin, for time. Default: 1.")
    asked = parser.parse_args()
    lines, found, origins = [], [], []
    for one in real(asked.series, times=CUTS):
        if not fnmatch.fnmatch(one.name, asked.set):
            continue
        start = time.monotonic()
        got = worth(one, asked.method or METHODS, asked.every)
        found.append(got)
        origins.append([one.name, *(f"{got.at_origins.get(name, np.nan):.3f}" for name in raced_names(asked.method))])
        lines.append([one.name, str(len(one.cases)), got.choice, f"{got.chosen:.3f}", f"{got.baseline:.3f}",
                      got.best, f"{got.least:.3f}", f"{got.regret:.0f}"])  # fmt: skip
        print(*lines[-1], f"({time.monotonic() - start:.0f} s)", flush=True)
    header = ["set", "series", "chosen", "its test MASE", "baseline's", "best on test", "its test MASE", "regret %"]
    print("\n" + table(header, lines, left=[0, 2, 5]))
    print("\nMASE at the rolling origins:\n\n" + table(["set", *raced_names(asked.method)], origins, left=[0]))
    harmless = np.mean([got.chosen <= got.baseline * (1 + 1e-9) for got in found])
    regret = np.mean([got.regret for got in found])
    print(f"\nno worse than the baseline on {harmless:.0%} of the sets; mean regret {regret:.1f} %")


if __name__ == "__main__":
    main()

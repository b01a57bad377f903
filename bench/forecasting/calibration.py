"""Error sizes measured at rolling origins, from which prediction intervals are made.

S series, E origins, H steps ahead, D channels, V levels.

A method without intervals gets conformal ones in the sense of Lei et al. 2018 (doi:10.1080/01621459.2017.1307116):
the errors seen so far predict the size of the next. Errors are scaled first: divided by their growth with the step
ahead, by the level of the series to a power (0: the same at all levels, 1: in proportion), and by the scale of their
series, which is shrunk towards that of all series. All scaled errors form one sample.
`statsforecast.ConformalIntervals` and MAPIE take the quantile of each step of each series alone: 9 windows for 80 %.

A method that gives intervals keeps them; their widths are scaled by the errors at rolling origins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from bench.forecasting.backtest import Origins

POWER = 0.5  # what is expected of the power of the level, and
POWER_WEIGHT = 1.0  # how much evidence (summed squares of log levels) outweighs that
GROWTH = 0.5  # the same of the power of the step ahead: errors of a random walk grow with its square root
GROWTH_WEIGHT = 0.5
SMOOTH = 4.0  # errors that do not overlap, of one step ahead, that weigh as much as the power law
POOL = 3.0  # errors of one series that weigh as much as all series together
OWN = 1.0  # errors that weigh as much as the model's own interval
OWN_FREEDOM = 20.0  # degrees of freedom that a model's own interval counts for
HEAVY = 30.0  # errors that decide as much about the tails as the normal distribution does
LARGEST = 6.0  # spreads: an error counts as that at most
STANDARD = 80.0  # percent
FALLBACK = (95.0, 90.0, 80.0, 70.0, 60.0, 50.0)  # levels to fall back to


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How wide intervals are: what a kept model needs to give them."""

    own: bool  # the method's own intervals, times `factor`
    origins: int  # rolling origins that it rests on
    independent: float  # errors that do not overlap
    power: float  # of the level
    growth: list[float]  # [H]: how errors grow with the step ahead
    exponent: float  # their power law, for steps beyond H
    scale: list[list[float]]  # [S][D]: size of errors
    pooled: float  # the same over all series, in units of their mean change
    change: list[list[float]]  # [S][D]: mean absolute change from step to step (or season to season)
    level: list[list[float]]  # [S][D]: level where the scale holds
    freedom: float  # degrees of freedom of a scale
    tails: dict[str, float]  # level -> quantile of errors over that of the normal distribution

    @property
    def largest(self) -> float:
        """The highest level, percent, that n errors can tell: of them and the next, each is as likely the largest."""
        return 100.0 if self.own else 100 * self.independent / (self.independent + 1)

    def quantile(self, level: float) -> float:
        """Return how many scales on either side of the forecast hold `level` percent."""
        from scipy import stats

        ratio = self.tails.get(f"{level:g}", 1.0)
        return float(stats.t.ppf(0.5 + level / 200, max(self.freedom, 1.0))) * ratio


def levels_of(values: np.ndarray, season: int) -> np.ndarray:
    """Return the level [L + 1, D] of a series [L, D] after each known step: its mean over a season, 4 at least."""
    window = max(season, 4)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    ends = np.arange(len(values) + 1)
    starts = np.maximum(ends - window, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / np.maximum(ends - starts, 1)[:, None]
    return means


def change_of(values: np.ndarray, season: int) -> np.ndarray:
    """Return mean absolute change [D] over a season of a series [L, D]; over a step where it is shorter."""
    lag = season if len(values) > season else 1
    changes: np.ndarray = np.abs(values[lag:] - values[:-lag]).mean(axis=0) if len(values) > lag else np.zeros(1)
    whole: np.ndarray = np.broadcast_to(changes, values.shape[1:])
    return whole


def calibrate(origins: Origins, known: Sequence[np.ndarray], season: int, levels: Sequence[float]) -> Calibration:
    """Measure how large errors are. known: each series [L, D] to its end."""
    own = bool(len(origins.lower))
    change = np.array([change_of(values, season) for values in known])
    level = np.array([levels_of(values, season)[-1] for values in known])
    errors = origins.truth - origins.forecast
    if own:
        return calibrate_own(origins, errors, change, level, levels)
    counts = independent_errors(origins, len(known))
    power, relative = levelled(origins, errors, known, season)
    growth, exponent = growth_of(relative, origins.series, counts)
    scale, pooled = scales(relative / growth[:, None], origins.series, counts, change)
    freedom = float(counts.mean(axis=1).mean()) + (POOL if len(known) > 1 else 0.0)
    unit = np.where(scale > 0, scale, np.inf)[origins.series][:, None]
    sizes = np.abs(relative / growth[:, None] / unit)
    independent = float(counts.mean(axis=1).sum())
    return Calibration(
        own=False, origins=len(errors), independent=independent, power=power, growth=growth.tolist(),
        exponent=exponent, scale=scale.tolist(), pooled=pooled, change=change.tolist(), level=level.tolist(),
        freedom=freedom, tails=tails(sizes, independent, levels, corrected=False),
    )  # fmt: skip


def calibrate_own(
    origins: Origins, errors: np.ndarray, change: np.ndarray, level: np.ndarray, levels: Sequence[float]
) -> Calibration:
    """Measure errors in terms of the method's own interval of the first level."""
    ratio = in_terms_of(errors, origins.lower[0] - origins.forecast, origins.upper[0] - origins.forecast, levels[0])
    found = np.isfinite(ratio)
    count = float(found.sum(axis=0).mean()) if len(ratio) else 0.0
    size = float(np.sqrt(np.mean(ratio[found] ** 2))) if found.any() else 1.0
    factor = math.exp(count / (count + OWN) * math.log(max(size, 1 / LARGEST)))
    return Calibration(
        own=True, origins=len(errors), independent=count, power=0.0, growth=[1.0] * errors.shape[1], exponent=0.0,
        scale=np.full(change.shape, factor).tolist(), pooled=factor, change=change.tolist(), level=level.tolist(),
        freedom=count + OWN_FREEDOM, tails=tails(np.abs(ratio) / factor, count, levels),
    )  # fmt: skip


def in_terms_of(errors: np.ndarray, below: np.ndarray, above: np.ndarray, level: float) -> np.ndarray:
    """Return errors [E, H, D] in spreads, given what lies below and above a forecast in an interval of that level."""
    from scipy import stats

    half = np.where(errors < 0, -below, above)
    tiny = 1e-9 * np.nan_to_num(np.abs(errors)).max(initial=0.0, axis=(0, 1))
    spreads = errors / np.maximum(half, np.maximum(tiny, 1e-300)) * stats.norm.ppf(0.5 + level / 200)
    clipped: np.ndarray = np.clip(spreads, -LARGEST, LARGEST)
    return clipped


def independent_errors(origins: Origins, series: int) -> np.ndarray:
    """Return how many errors that do not overlap each series has at each step ahead: [S, H]."""
    steps = origins.truth.shape[1]
    counts = np.zeros((series, steps))
    np.add.at(counts, origins.series, np.isfinite(origins.truth).any(axis=2))
    apart = np.ones(series)  # steps from one origin to the next
    for number in np.unique(origins.series):
        known = origins.known[origins.series == number]
        apart[number] = np.median(np.diff(known)) if len(known) > 1 else steps
    found: np.ndarray = counts / np.maximum(np.arange(1, steps + 1) / apart[:, None], 1.0)
    return found


def levelled(
    origins: Origins, errors: np.ndarray, known: Sequence[np.ndarray], season: int
) -> tuple[float, np.ndarray]:
    """Return the power of the level that errors go with, and the errors as they would be at the level of each series'
    end.

    A regression of log sizes on log levels within series and steps, shrunk towards POWER; series with values of 0 or
    less have no such level, and their errors stay as they are.
    """
    positive = np.array([values.min(axis=0) > 0 for values in known])  # [S, D]
    ratio = np.ones((len(errors), errors.shape[2]))
    for number in np.unique(origins.series):
        of_series = origins.series == number
        levels = levels_of(known[number], season)
        there = levels[origins.known[of_series]] / np.where(positive[number], levels[-1], 1.0)
        ratio[of_series] = np.where(positive[number], there, 1.0)
    sizes, logs = np.abs(errors), np.broadcast_to(np.log(ratio)[:, None], errors.shape)
    used = np.isfinite(sizes) & (sizes > 0) & positive[origins.series][:, None]
    weight = np.where(used, 1 / np.arange(1, errors.shape[1] + 1)[:, None], 0.0) / errors.shape[1]
    size = np.log(np.where(used, sizes, 1.0))
    covered, crossed = 0.0, 0.0
    for number in np.unique(origins.series):
        of_series = origins.series == number
        w, x, y = weight[of_series], logs[of_series], size[of_series]
        total = np.maximum(w.sum(axis=0), 1e-12)
        x = x - (w * x).sum(axis=0) / total
        covered, crossed = covered + float((w * x * x).sum()), crossed + float((w * x * y).sum())
    power = float(np.clip((crossed + POWER_WEIGHT * POWER) / (covered + POWER_WEIGHT), 0.0, 1.0))
    return power, errors / ratio[:, None] ** power


def growth_of(errors: np.ndarray, series: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how errors grow with the step ahead, [H], around a power law of it, and the power.

    Each series counts for as many errors as it has, and as much as others of its size.
    """
    steps = errors.shape[1]
    weight = counts.sum(axis=0)
    size = np.ones((len(counts), errors.shape[2]))
    for number in np.unique(series):
        size[number] = rms(errors[series == number], axis=(0, 1))
    found = rms(errors / np.where(size > 0, size, np.inf)[series][:, None], axis=(0, 2))  # [H]
    seen = np.isfinite(found) & (found > 0) & (weight > 0)
    if not seen.any():
        return np.ones(steps), GROWTH
    weight, logs, x = np.where(seen, weight, 0.0), np.log(np.where(seen, found, 1.0)), np.log(np.arange(1, steps + 1))
    mean, centre = float(np.average(logs, weights=weight)), float(np.average(x, weights=weight))
    spread = float((weight * (x - centre) ** 2).sum())
    slope = float((weight * (x - centre) * (logs - mean)).sum())
    exponent = float(np.clip((slope + GROWTH_WEIGHT * GROWTH) / (spread + GROWTH_WEIGHT), 0.0, 1.0))
    law = mean + exponent * (x - centre)
    return np.exp((weight * logs + SMOOTH * law) / (weight + SMOOTH)), exponent


def scales(errors: np.ndarray, series: np.ndarray, counts: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the size of each series' errors [S, D], shrunk towards what its changes and all series let expect."""
    found = np.zeros(change.shape)
    for number in np.unique(series):
        found[number] = rms(errors[series == number], axis=(0, 1))
    comparable = (found > 0) & (change > 0)
    logs = np.log(found[comparable] / change[comparable])
    pooled = float(np.exp(np.median(logs))) if comparable.any() else 1.0
    own = counts.mean(axis=1)[:, None]
    weight = np.where(found > 0, own / (own + POOL), 0.0) if len(change) > 1 else np.ones(change.shape)
    expected = np.where(change > 0, pooled * change, found)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.exp(weight * np.log(found) + (1 - weight) * np.log(expected))
    return np.where((found > 0) & (expected > 0), shrunk, np.maximum(found, expected)), pooled


def rms(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Return root of the mean square of what is not NaN; 0 where nothing is."""
    found = np.isfinite(values)
    squares = np.where(found, values, 0.0) ** 2
    mean: np.ndarray = np.sqrt(squares.sum(axis=axis) / np.maximum(found.sum(axis=axis), 1))
    return mean


def tails(sizes: np.ndarray, independent: float, levels: Sequence[float], corrected: bool = True) -> dict[str, float]:
    """Return for each level how much further out errors lie than normal ones: 1 for few, what is seen for many.

    corrected: whether the quantile is that of n + 1 errors, as the next one is one more; False where Student's t
    makes up for few errors.
    """
    from scipy import stats

    found = sizes[np.isfinite(sizes)]
    ratios = {}
    for level in {*levels, *FALLBACK}:
        rank = min(level / 100 * (1 + corrected / max(independent, 1.0)), 1.0)
        seen = float(np.quantile(found, rank)) if len(found) else 0.0
        weight = independent / (independent + HEAVY) if seen > 0 else 0.0
        ratios[f"{level:g}"] = (max(seen, 1e-9) / float(stats.norm.ppf(0.5 + level / 200))) ** weight
    return ratios

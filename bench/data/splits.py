"""From series of a file to windows: cut in time, none that forecasts what an earlier part has seen.

N windows, C steps before the history that differences reach back to, T history, H ahead, D channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from bench.data.cuts import Ends, cut_of
from bench.data.naive2 import naive2
from bench.data.series import NAMED, Series, SeriesSet
from bench.data.transforms import Part, Parts, Scaling, differenced, naive_error, scale_of
from bench.data.windows import Split, Windows, read_only, views
from bench.errors import UsageError
from bench.schema.series import Preparation

MOST_STEPS = 1_000_000_000  # more than any series has
FEWEST = 0.1  # of the series that have to be scored, unless --drop-short says that the others may be left out


@dataclass(frozen=True)
class Prepared:
    """A file's windows, and what turns forecasts back into the data's own units."""

    preparation: Preparation
    parts: Parts
    scaling: Scaling
    naive: np.ndarray  # [S, 1, D]: mean absolute error of the seasonal naive forecast in the training part
    naive_squared: np.ndarray  # [S, 1, D]: the same, squared before the mean
    series: Sequence[Series]
    constant: tuple[str, ...] = ()  # series that do not change in their training part, and so are not scored

    def split(self, levels: bool) -> Split:
        """Return what a method sees, float32: differences, unless it takes levels and models them itself."""
        shown = [self.scaling.shown(one.values, place, levels) for place, one in enumerate(self.series)]
        return Split(*(self._seen(part, shown, levels) for part in self.parts))

    def _seen(self, part: Part, shown: Sequence[np.ndarray], levels: bool) -> Windows:
        how = self.preparation
        skipped = sum(how.lags) if levels else 0  # what differences would reach back to
        values = views(shown, part.series, part.starts + skipped, how.history + how.ahead)
        return read_only(values[:, : how.history], values[:, how.history :])

    def known(self, part: Part) -> Part:
        """Return what a forecast may be made from, in own units: [N, C + T, D]."""
        return part._replace(values=part.values[:, : -self.preparation.ahead])

    def before(self, part: Part) -> Iterator[np.ndarray]:
        """Yield all of its series [L, D] before the origin of each window, in own units."""
        origins = part.starts + self.preparation.length - self.preparation.ahead
        return (self.series[number].values[:end] for number, end in zip(part.series, origins, strict=True))

    def naive_of(self, part: Part, power: int = 1) -> np.ndarray:
        """Return the naive errors that windows are scaled by, [N, 1, D]: before their origin if origins are counted."""
        if not self.preparation.at_origins:
            every = self.naive if power == 1 else self.naive_squared
            return np.asarray(every[part.series])
        return np.array([naive_error(one, self.preparation.naive_season, power) for one in self.before(part)])

    def naive2_of(self, part: Part) -> np.ndarray | None:
        """Return the forecasts [N, H, D] of Naive2 in own units, where origins are counted: what OWA compares with."""
        how = self.preparation
        if not how.at_origins:
            return None
        rows = [[naive2(channel, how.naive_season, how.ahead) for channel in one.T] for one in self.before(part)]
        forecasts: np.ndarray = np.array(rows).swapaxes(1, 2)
        return forecasts

    def truth(self, part: Part) -> np.ndarray:
        """Return what is to be forecast, in own units: [N, H, D]."""
        return part.values[:, -self.preparation.ahead :]

    @property
    def scored(self) -> int:
        """How many series have a window in the last part."""
        last = self.parts.test if len(self.parts.test.series) else self.parts.validation
        return len(np.unique(last.series))

    def describe(self) -> str:
        """Return which series are scored, in words; empty where all are."""
        if self.scored == len(self.series):
            return ""
        constant = f", {shortened(self.constant)} constant in training" if self.constant else ""
        return f"{self.scored} of {len(self.series)} series scored{constant}"


def prepare(found: SeriesSet, how: Preparation, test: bool = True) -> Prepared:
    """Return the windows of all series. Raises UsageError for options out of range and for series too short for a
    window.

    A series too short for a window of some part has none there, as long as others have.
    """
    check(how)
    cut = cut_of(how, found.calendar, test)
    ends = [cut(one) for one in found.series]
    known = [end.validation if how.whole_history and test else end.train for end in ends]
    training = [one.values[: max(end, 1)] for one, end in zip(found.series, known, strict=True)]
    longest = max(map(len, training))
    if how.scoring_season and how.scoring_season >= longest:
        raise UsageError(f"--scoring-season {how.scoring_season}: the longest training part has {longest} steps, and "
                         "MASE needs more than a season")  # fmt: skip
    levels = scale_of(training)
    constant = [len(values) > 1 and bool((values == values[0]).all()) for values in training]
    unscored = {place for place, one in enumerate(constant) if one or ends[place].train < 2}
    unscored = unscored if len(unscored) < len(ends) and not how.whole_history else set()
    parts = Parts(*(windows(found, how, ends, place, unscored if place else set()) for place in range(3)))
    check_windows(found, how, ends, parts, test)
    prepared = Prepared(
        preparation=how,
        parts=parts,
        scaling=Scaling(
            names=tuple(one.name for one in found.series),
            lags=tuple(how.lags),
            levels=levels,
            differences=scale_of([differenced(values[None], how.lags)[0] for values in training]),
        ),
        naive=np.stack([naive_error(values, how.naive_season) for values in training]),
        naive_squared=np.stack([naive_error(values, how.naive_season, power=2) for values in training]),
        series=found.series,
        constant=tuple(found.series[place].name for place in sorted(unscored) if constant[place]),
    )
    if prepared.scored < FEWEST * len(found.series) and not how.drop_short:
        counts = f"{prepared.scored} of {len(found.series)}"
        raise UsageError(f"{found.file}: {counts} series are long enough to be scored: "
                         "a shorter --history scores more, --drop-short leaves the others out")  # fmt: skip
    return prepared


def with_fitting_history(found: SeriesSet, how: Preparation, test: bool = True) -> Preparation:
    """Return the preparation with a history of 50 steps or two seasons, as far as most series allow.

    The shortest series decides, unless that left the others a fourth of what they could have.
    """
    check(how)
    cut = cut_of(how, found.calendar, test)
    rest = sum(how.lags) + how.ahead
    possible = sorted((cut(one).train - rest) * 2 // 3 for one in found.series)  # the rest is left to make windows of
    wanted = max(how.history, 2 * (how.season or 0))
    limit = possible[0] if possible[0] >= wanted / 4 else possible[len(possible) // 2]
    return msgspec.structs.replace(how, history=max(1, min(wanted, limit)))


def long_enough(found: SeriesSet, how: Preparation, test: bool = True) -> SeriesSet:
    """Return the series without those too short for a window of each part, if --drop-short asks for it.

    A note names them.
    """
    if not how.drop_short:
        return found
    cut = cut_of(how, found.calendar, test)
    short = [one for one in found.series if not is_long_enough(cut(one), how, test)]
    kept = [one for one in found.series if all(one is not other for other in short)]
    if not short or not kept:
        return found
    note = f"{len(short)} series too short are left out: {shortened([one.name for one in short])}"
    return replace(found, series=kept, notes=(*found.notes, note))


def is_long_enough(end: Ends, how: Preparation, test: bool) -> bool:
    """Return whether a series has a window in each part."""
    lasts = (end.train, end.validation, *([end.test] if test else []))
    return min(lasts) >= how.length


def shortened(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def check(how: Preparation) -> None:
    """Raise UsageError for numbers below 1, for those that no series has so many steps for, and for another origin."""
    if how.origin not in (msgspec.UNSET, "end"):
        raise UsageError(f"--origin {how.origin!r}: choose from end")
    for name in ("history", "ahead", "stride", "test_stride", "cutoffs", "scoring_season"):
        value = getattr(how, name)
        if value is not msgspec.UNSET and not isinstance(value, int):
            raise UsageError(f"--{name.replace('_', '-')} {value!r}: needed a whole number")
        if value is not msgspec.UNSET and not 1 <= value <= MOST_STEPS:
            needed = "1 or more" if value < 1 else f"{MOST_STEPS} or fewer"
            raise UsageError(f"--{name.replace('_', '-')} {value}: needed {needed}")


def check_windows(found: SeriesSet, how: Preparation, ends: Sequence[Ends], parts: Parts, test: bool) -> None:
    """Raise UsageError, with what would do, when a part has no window."""
    for name, part, place in zip(Parts._fields[: 3 if test else 2], parts, range(3), strict=False):
        if len(part.series):
            continue
        longest = max(range(len(ends)), key=lambda number: ends[number][place])
        held = max(one[place] - one[place - 1] for one in ends) if place else how.ahead
        if how.split and held < how.ahead:
            steps = len(found.series[longest].values)
            raise UsageError(f"--split {how.split}: the {name} part has {held} of the {steps} steps of {found.file}, "
                             f"needed at least {how.ahead} (--ahead)")  # fmt: skip
        if ends[longest][place] >= how.length and place:
            raise UsageError(f"{found.file}: every window of the {name} part forecasts a value that was filled in")
        raise too_short(found, how, found.series[longest], ends[longest])


def too_short(found: SeriesSet, how: Preparation, one: Series, end: Ends) -> UsageError:
    """Return the error for a series, the longest, that has no window."""
    name = f"the series {one.name!r}" if one.name else "the series"
    longest = f", the longest of {len(found.series)}," if len(found.series) > 1 else ""
    lags = f" + {sum(how.lags)} for differences" if how.lags else ""
    needed = f"{how.history} (--history) + {how.ahead} (--ahead){lags}"
    possible = end.train - (how.length - how.history)
    if possible >= 1:
        advice = f"--history {possible} is possible"
    elif lags and end.train > how.ahead:
        advice = "leave --deseasonalise and --difference out"
    else:
        advice = "fewer --cutoffs are needed" if (how.cutoffs or 1) > 1 else "a smaller --ahead is needed"
    return UsageError(f"{found.file}: {name}{longest} is too short: got {len(one.values)} steps, {end.train} of them "
                      f"for training, needed {needed} = {how.length}: {advice}")  # fmt: skip


def windows(found: SeriesSet, how: Preparation, ends: Sequence[Ends], place: int, unscored: set[int]) -> Part:
    """Return all windows of a part: 0 training, 1 validation, 2 test, every `stride` steps of each series.

    Of validation and test those are left out that forecast a value that was filled in, or start from one: to score
    them would be to score the filling, which may have seen the value after it.
    """
    starts, series = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for number, (one, end) in enumerate(zip(found.series, ends, strict=True)):
        if number in unscored:
            continue
        begin = 0 if place == 0 else end[place - 1]
        chosen = np.array(places(how, begin, end[place], scored=place > 0), dtype=np.int64)
        if place and one.imputed.any():
            chosen = chosen[[not filled(one, how, int(start)) for start in chosen]]
        starts.append(chosen)
        series.append(np.full(len(chosen), number))
    where, which = np.concatenate(starts), np.concatenate(series)
    return Part(views([one.values for one in found.series], which, where, how.length), which, where)


def filled(one: Series, how: Preparation, start: int) -> bool:
    """Return whether a window forecasts a value that was filled in, or starts from one."""
    last_known = start + how.length - how.ahead - 1
    return bool(one.imputed[last_known : start + how.length].any())


def places(how: Preparation, begin: int, end: int, scored: bool) -> range:
    """Return where in a series the windows begin whose future lies between two steps."""
    stride = how.scored_stride if scored else how.stride
    first, last = begin - (how.length - how.ahead), end - how.length
    if first < 0:  # the history is not long enough: begin later, at a counted origin where they are counted
        counted = scored and (how.origin == "end" or how.cutoffs)
        first += -(first // stride) * stride if counted else -first
    return range(first, last + 1, stride) if last >= first else range(0)

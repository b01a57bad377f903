"""From series of a file to windows: cut in time, none that forecasts what an earlier part has seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from bench.data.series import Series, SeriesSet
from bench.data.transforms import Part, Parts, Scaling, differenced, naive_error, scale_of
from bench.data.windows import Split, Windows, read_only
from bench.errors import UsageError
from bench.schema.series import Preparation

SHARE = 0.15  # of the steps, for validation, and as many for the test


@dataclass(frozen=True)
class Prepared:
    """A file's windows, and what turns forecasts back into the data's own units."""

    preparation: Preparation
    parts: Parts
    scaling: Scaling
    naive: np.ndarray  # [S, 1, D]: mean absolute error of the seasonal naive forecast in the training part

    def split(self, levels: bool) -> Split:
        """What a method sees, float32: with differences taken, unless it takes levels, that is, models them itself."""
        return Split(*(self._seen(part, levels) for part in self.parts))

    def _seen(self, part: Part, levels: bool) -> Windows:
        values = self.scaling.seen(part, levels)
        end = values.shape[1] - self.preparation.ahead
        return read_only(values[:, end - self.preparation.history : end].copy(), values[:, end:].copy())

    def known(self, part: Part) -> Part:
        """What a forecast may be made from, in own units: [N, C + T, D]."""
        return part._replace(values=part.values[:, : -self.preparation.ahead])

    def truth(self, part: Part) -> np.ndarray:
        """What is to be forecast, in own units: [N, H, D]."""
        return part.values[:, -self.preparation.ahead :]


class Ends(NamedTuple):
    """Where the training part and the validation part end, in steps of the calendar."""

    train: int
    validation: int


def ends(found: SeriesSet, ahead: int, test: bool = True) -> Ends:
    """The same times for all series: what is validation for one is never training for another.

    test: whether a part is kept for the test; else validation is the last one.
    """
    first, last = min(one.start for one in found.series), max(one.end for one in found.series)
    held_back = max(ahead, round(SHARE * (last - first)))
    return Ends(last - 2 * held_back, last - held_back) if test else Ends(last - held_back, last)


def prepare(found: SeriesSet, how: Preparation, test: bool = True) -> Prepared:
    """The windows of all series. Raises UsageError for options out of range and for series too short for a window."""
    check(how)
    cut = ends(found, how.ahead, test)
    check_lengths(found, how, cut)
    limits = [(-np.inf, cut.train), (cut.train, cut.validation), (cut.validation, np.inf)]
    parts = Parts(*(windows(found, how, *limit, keep_imputed=place == 0) for place, limit in enumerate(limits)))
    for name, part in zip(Parts._fields[: 3 if test else 2], parts, strict=False):
        if not len(part.series):
            raise UsageError(f"{found.file}: every window of the {name} part forecasts a value that was filled in")
    training = [one.values[: cut.train - one.start] for one in found.series]
    return Prepared(
        preparation=how,
        parts=parts,
        scaling=Scaling(
            names=tuple(one.name for one in found.series),
            lags=tuple(how.lags),
            levels=scale_of(training),
            differences=scale_of([differenced(values[None], how.lags)[0] for values in training]),
        ),
        naive=np.stack([naive_error(values, how.season or 1) for values in training]),
    )


def with_fitting_history(found: SeriesSet, how: Preparation, test: bool = True) -> Preparation:
    """The preparation with a history of 50 steps or two seasons, as far as the shortest series allows."""
    check(how)
    limit = ends(found, how.ahead, test).train
    shortest = min(min(one.end, limit) - one.start for one in found.series)
    possible = (shortest - sum(how.lags) - how.ahead) * 2 // 3  # the rest is left to make windows of
    return msgspec.structs.replace(how, history=max(1, min(max(how.history, 2 * (how.season or 0)), possible)))


def check(how: Preparation) -> None:
    """Raise UsageError for numbers below 1."""
    for name in ("history", "ahead", "stride"):
        if getattr(how, name) < 1:
            raise UsageError(f"--{name} {getattr(how, name)}: at least 1 is needed")


def check_lengths(found: SeriesSet, how: Preparation, cut: Ends) -> None:
    """Raise UsageError, with what would do, when a series has no window in the training part."""
    short = [one for one in found.series if min(cut.train, one.end) - one.start < how.length]
    if not short:
        return
    one = min(short, key=lambda one: min(cut.train, one.end) - one.start)
    name = f"the series {one.name!r}" if one.name else "the series"
    others = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
    steps = max(0, min(cut.train, one.end) - one.start)
    before = f" (before {found.calendar.at(cut.train)}, the same for all series)" if len(found.series) > 1 else ""
    lags = f" + {sum(how.lags)} for differences" if how.lags else ""
    needed = f"{how.history} (--history) + {how.ahead} (--ahead){lags}"
    possible = steps - (how.length - how.history)
    hint = f": --history {possible} is possible" if possible >= 1 else ""
    raise UsageError(f"{found.file}: {name}{others} is too short: got {len(one.values)} steps, {steps} of them for "
                     f"training{before}, needed {needed} = {how.length}{hint}")  # fmt: skip


def windows(found: SeriesSet, how: Preparation, begin: float, end: float, keep_imputed: bool) -> Part:
    """All windows whose future lies in [begin, end) of the calendar, every `stride` steps of each series.

    Unless kept, those are left out that forecast a value that was filled in, or start from one: to score them would be
    to score the filling, which may have seen the value after it.
    """
    values, series = [], []
    for number, one in enumerate(found.series):
        for place in places(one, how, begin, end):
            last_known = place + how.length - how.ahead - 1
            if keep_imputed or not one.imputed[last_known : place + how.length].any():
                values.append(one.values[place : place + how.length])
                series.append(number)
    channels = len(found.channels)
    return Part(np.array(values).reshape(-1, how.length, channels), np.array(series, dtype=np.int64))


def places(one: Series, how: Preparation, begin: float, end: float) -> Iterator[int]:
    """Where in a series the windows begin."""
    known = how.length - how.ahead
    first = max(0, begin - one.start - known)
    last = min(len(one.values), end - one.start) - how.length
    yield from range(int(first), int(last) + 1, how.stride) if last >= first else ()

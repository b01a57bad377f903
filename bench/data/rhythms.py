"""How often values come: the pandas offset, or the times of a day, that misses the fewest steps between times.

best_fit(times) -> Fit, or None where nothing fits or more than half of the steps would be missing
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NANOSECONDS = {"day": 86_400 * 10**9, "hour": 3600 * 10**9, "minute": 60 * 10**9, "second": 10**9}
MONTHS = {1: "monthly", 3: "quarterly", 6: "half-yearly", 12: "yearly"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORKING_DAYS = (True,) * 5 + (False,) * 2
WEEKS = 4  # in each of which a weekday is missing that is said to be closed
SESSIONS = 3  # days with the same times
SPARSEST = 100  # steps for each value: above, times are taken for irregular


class Fit(NamedTuple):
    """A rhythm, and the step of every distinct time, from 0."""

    name: str
    steps: np.ndarray
    origin: Any
    offset: Any
    slots: tuple[Any, ...] = ()
    first_slot: int = 0
    day: int = 0

    @property
    def missing(self) -> int:
        """How many steps between the first and the last time have none."""
        return int(self.steps[-1]) + 1 - len(self.steps)


def best_fit(times: pd.DatetimeIndex) -> Fit | None:
    """Return the rhythm of these times that misses the fewest steps, the simplest of equals."""
    if times.hasnans or not len(times):
        return None
    distinct = times.unique().sort_values()
    found = [fit for fit in candidates(distinct) if fit.steps[-1] < 2 * len(distinct)]
    return min(found, key=lambda fit: fit.missing, default=None)


def candidates(times: pd.DatetimeIndex) -> Iterator[Fit]:
    """Yield every rhythm that has all of these distinct, sorted times, the simplest first."""
    found = [as_months(times), as_fixed(times, usual_gap(times))]
    if len(times) > 1 and same_time_of_day(times):
        found += [as_working_days(times)]
        if len(times) > 3:
            found += [as_offset(times, offset, name) for offset, name in month_offsets(times)]
    yield from (fit for fit in found if fit is not None)
    if (fit := as_sessions(times)) is not None:
        yield fit


def sparse_fit(times: pd.DatetimeIndex) -> Fit | None:
    """Return the coarsest even rhythm that has all times, however many steps are missing.

    None where times are irregular.
    """
    distinct = times.unique().sort_values()
    if len(distinct) < 3:
        return None
    fit = as_fixed(distinct, int(np.gcd.reduce(np.diff(distinct.asi8))))
    whole = fit is not None and fit.offset.value % NANOSECONDS["minute"] == 0
    if fit is None or not whole or fit.steps[-1] > SPARSEST * len(distinct):
        return None
    return fit


def as_months(times: pd.DatetimeIndex) -> Fit | None:
    """Return steps of whole months: the same day and time in each, or each one's last day."""
    import pandas as pd

    if len(times) < 2 or not same_time_of_day(times):
        return None
    ends, day = bool(times.is_month_end.all()), int(times.day.max())
    if not ends and (times.day != np.minimum(day, times.days_in_month)).any():
        return None
    months = np.asarray(times.year * 12 + times.month, dtype=np.int64)
    every = int(np.gcd.reduce(np.diff(months)))
    steps = (months - months[0]) // max(every, 1)
    name = MONTHS.get(every, f"every {every} months")
    if ends:
        return Fit(name, steps, times[0], pd.offsets.MonthEnd(every))
    return Fit(name, steps, times[0], pd.DateOffset(months=every), day=day if day > 28 else 0)


def as_fixed(times: pd.DatetimeIndex, every: int) -> Fit | None:
    """Return steps of so many nanoseconds, if all times are multiples of it apart."""
    import pandas as pd

    since = times.asi8 - times.asi8[0]
    if (since % every).any():
        return None
    return Fit(fixed_name(every), since // every, times[0], pd.Timedelta(every, unit="ns"))


def as_working_days(times: pd.DatetimeIndex) -> Fit | None:
    """Return mondays to Fridays, or the weekdays that a business is seen to keep."""
    import pandas as pd

    open_days = tuple(day in set(times.dayofweek) for day in range(7))
    usual = not any(open_days[5:])
    if all(open_days) or not (usual or kept(times, open_days)):
        return None
    mask = WORKING_DAYS if usual and not kept(times, open_days) else open_days
    days = days_of(times)
    offset = pd.offsets.CustomBusinessDay(weekmask=" ".join(DAYS[day] for day in range(7) if mask[day]))
    return Fit(days_name(mask), np.busday_count(days[0], days, weekmask=mask), times[0], offset)


def kept(times: pd.DatetimeIndex, open_days: tuple[bool, ...]) -> bool:
    """Return whether weekdays are closed in so many weeks that it is no accident, and more than one is open."""
    return sum(open_days) > 1 and (times[-1] - times[0]).days >= 7 * WEEKS


def month_offsets(times: pd.DatetimeIndex) -> Iterator[tuple[Any, str]]:
    """Yield offsets tied to the days of months: the first or last working day, half a month, a weekday."""
    import pandas as pd

    offsets = pd.offsets
    months = np.unique(times.year * 12 + times.month)
    every = int(np.gcd.reduce(np.diff(months))) if len(months) > 1 else 1
    name = MONTHS.get(every, f"every {every} months")
    yield offsets.BMonthEnd(every), f"{name}, on the last working day"
    yield offsets.BMonthBegin(every), f"{name}, on the first working day"
    yield offsets.SemiMonthEnd(day_of_month=15), "twice a month"
    yield offsets.SemiMonthBegin(day_of_month=15), "twice a month"
    weekdays = np.unique(times.dayofweek)
    if len(weekdays) == 1:
        weekday: Any = int(weekdays[0])
        for week in np.unique((times.day - 1) // 7)[:1]:
            yield offsets.WeekOfMonth(week=int(week), weekday=weekday), f"monthly, on a {DAYS[weekday]}"
        yield offsets.LastWeekOfMonth(weekday=weekday), f"monthly, on the last {DAYS[weekday]}"


def as_offset(times: pd.DatetimeIndex, offset: Any, name: str) -> Fit | None:
    """Return steps of a pandas offset, if all times are among its own."""
    import pandas as pd

    if not offset.is_on_offset(times[0]):
        return None
    steps = pd.date_range(times[0], times[-1], freq=offset).get_indexer(times)
    return None if (steps < 0).any() else Fit(name, np.asarray(steps, dtype=np.int64), times[0], offset)


def as_sessions(times: pd.DatetimeIndex) -> Fit | None:
    """Return the same few times on each day that has any: business hours, half-hours of trading."""
    import pandas as pd

    slots, which = np.unique((times - times.normalize()).asi8, return_inverse=True)
    days, counts = np.unique(days_of(times), return_counts=True)
    if len(slots) < 2 or len(days) < SESSIONS or len(slots) > times.size // SESSIONS:
        return None
    open_days = tuple(day in set(times.dayofweek) for day in range(7))
    if not any(open_days[5:]) and not kept(times, open_days):
        open_days = WORKING_DAYS
    elif not all(open_days) and not kept(times, open_days):
        open_days = (True,) * 7
    number = np.busday_count(days[0], days_of(times), weekmask=open_days)
    steps = number * len(slots) + which - which[0]
    mask = " ".join(DAYS[day] for day in range(7) if open_days[day])
    offset = pd.offsets.CustomBusinessDay(weekmask=mask) if not all(open_days) else pd.Timedelta(days=1)
    deltas = tuple(pd.Timedelta(int(slot), unit="ns") for slot in slots)
    clock = [f"{pd.Timestamp(0) + delta:%H:%M}" for delta in (deltas[0], deltas[-1])]
    name = f"{len(slots)} times a day from {clock[0]} to {clock[1]}" + (
        "" if all(open_days) else f", {days_name(open_days)}"
    )
    return Fit(name, steps, times[0].normalize(), offset, deltas, int(which[0]))


def days_of(times: pd.DatetimeIndex) -> np.ndarray:
    """Return the days of times, as NumPy counts them."""
    return times.tz_localize(None).normalize().to_numpy().astype("datetime64[D]")


def same_time_of_day(times: pd.DatetimeIndex) -> bool:
    """Return whether all times are at one time of their days."""
    return len(np.unique((times - times.normalize()).asi8)) == 1


def days_name(open_days: tuple[bool, ...]) -> str:
    """Return which days of the week have values, in words."""
    if open_days == WORKING_DAYS:
        return "on working days"
    closed = [DAYS[day] for day in range(7) if not open_days[day]]
    return f"daily but for {', '.join(closed)}"


def fixed_name(nanoseconds: int) -> str:
    """Return a step of fixed length in words."""
    known = {7 * NANOSECONDS["day"]: "weekly", NANOSECONDS["day"]: "daily", NANOSECONDS["hour"]: "hourly"}
    if nanoseconds in known:
        return known[nanoseconds]
    for unit, length in NANOSECONDS.items():
        if nanoseconds % length == 0:
            count = nanoseconds // length
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {nanoseconds / 1e9:g} seconds"


def usual_gap(times: pd.DatetimeIndex) -> int:
    """Return the commonest difference between sorted times, in nanoseconds; a day where there is but one time."""
    gaps, counts = np.unique(np.diff(times.asi8), return_counts=True)
    return int(gaps[np.argmax(counts)]) if len(gaps) else NANOSECONDS["day"]

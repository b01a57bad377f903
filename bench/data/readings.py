"""Readings of a column as times, and those of plain numbers: Unix times, Excel's days, decimal years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

INTEGER = re.compile(r"-?\d+(?:\.0+)?", re.ASCII)
UNITS = (1, 10**3, 10**6, 10**9)  # of Unix times, in a second
AMBIGUOUS_MIDNIGHTS = range(10, 21)  # hours UTC that are midnight in Australia, or an evening in America
EARLIEST, LATEST = 10**8, 4 * 10**9  # Unix seconds: 1973 to 2096


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read a column: its times, in nanoseconds; in UTC where the texts have an offset."""

    index: pd.DatetimeIndex
    pattern: str  # how times are written


def pattern_of(index: pd.DatetimeIndex) -> str:
    """Return how times are written: as days where they all are, else in full."""
    return "%Y-%m-%d" if (index == index.normalize()).all() and index.tz is None else ""


def local_days(index: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
    """Return days of local time that are written in UTC, an hour apart in winter and summer, as days; None for others.

    They begin at a midnight: 23 and 22 hours UTC are Central European days, 5 and 4 those of New York.
    """
    import pandas as pd

    hour = pd.Timedelta(hours=1)
    slots = (index - index.normalize()) / hour
    found = sorted(set(slots))
    if len(found) != 2 or found[1] - found[0] not in (1, 23) or found[1] % 1:
        return None
    winter = int(found[1] if found[1] - found[0] == 1 else found[0])
    if winter in AMBIGUOUS_MIDNIGHTS:
        return None
    shift = -winter if winter < AMBIGUOUS_MIDNIGHTS.start else 24 - winter
    return pd.DatetimeIndex(index + np.where(slots == winter, shift, shift + 1) * hour).tz_localize(None)


def of_unix(texts: Sequence[str]) -> Reading | None:
    """Return seconds since 1970, or thousandths and finer ones."""
    import pandas as pd

    values = np.array(texts, dtype=float)
    factor = next((factor for factor in UNITS if np.abs(values).max() / factor <= LATEST), None)
    if factor is None:
        return None
    if all(INTEGER.fullmatch(text) for text in texts):
        whole = np.array([int(re.sub(r"\.0+$", "", text)) for text in texts], dtype=np.int64)
        since = pd.to_timedelta(whole * (10**9 // factor), unit="ns")
    else:
        since = pd.to_timedelta(values / factor, unit="s").round("ms")
    index = pd.DatetimeIndex(pd.Timestamp(0) + since).as_unit("ns")
    return Reading(index, pattern_of(index))


def of_excel(texts: Sequence[str]) -> Reading | None:
    """Return days since the end of 1899, as Excel counts them, with parts of a day."""
    import pandas as pd

    values = np.array(texts, dtype=float)
    if not ((values > 0) & (values < 130_000)).all():
        return None
    index = pd.DatetimeIndex(pd.Timestamp("1899-12-30") + pd.to_timedelta(values, unit="D")).as_unit("ns").round("s")
    return Reading(index, pattern_of(index))


def of_decimal_years(texts: Sequence[str]) -> Reading:
    """Read years and parts of them, as R writes 1949.0833: months if at most twelve, weeks, else days."""
    import pandas as pd

    values = np.array([text.replace(",", ".") for text in texts], dtype=float)
    months = np.floor(values * 12 + 0.02).astype(int)
    gap = float(np.median(np.diff(np.sort(values)))) if len(values) > 1 else 1.0
    if len(set(months)) == len(months) and len(set(np.diff(np.sort(months)))) == 1:
        years, within = np.divmod(months, 12)
        index = pd.DatetimeIndex([f"{year}-{month + 1:02}-01" for year, month in zip(years, within, strict=True)])
    else:
        first = int(np.floor(values.min()))
        step, days = (1 / 52, 7) if abs(gap * 52 - 1) < 0.1 else (1 / 365, 1) if abs(gap * 365 - 1) < 0.1 else (0, 0)
        since = np.round((values - first) / step) * days if step else np.round((values - first) * 365.25)
        index = pd.Timestamp(f"{first}-01-01") + pd.to_timedelta(since, unit="D")
    index = pd.DatetimeIndex(index).as_unit("ns")
    return Reading(index, pattern_of(index))

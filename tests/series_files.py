"""Files of series for tests: real ones, and random ones with how they may be read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from hypothesis import strategies as st
from msgspec import UNSET

from bench.schema.series import Reading


def bundled(name: str) -> Path:
    """A real series that comes with statsmodels: a file that nobody wrote for this."""
    spec = find_spec("statsmodels")
    assert spec and spec.origin
    return Path(spec.origin).parent / "datasets" / name / f"{name}.csv"


CELLS = st.one_of(
    st.floats().map(str), st.integers().map(str), st.dates().map(str), st.datetimes().map(str), st.text(max_size=8),
    st.sampled_from(["", "NA", "1,5", "2024-01", "01/02/2024", "2024-01-01T00:00+01:00", '"', "2024Q1", "9" * 400]),
)  # fmt: skip


def rarely(*values: object) -> st.SearchStrategy:
    """One of the values, three times out of four none: options that refuse each other would leave nothing to read."""
    return st.one_of(st.just(UNSET), st.just(UNSET), st.just(UNSET), st.sampled_from(values))


READINGS = st.builds(
    Reading,
    target=st.sampled_from([(), ("a",), ("a", "b"), ("*",)]),
    time=st.sampled_from([None, "-", "b", "date"]),
    group=st.sampled_from([None, None, "b", "c"]),
    wide=st.booleans(),
    impute=st.sampled_from([None, "linear", "last", "seasonal", "zero"]),
    season=st.sampled_from([None, 2, 3]),
    dates=rarely("%d/%m/%Y", "%", "day-first", "month-first", "unix", "excel", "decimal-year", "number", "x"),
    decimal=rarely(",", ".", "", "12"),
    thousands=rarely(",", ".", "'", " "),
    missing=rarely(("x",), ("-999", ""), ("1,5",)),
    encoding=rarely("latin-1", "utf-16", "utf-8-sig", "no such"),
    skip_rows=rarely(0, 1, 3, 10**6, -1),
    skip_footer=rarely(0, 1, 3, 10**6, -1),
    comment=rarely("#", "a", ""),
    no_header=rarely(True),
    duplicates=rarely("sum", "mean", "last", "first"),
    rows_are_series=rarely(True),
)


def content(rows: list[list[str]], delimiter: str) -> bytes:
    lines = ["a,b,c,date".replace(",", delimiter), *(delimiter.join([*row, *[""] * (4 - len(row))]) for row in rows)]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


TABLES = st.builds(content, st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), st.sampled_from(",;\t|"))
NOISE = st.binary(max_size=60)
CONTENTS = TABLES | NOISE | NOISE.map(lambda noise: b"a,b\n" + noise)

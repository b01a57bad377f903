"""Files of series for tests: real ones, and random ones with how they may be read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from hypothesis import strategies as st

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
READINGS = st.builds(
    Reading,
    target=st.sampled_from([(), ("a",), ("a", "b"), ("*",)]),
    time=st.sampled_from([None, "-", "b", "date"]),
    group=st.sampled_from([None, None, "b", "c"]),
    wide=st.booleans(),
    impute=st.sampled_from([None, "linear", "last", "seasonal"]),
    season=st.sampled_from([None, 2, 3]),
)


def content(rows: list[list[str]], delimiter: str) -> bytes:
    lines = ["a,b,c,date".replace(",", delimiter), *(delimiter.join([*row, *[""] * (4 - len(row))]) for row in rows)]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


TABLES = st.builds(content, st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), st.sampled_from(",;\t|"))
NOISE = st.binary(max_size=60)
CONTENTS = TABLES | NOISE | NOISE.map(lambda noise: b"a,b\n" + noise)

"""Readers of what users and files say, fed with random input: a valid value or one clear line, never anything else.

FUZZ=10000 python -m pytest tests/faults/test_fuzz.py    as many cases for each reader (`make soak`); 150 otherwise
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from conftest import make_run, make_spec, older
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_files import CONTENTS, READINGS

from bench.campaigns.request import parse_seeds
from bench.campaigns.settings import parse_settings
from bench.data.series import read_series
from bench.execution import limits
from bench.records import codec
from bench.schema.record import SCHEMA, Run

CASES = int(os.environ.get("FUZZ", "150"))


class Reader(NamedTuple):
    """What is read, how, and what a valid value is; anything else has to be a ValueError of one line."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Any], Any]
    is_valid: Callable[[Any], bool]


def mangled(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes replaced, left out or put in."""
    places = st.integers(0, len(content))
    cut = st.tuples(places, places, st.binary(max_size=8)).map(lambda at: content[: at[0]] + at[2] + content[at[1] :])
    return cut


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
RECORD = msgspec.to_builtins(make_run())
CONTENT = codec.encode(make_run())
FIELDS = st.sampled_from([*RECORD, *RECORD["spec"], *RECORD["metrics"], "checksum", "more"])


def changed(schema: int) -> st.SearchStrategy[bytes]:
    """A record with fields, also inner ones, replaced by anything, and a checksum that is right."""

    def build(changes: dict[str, Any]) -> bytes:
        fields = {**RECORD, "schema": schema} if schema >= SCHEMA else {**older(RECORD), "schema": schema}
        for name, value in changes.items():
            inner = next((part for part in ("spec", "metrics") if name in RECORD[part]), None)
            target = {**fields[inner]} if inner and isinstance(fields[inner], dict) else fields
            target[name] = value
            if target is not fields:
                fields[inner] = target
        content = json.dumps(fields, indent=1).encode()
        return codec.seal(content) if schema in codec.HEADS else content + b"\n"

    return st.dictionaries(FIELDS, ANY_JSON, max_size=3).map(build)


def read_record(content: bytes) -> Run:
    return codec.decode(content, codec.path_of(make_spec()))


WORDS = st.sampled_from(
    ["gru", "gru.units", "learning_rate", ".", "=", "32", "none", "true", "-1", "1e400", "nan", ","]
)
TEXTS = st.text(max_size=40) | st.lists(WORDS | st.text(max_size=3), max_size=8).map("".join)

READERS = {
    "records": Reader(
        st.binary(max_size=200) | mangled(CONTENT) | changed(SCHEMA) | changed(1) | changed(2) | changed(SCHEMA + 1),
        read_record,
        lambda run: read_record(codec.encode(run)) == run,
    ),
    "settings": Reader(
        TEXTS,
        lambda text: parse_settings([text]),
        lambda changes: all(json.dumps(values, allow_nan=False) for values in changes.values()),
    ),
    "seeds": Reader(
        TEXTS | st.lists(st.integers(-3, 2**33)).map(lambda seeds: ",".join(map(str, seeds))),
        parse_seeds,
        lambda seeds: len(set(seeds)) == len(seeds) >= 1 and all(0 <= seed < 2**32 for seed in seeds),
    ),
    "sizes": Reader(
        TEXTS | st.from_regex(r"[0-9.]{0,12}[KMGTiB ]{0,3}", fullmatch=True),
        limits.check_memory,
        lambda size: limits.LEAST_MEMORY <= size < 2**90,
    ),
    "files": Reader(
        st.tuples(CONTENTS, READINGS),
        lambda given: read_series(*given),
        lambda found: bool(found.series) and all(np.isfinite(one.values).all() for one in found.series),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_valid_value_or_one_clear_line(name: str) -> None:
    reader = READERS[name]

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(reader.inputs)
    def fuzz(text: Any) -> None:
        try:
            value = reader.read(text)
        except ValueError as error:
            assert str(error)
            return
        assert reader.is_valid(value)

    fuzz()


def test_what_is_changed_is_sometimes_still_valid() -> None:
    """Else the fuzzing would see nothing but the first check."""
    assert read_record(CONTENT) == make_run()
    assert parse_settings(["gru.units=32"]) == {"gru": {"units": 32}}
    assert limits.check_memory("500M") == 500 * 2**20

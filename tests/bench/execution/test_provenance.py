"""The digest of the code that a run is made by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
from conftest import make_spec

import implementations
from bench.execution import provenance


def test_threads_may_ask_at_once() -> None:
    """Python 3.11 raises SystemError where two threads parse at once: a campaign asks from the thread of each run."""
    methods = [name for name in implementations.METHODS if "." not in name]
    specs = [msgspec.structs.replace(make_spec(), method=name, backend="torch") for name in methods]
    provenance.KNOWN.clear()
    provenance.parsed.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda spec: provenance.code_of(spec, {}), specs))
    provenance.KNOWN.clear()
    assert together == [provenance.code_of(spec, {}) for spec in specs]

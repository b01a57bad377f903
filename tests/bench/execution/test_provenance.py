"""The digest of the code that a run is made by."""

from __future__ import annotations

import ast
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import make_spec

from bench.execution import provenance
from bench.schema.record import Source


def test_one_thread_parses_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 may raise SystemError where two do, and a campaign asks from the thread of each run."""
    busy, parse = threading.Lock(), ast.parse

    def parse_alone(content: bytes) -> Any:
        assert busy.acquire(blocking=False), "another thread is parsing"
        time.sleep(0.001)
        try:
            return parse(content)
        finally:
            busy.release()

    monkeypatch.setattr(ast, "parse", parse_alone)
    monkeypatch.setattr(provenance, "KNOWN", {})
    provenance.parsed.cache_clear()
    specs = [msgspec.structs.replace(make_spec(), method=name, backend="numpy") for name in ("last_value", "arima")]
    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(lambda spec: provenance.code_of(spec, {}), specs))) == 2


def test_code_is_written_alike_by_every_version_of_python() -> None:
    """Newer versions add fields: 3.12 type_params, for one; 3.13 leaves empty ones out of its own dump."""
    assert provenance.meaning(ast.parse("def double(x):\n    return 2 * x")) == (
        "Module(body=[FunctionDef(name='double', args=arguments(args=[arg(arg='x')]), body=[Return(value=BinOp("
        "left=Constant(value=2), op=Mult(), right=Name(id='x', ctx=Load())))])])"
    )


OTHERS = {"keras": ("jax", "torch"), "torch": ("keras", "tensorflow", "jax")}


@pytest.mark.parametrize(("backend", "others"), OTHERS.items())
def test_frameworks_that_a_backend_does_not_run_on_do_not_count(
    backend: str, others: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shared files import every framework, and `make run` installs one."""
    spec = msgspec.structs.replace(make_spec(), method="mlp", backend=backend)
    imported = {name for path in provenance.closure(spec, {}) for name in provenance.content_of(path)[1]}
    assert imported & set(others), "else nothing is left out"

    def digest_with(**versions: str) -> str:
        monkeypatch.setattr(provenance, "KNOWN", {})
        monkeypatch.setattr(provenance, "installed", lambda name: versions.get(name, "1.0"))
        return provenance.code_of(spec, {})

    assert digest_with(**dict.fromkeys(others, "")) == digest_with(**dict.fromkeys(others, "2.0")) == digest_with()
    assert digest_with(**{backend: "2.0"}) != digest_with() != digest_with(numpy="2.0")


SOME = {"lstm.py", "recurrent.py", "gates.py"}


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("from implementations.layers.keras import LSTM", {"lstm.py", "recurrent.py"}),
        ("from implementations.layers.keras.gates import MinGRU", {"gates.py"}),
        ("from implementations.layers.keras import *", SOME),
        ("from implementations.layers import keras", SOME),
        ("import implementations.layers.keras as layers", SOME),
        ("from implementations.layers.torch import LSTM", set()),
    ],
)
def test_of_the_layers_those_count_that_a_method_names(written: str, named: set[str], tmp_path: Path) -> None:
    """A change of another one leaves its records those of today's code."""
    file = tmp_path / "mine.py"
    file.write_text(f"{written}\n")
    spec = make_spec(method="mine", source=Source(reference="mine.py:Mine", version=""))
    found = provenance.closure(spec, {"mine": str(file)})
    assert {path.name for path in found if path.parent.name == "keras"} & SOME == named


def test_a_plan_looks_once_whether_the_files_of_a_method_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[str, str]] = []

    def code_of(spec: Any, _files: Any) -> str:
        looked.append((spec.method, spec.backend))
        return f"{spec.method}-{spec.backend}"

    monkeypatch.setattr(provenance, "code_of", code_of)
    code = provenance.codes_of({})
    kinds = [(method, backend) for method in ("gru", "lstm") for backend in ("torch", "keras")]
    specs = [make_spec(method=method, backend=backend, seed=seed) for method, backend in kinds for seed in (1, 2)]
    assert [code(spec) for spec in specs] == [f"{spec.method}-{spec.backend}" for spec in specs]
    assert looked == kinds

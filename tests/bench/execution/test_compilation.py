"""The cache of compiled programs: shared by runs, off for foreign methods, never able to change a result."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from conftest import make_spec

from bench.campaigns.selection import data_digest
from bench.execution import compilation, reuse
from bench.execution.limits import Limits
from bench.execution.pool import WorkerPool
from bench.machine import threads
from bench.schema.record import Run, Source, Spec
from bench.tasks import TASKS
from implementations import default_settings


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(compilation.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(("backend", "folder"), [("keras", "tensorflow"), ("keras-jax", "jax")])
def test_used_workers_and_kept_programs_change_no_bit_and_damaged_ones_fail_no_run(
    root: Path, monkeypatch: pytest.MonkeyPatch, backend: str, folder: str
) -> None:
    """One worker runs seeds 42, 43 and 42. Then what it left is damaged, as by a worker killed as it wrote."""
    task = TASKS["one-step"].quick()
    settings = {**default_settings("linear"), "epochs": 1}
    named = {"task": task.name, "method": "linear", "backend": backend, "quick": True, "settings": settings}
    spec = make_spec(**named, seed=42, data_sha256=data_digest(task))
    monkeypatch.setattr(reuse, "TIMED", 1)
    first, other, again = run_all([spec, msgspec.structs.replace(spec, seed=43), spec], reuse=True)
    assert first.digest == again.digest != other.digest and first.metrics == again.metrics
    told = [(run.environment["compilation_cache"], run.environment.get(reuse.BEFORE)) for run in (first, other, again)]
    later = {"keras": "cold", "keras-jax": "warm"}[backend]  # TensorFlow numbers the programs of a process
    assert told == [("cold", None), (later, 1), (later, 2)]
    programs = [path for path in root.rglob(f"{folder}/*") if path.is_file()]
    for path in programs:
        path.write_bytes(path.read_bytes()[:7])
    (alone,) = run_all([spec], reuse=False)
    assert programs and alone.status == "ok" and alone.digest == first.digest
    said = {"keras": None, "keras-jax": "damaged"}[backend]  # TensorFlow fails, and the run is made without the cache
    assert alone.environment.get("compilation_cache") == said
    assert not any(path.exists() for path in programs) and not compilation.seen(spec)


def run_all(specs: list[Spec], reuse: bool) -> list[Run]:
    pool = WorkerPool(Limits(1, 120, reuse=reuse), held=threads.cores()[:1])
    try:
        return [pool.run(spec) for spec in specs]
    finally:
        pool.stop()
        pool.close()


def test_another_seed_is_the_same_program_and_another_setting_is_not(root: Path) -> None:
    spec = make_spec(backend="keras", seed=42)
    compilation.note(spec)
    assert compilation.seen(msgspec.structs.replace(spec, seed=43)) == {0}
    assert not compilation.seen(msgspec.structs.replace(spec, settings={"units": 7}))


def test_methods_from_outside_and_an_empty_variable_have_no_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(backend="keras")
    assert compilation.variables(spec)
    foreign = msgspec.structs.replace(spec, source=Source(reference="mine.py:Mine", version="0" * 64))
    assert compilation.variables(foreign) == {} and compilation.seen(foreign) is None
    assert compilation.variables(make_spec(backend="torch")) == {}
    monkeypatch.setenv(compilation.VARIABLE, "")
    assert compilation.variables(spec) == {} and compilation.seen(spec) is None


def test_a_folder_that_cannot_be_made_is_no_cache(root: Path) -> None:
    root.write_text("a file where the folder should be")
    assert compilation.variables(make_spec(backend="keras")) == {}


def test_a_cache_past_its_limit_is_emptied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(backend="keras")
    compilation.note(spec)
    compilation.trim()
    assert compilation.seen(spec)
    monkeypatch.setattr(compilation, "LARGEST", 10)
    (root / "compiled" / "more").write_bytes(bytes(20))
    compilation.trim()
    assert not compilation.seen(spec)

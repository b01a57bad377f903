"""The cache of compiled programs: shared by runs, off for foreign methods, never able to change a result."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from conftest import Bench, make_spec

from bench.campaigns.selection import data_digest
from bench.execution import compilation
from bench.execution.limits import Limits
from bench.execution.pool import WorkerPool
from bench.machine import threads
from bench.records import repository
from bench.schema.record import Source
from bench.tasks import TASKS
from implementations import default_settings


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(compilation.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_run_is_warm_and_equal_bit_for_bit(bench: Bench, root: Path, tmp_path: Path) -> None:
    command = ["run", "--quick", "--task", "one-step", "--method", "linear", "--backend", "keras-jax", "--force"]
    digests, warm = [], []
    for _ in range(2):
        assert bench(*command, "--results", "mine").returncode == 0
        (run,), _ = repository.read(tmp_path / "mine")
        digests.append(run.digest)
        warm.append(run.environment["compilation_cache"])
    assert warm == ["cold", "warm"]
    assert digests[0] == digests[1]
    assert any(path.is_file() for path in root.rglob("jax/*"))


def test_a_damaged_program_fails_no_run(root: Path) -> None:
    """A worker that is killed as it writes, a full disk: TensorFlow fails where it reads what they leave."""
    task = TASKS["one-step"].quick()
    settings = {**default_settings("linear"), "epochs": 1}
    named = {"task": task.name, "method": "linear", "backend": "keras", "quick": True, "settings": settings}
    spec = make_spec(**named, data_sha256=data_digest(task))
    pool = WorkerPool(Limits(1, 120), held=threads.cores()[:1])
    try:
        whole = pool.run(spec)
        programs = [path for path in root.rglob("tensorflow/*") if path.is_file()]
        for path in programs:
            path.write_bytes(path.read_bytes()[:7])
        again = pool.run(spec)
    finally:
        pool.stop()
        pool.close()
    assert programs and (whole.status, again.status) == ("ok", "ok") and whole.digest == again.digest
    assert not any(path.exists() for path in programs) and not compilation.is_warm(spec)


def test_another_seed_is_the_same_program_and_another_setting_is_not(root: Path) -> None:
    spec = make_spec(backend="keras", seed=42)
    compilation.note(spec)
    assert compilation.is_warm(msgspec.structs.replace(spec, seed=43))
    assert not compilation.is_warm(msgspec.structs.replace(spec, settings={"units": 7}))


def test_methods_from_outside_and_an_empty_variable_have_no_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(backend="keras")
    assert compilation.variables(spec)
    foreign = msgspec.structs.replace(spec, source=Source(reference="mine.py:Mine", version="0" * 64))
    assert compilation.variables(foreign) == {} and compilation.is_warm(foreign) is None
    assert compilation.variables(make_spec(backend="torch")) == {}
    monkeypatch.setenv(compilation.VARIABLE, "")
    assert compilation.variables(spec) == {} and compilation.is_warm(spec) is None


def test_a_folder_that_cannot_be_made_is_no_cache(root: Path) -> None:
    root.write_text("a file where the folder should be")
    assert compilation.variables(make_spec(backend="keras")) == {}


def test_a_cache_past_its_limit_is_emptied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(backend="keras")
    compilation.note(spec)
    compilation.trim()
    assert compilation.is_warm(spec)
    monkeypatch.setattr(compilation, "LARGEST", 10)
    (root / "compiled" / "more").write_bytes(bytes(20))
    compilation.trim()
    assert not compilation.is_warm(spec)

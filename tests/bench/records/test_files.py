"""What file systems and other people do to records: each fault is a real one, or what a system call answers there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Bench, make_run, make_spec, stored

from bench.errors import UsageError
from bench.records import codec, files, repository, stores
from bench.records.bounds import EPOCH, EXAMPLES, POINTS, first
from bench.records.locks import FolderLocks
from bench.schema.record import Truth

TEMPORARY = ".0123456789abcdef.tmp"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be")


@pytest.fixture(autouse=True)
def forget_warnings() -> Iterator[None]:
    files.warn.cache_clear()
    yield
    files.warn.cache_clear()


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be a user without rights for a while."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_sync_is_said_and_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    for seed in (1, 2):
        repository.write(tmp_path, make_run(make_spec(seed=seed)))
    assert len(stored(tmp_path)) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"the file system cannot sync ({os.strerror(number)}): a record may be lost when the machine stops"
    ]


def test_a_disk_that_fails_to_sync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match="Input/output error"):
        repository.write(tmp_path, make_run())


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """flock answers what it does on a file system that has none."""
    import fcntl

    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_without_locks_jobs_are_claimed_and_that_is_said(
    tmp_path: Path, no_locks: None, caplog: pytest.LogCaptureFixture
) -> None:
    with FolderLocks(tmp_path, {}) as ours, FolderLocks(tmp_path, {}) as theirs:
        assert ours.take("key") and theirs.take("key"), "better twice than not at all"
        repository.write(tmp_path, make_run())
    assert stored(tmp_path) == [make_run()]
    assert "campaigns at the same time may run a job twice" in caplog.records[0].getMessage()


def test_without_locks_what_another_writes_is_left_alone_for_an_hour(tmp_path: Path, no_locks: None) -> None:
    path = tmp_path / TEMPORARY
    path.touch()
    with FolderLocks(tmp_path, {}):
        assert path.exists()
    os.utime(path, (time.time() - 3700,) * 2)
    with FolderLocks(tmp_path, {}):
        assert not path.exists()


@as_root
def test_temporary_files_of_other_people_are_left_alone_for_an_hour(tmp_path: Path) -> None:
    ours, theirs = tmp_path / TEMPORARY, tmp_path / TEMPORARY.replace("0", "f")
    for path in (ours, theirs):
        path.touch()
    os.chown(theirs, 65534, 65534)
    files.sweep(tmp_path, files.TEMPORARY)
    assert theirs.exists() and not ours.exists()
    os.utime(theirs, (time.time() - 3700,) * 2)
    files.sweep(tmp_path, files.TEMPORARY)
    assert not theirs.exists()


def test_a_file_swept_away_while_it_is_written_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's campaign on a shared folder whose locks do not reach this one."""
    swept = []
    write_all = files.write_all

    def write(handle: int, content: bytes) -> None:
        write_all(handle, content)
        if not swept:
            swept.extend(tmp_path.rglob(".*.tmp"))
            swept[0].unlink()

    monkeypatch.setattr(files, "write_all", write)
    repository.write(tmp_path, make_run())
    assert swept and stored(tmp_path) == [make_run()]


@as_root
def test_a_folder_that_may_not_be_read_is_named_and_passed_by() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        repository.write(folder, make_run())
        (folder / "closed").mkdir(mode=0o700)
        with somebody_else():
            runs, problems = repository.read(folder)
        assert runs == [make_run()] and problems == ["closed: Permission denied"]
        folder.chmod(0o700)
        with somebody_else(), pytest.raises(UsageError, match="cannot be read: Permission denied"):
            repository.read(folder)


def test_what_is_no_plain_file_is_named_and_passed_by(tmp_path: Path, inside: Bench) -> None:
    results = tmp_path / "results"
    repository.write(results, make_run())
    os.mkfifo(results / "ten-step" / "pipe.json")
    (results / "folder.json").mkdir()
    (results / "loop.json").symlink_to("loop.json")
    (results / os.fsdecode(b"caf\xe9\x1b[31m.json")).write_text("{}")
    runs, problems = repository.read(results)
    assert runs == [make_run()] and len(problems) == 4
    assert all(problem.isprintable() and problem.encode() for problem in problems), problems
    for command in (("results", "check"), ("list", "runs"), ("pages",), ("report",), ("compare", "gru", "gru")):
        ended = inside(*command)
        assert ended.returncode in (0, 1) and "\x1b" not in ended.stdout + ended.stderr, command
        assert "Traceback" not in ended.stderr


def test_a_deep_tree_is_named_and_passed_by(tmp_path: Path) -> None:
    repository.write(tmp_path, make_run())
    code = "import os\nfor _ in range(1200): os.mkdir('deep'); os.chdir('deep')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    runs, (problem,) = repository.read(tmp_path)
    assert runs == [make_run()] and problem.endswith("deep: not a plain file")
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)


def test_a_record_kept_aside_can_be_merged(tmp_path: Path, inside: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "full").touch()  # no folder can be made there
    with pytest.raises(UsageError, match="is kept as '.*': `bench merge .*` takes it"):
        repository.keep(tmp_path / "full", make_run())
    (kept,) = (tmp_path / "temporary").iterdir()
    merged = inside("merge", str(kept))
    assert merged.returncode == 0 and "1 new" in merged.stdout, merged.stderr
    assert stored(tmp_path / "results") == [make_run()]


def test_names_in_other_peoples_records_print_in_one_line(tmp_path: Path, inside: Bench) -> None:
    repository.write(tmp_path / "results", make_run())
    theirs = tmp_path / "theirs\x1b]0;title\x07"
    repository.write(theirs, make_run(digest={"forecasts": "b"}))
    (theirs / "ten-step" / "line\nbreak\x1b[2J.json").write_text("{")
    merged = inside("merge", str(theirs))
    assert merged.returncode == 0
    assert "\x1b" not in merged.stdout + merged.stderr and "line break.json" in merged.stderr
    assert "run twice" in merged.stdout


def test_a_long_run_has_a_record_that_can_be_read(tmp_path: Path) -> None:
    """100,000 epochs: the size is looked at in what is stored, and bounded by what it is made of."""
    curve = {name: [1 / (epoch + 3) for epoch in range(100_000)] for name in ("loss", "val_loss", "seconds")}
    run = make_run(curve=curve, samples={"epochs": curve["seconds"]}, examples=[[1 / 3] * 50_000] * 3)
    path = repository.write(tmp_path, run)
    (read,) = stored(tmp_path)
    assert Path(path).stat().st_size < stores.LARGEST
    assert read.curve and {len(values) for values in read.curve.values()} == {POINTS}
    epochs = [int(epoch) for epoch in read.curve[EPOCH]]
    assert epochs[0] == 100_000 // POINTS and epochs[-1] == 100_000
    assert read.curve["loss"] == pytest.approx([curve["loss"][epoch - 1] for epoch in epochs], rel=1e-5)


def test_records_of_long_horizons_and_long_training_are_below_20_kilobytes() -> None:
    """The longest of ours: 720 steps ahead of ETTh1, and 500 epochs; and as much of their examples as fits."""
    steps = [0.1 + 1 / (step + 3) for step in range(720)]
    far = Truth(history=[steps[:336]] * 3, future=[steps] * 3, imputed=0, description="")
    curve = {name: steps[:500] for name in ("loss", "val_loss", "val_last_step_mse", "seconds")}
    blocks = {"validation": steps[:100], "test": steps[:50]}
    ahead = make_run(mse_by_step=steps, by_block=steps[:4], examples=[steps] * 3, truth=far, blocks=blocks)
    trained = make_run(curve=curve, samples={"epochs": steps[:500], "predict": steps[:5]}, blocks=blocks)
    for run in (ahead, trained):
        content = codec.encode(run)
        assert len(content) < 20_000
        read = codec.decode(content, codec.path_of(run.spec))
        assert read.mse_by_step == pytest.approx(run.mse_by_step, rel=1e-5)
    read = codec.decode(codec.encode(ahead), codec.path_of(ahead.spec))
    assert [len(row) for row in read.examples] == [len(row) for row in read.truth.future] == [EXAMPLES]


@pytest.mark.parametrize(("steps", "rows"), [(1, 3), (40, 3), (60, 2), (96, 1), (336, 1)])
def test_an_example_is_kept_whole_as_long_as_it_fits(steps: int, rows: int) -> None:
    kept = first([[0.5] * steps] * 3)
    assert [len(row) for row in kept] == [min(steps, EXAMPLES)] * rows


def test_a_record_too_large_to_be_read_is_never_written(tmp_path: Path) -> None:
    run = make_run(mse_by_step=[1 / 3] * 500_000)
    with pytest.raises(ValueError, match="bytes, more than the 2097152 that are read: shorten --ahead"):
        repository.write(tmp_path, run)
    assert not list(tmp_path.iterdir())


def test_a_short_run_is_stored_as_it_is() -> None:
    run = make_run(curve={"loss": [1.0, 0.5]}, samples={"epochs": [1.0]})
    assert codec.decode(codec.encode(run), codec.path_of(run.spec)) == run

"""Several campaigns write at once. Rows 7 of the matrix in docs/reliability.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
from conftest import ROOT, make_run, make_spec, stored
from fault_injection import start

from bench.execution.jobs import Job
from bench.records import repository
from bench.records.locks import FolderLocks

WRITER = """
import sys
from pathlib import Path
from bench.records import codec, repository
from bench.schema.record import Run
import msgspec
run = msgspec.json.decode(sys.stdin.buffer.read(), type=Run)
for seed in range(20):
    spec = msgspec.structs.replace(run.spec, seed=seed)
    repository.write(Path(sys.argv[1]), msgspec.structs.replace(run, spec=spec, key=codec.key_of(spec)))
"""


def test_32_writers_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "results")]
    writers = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) for _ in range(32)]
    for number, writer in enumerate(writers):
        assert writer.stdin
        writer.stdin.write(msgspec.json.encode(make_run(timing_reason=str(number))))
        writer.stdin.close()
    assert [writer.wait(120) for writer in writers] == [0] * 32
    assert sorted(run.spec.seed for run in stored(tmp_path / "results")) == list(range(20))
    assert len(list((tmp_path / "results/ten-step").iterdir())) == 20, "no temporary file is left"


def test_two_campaigns_at_once(faulty: Path, tmp_path: Path) -> None:
    seeds = ("--seeds", ",".join(map(str, range(4))))
    both = [start(tmp_path, "last_value", options=seeds) for _ in range(2)]
    printed = "".join(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert printed.count("MSE 0.") == 4, printed
    assert sorted(run.spec.seed for run in stored(tmp_path / "results")) == list(range(4))
    assert not (tmp_path / "results/.running").exists()


def test_a_job_that_another_campaign_forces_too_is_run_once(tmp_path: Path) -> None:
    job = Job(make_spec())
    repository.write(tmp_path, make_run())
    known, _ = repository.look_up(tmp_path, [job.name])
    with FolderLocks(tmp_path, known) as ours, FolderLocks(tmp_path, known) as theirs:
        assert theirs.take(job.key) and not ours.take(job.key) and not ours.is_done(job.name)
        repository.write(tmp_path, make_run(started_at="2026-01-02T00:00:00+00:00"))
        theirs.release(job.key)
        assert ours.take(job.key) and ours.is_done(job.name)
    assert not (tmp_path / ".running").exists()

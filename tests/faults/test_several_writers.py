"""Several campaigns write at once. Rows 7 of the matrix in docs/reliability.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
from conftest import FAULTY, ROOT, make_run, make_spec, stored
from fault_injection import mounts, start

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


CORE = """
import os, time
import numpy as np

class Mine:
    def fit(self, history, future):
        begun = time.time()
        time.sleep(1.0)
        with open(NOTE, "a") as file:
            file.write(f"{min(os.sched_getaffinity(0))} {begun} {time.time()}\\n")
        return self
    def predict_ahead(self, history, steps):
        return np.repeat(history[:, -1:], steps, axis=1)
"""


def test_no_two_runs_share_a_core(tmp_path: Path) -> None:
    """Two campaigns of one run at a time, in two folders: each run has a core that no other has meanwhile."""
    note, campaigns = tmp_path / "cores", []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(CORE.replace("NOTE", repr(str(note))))
        campaigns.append(start(tmp_path / name, "./mine.py:Mine", options=("--seeds", "1,2,3")))
    assert [(process.communicate(timeout=120), process.returncode)[1] for process in campaigns] == [0, 0]
    runs = [tuple(map(float, line.split())) for line in note.read_text().splitlines()]
    assert len(runs) == 6
    for core, begun, ended in runs:
        others = [other for other in runs if other[0] == core and other[1] < ended and begun < other[2]]
        assert len(others) == 1, "another run was on the core at that time"


@mounts
def test_as_process_1_no_zombie_is_left(tmp_path: Path) -> None:
    """In a container the harness may be process 1, to which the kernel gives every orphan."""
    script = (
        "import os, subprocess, sys\n"
        "from bench.cli import app\n"
        "methods = ['--method', 'litters', '--method', 'escapes', '--method', 'last_value']\n"
        "handles = len(os.listdir('/proc/self/fd'))\n"
        "sys.argv = ['bench', 'run', '--quick', '--task', 'ten-step', *methods]\n"
        "status = app.main()\n"
        "states = [open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0] for pid in os.listdir('/proc') "
        "if pid.isdecimal() and pid != str(os.getpid())]\n"
        "assert os.getpid() == 1 and not states, states\n"
        "assert len(os.listdir('/proc/self/fd')) <= handles + 1, 'a pipe is left open'\n"
        "sys.exit(status)\n"
    )
    variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}{FAULTY}", "FAULTY_PIDS": str(tmp_path / "pids")}
    command = ["unshare", "-rmpf", "--mount-proc", sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True,
                           timeout=120)  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr

"""A worker goes wrong: killed, hung, out of memory, forecasts that cannot be. Rows 2 to 5 of docs/reliability.md."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FAULTY, ROOT, make_run, stored
from fault_injection import QUICK, alive, pids

from bench.machine import threads
from bench.records import repository

#: method of tests/faulty -> status, beginning of the reason
WORKERS = {
    # processes
    "killed": ("failed", "killed by SIGKILL"),
    "segfaults": ("failed", "killed by SIGSEGV"),
    "exits": ("failed", "exited 0 without a result"),
    "forges": ("failed", "its result is not a record: Object missing required field"),
    "raises": ("failed", "RuntimeError: cannot open weights.bin more lines"),
    "paints": ("failed", "RuntimeError: red | cell | <script>alert(1)</script> =cmd"),
    "breaks_on_import": ("failed", "ModuleNotFoundError: No module named 'no_such_framework'"),
    "floods": ("ok", None),  # prints 1 GB
    "litters": ("ok", None),  # a child that outlives it, a temporary file
    "escapes": ("ok", None),  # a daemon that has wiped its mark
    # memory
    "hoards": ("oom", r"killed at \d+ MiB: the limit is 400 MiB"),
    "hoards_in_child": ("oom", r"killed at \d+ MiB: the limit is 400 MiB"),
    "out_of_memory": ("oom", "MemoryError: Unable to allocate"),
    # forecasts
    "nan_loss": ("diverged", "loss is nan in epoch 2"),
    "overflows": ("diverged", "loss became inf in epoch 3 of 20"),
    "nan_forecast": ("diverged", "forecasts: 1 of 1000 values are not finite"),
    "infinite_forecast": ("diverged", "forecasts: 10 of 1000 values are not finite"),
    "huge_forecast": ("diverged", r"forecasts: got values up to 1e\+30, expected at most 7.48e\+05"),
    "constant_forecast": ("ok", "remark: the same forecast for all 100 series"),
    "nan_curve": ("failed", "its result is not a record: Expected `float`, got `null`"),
    "wrong_shape": ("failed", r"forecasts: got float32 \[100, 10\], expected float32 \[100, 10, 1\]"),
    "wrong_type": ("failed", r"forecasts: got float64 \[100, 10, 1\], expected float32 \[100, 10, 1\]"),
    "masked": ("failed", "forecasts: got MaskedArray, expected a NumPy array"),
    "mutates": ("failed", "the method changed its input"),
    "writes_input": ("failed", "ValueError: output array is read-only"),
}
HANGS = ("hangs", "hangs_silently", "hangs_printing", "hangs_in_c", "hangs_in_grandchild")
LIMIT = 3  # seconds


class Campaign:
    """A finished `bench run` of several methods."""

    def __init__(self, folder: Path, methods: list[str], *options: str) -> None:
        self.folder, self.pids = folder, folder / "pids"
        (folder / "tmp").mkdir()
        (folder / "home").mkdir()
        environment = {
            **os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{FAULTY}", "FAULTY_PIDS": str(self.pids),
            "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"),
        }  # fmt: skip
        named = [word for method in methods for word in ("--method", method)]
        self.earlier = repository.write(folder / "results", make_run())
        self.before = self.earlier.read_bytes()
        start = time.monotonic()
        self.ended = subprocess.run(
            [sys.executable, "-m", "bench", *QUICK, *named, *options],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        self.seconds = time.monotonic() - start
        self.runs = {run.spec.method: run for run in stored(folder / "results")}


@pytest.fixture(scope="module")
def gone_wrong(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("wrong"), [*WORKERS, "last_value"], "--memory", "400M")


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("hung"), list(HANGS), "--timeout", str(LIMIT))


@pytest.mark.xdist_group("gone_wrong")
@pytest.mark.parametrize("method", WORKERS)
def test_a_worker_goes_wrong(gone_wrong: Campaign, method: str) -> None:
    status, reason = WORKERS[method]
    run = gone_wrong.runs[method]
    assert (run.status, run.metrics is not None) == (status, status == "ok")
    assert reason is None or re.match(reason, run.reason or ""), run.reason
    assert status == "ok" or not run.timing_valid
    tries = re.findall(rf"^ *\d+/\d+ +ten-step  {method} +numpy", gone_wrong.ended.stdout, re.MULTILINE)
    assert len(tries) == 1, "no retry"


@pytest.mark.xdist_group("gone_wrong")
def test_the_other_runs_are_untouched_and_nothing_is_left_behind(gone_wrong: Campaign) -> None:
    assert gone_wrong.ended.returncode == 1 and "Traceback" not in gone_wrong.ended.stderr
    assert gone_wrong.runs["last_value"].status == "ok"
    assert gone_wrong.earlier.read_bytes() == gone_wrong.before
    assert not any(map(alive, pids(gone_wrong.pids)))
    assert not list((gone_wrong.folder / "tmp").iterdir()) and not (gone_wrong.folder / "results/.running").exists()


@pytest.mark.xdist_group("gone_wrong")
def test_what_went_wrong_is_not_ranked_and_names_no_path(gone_wrong: Campaign) -> None:
    board = (gone_wrong.folder / "leaderboard.md").read_text()
    ranked = re.findall(r"^\| +\d+(?: \(\d+–\d+\))? \| (\w+) ", board, re.MULTILINE)
    assert {"last_value", "floods"} <= set(ranked)
    assert not {method for method, (status, _) in WORKERS.items() if status != "ok"} & set(ranked)
    for path in (gone_wrong.folder / "results").glob("*/*.json"):
        json.loads(path.read_bytes(), parse_constant=pytest.fail)
        assert str(ROOT) not in path.read_text() and str(Path.home()) not in path.read_text()


@pytest.mark.xdist_group("hung")
@pytest.mark.parametrize("method", HANGS)
def test_a_worker_hangs(hung: Campaign, method: str) -> None:
    assert (hung.runs[method].status, hung.runs[method].reason) == ("timeout", f"killed after {LIMIT} s")


@pytest.mark.xdist_group("hung")
def test_hangs_end_within_the_limit_and_five_seconds_and_leave_no_process(hung: Campaign) -> None:
    rounds = -(-len(HANGS) // len(threads.cores()))
    assert hung.seconds < rounds * (LIMIT + 5) + 10, "10 s to start and to render"
    assert len(pids(hung.pids)) == 8 and not any(map(alive, pids(hung.pids)))


def remove(group: Path) -> None:
    """Remove a cgroup: the kernel takes its last process off it a little after that has ended."""
    for _ in range(100):
        try:
            return group.rmdir()
        except OSError:
            time.sleep(0.1)
    group.rmdir()


@pytest.mark.skipif(not os.access("/sys/fs/cgroup/memory", os.W_OK), reason="needs to make a memory cgroup (v1)")
def test_a_kill_by_the_kernel_for_memory_is_told_apart(bench: Callable, faulty: Path, tmp_path: Path) -> None:
    group = Path(f"/sys/fs/cgroup/memory/aheadbench-test-{os.getpid()}")
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(300 * 2**20))
        script = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        bench(*QUICK, "--method", "hoards", before=("sh", "-c", script, "sh"))
    finally:
        remove(group)
    (run,) = stored(tmp_path / "results")
    assert (run.status, run.reason) == ("oom", "killed by the kernel: out of memory")


def test_a_failed_run_takes_no_earlier_result_away(tmp_path: Path) -> None:
    lost = {"metrics": None, "seconds": None}
    assert repository.keep(tmp_path, make_run()) is None
    for status in ("failed", "timeout", "oom", "lost"):
        assert repository.keep(tmp_path, make_run(status=status, **lost)) == "the earlier result is kept"
    assert stored(tmp_path) == [make_run()]
    assert repository.keep(tmp_path, make_run(status="diverged", **lost)) is None, "the same job would diverge again"

"""Seeds at the edge, and odd surroundings. Rows 12 of the matrix in docs/reliability.md."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Bench, stored
from fault_injection import CAN_MOUNT, QUICK, call, mounted

import implementations
from bench.data import tables
from bench.machine import threads


@pytest.mark.parametrize("seeds", ["-1", "4294967296", "1,1", "", "1,", "0x1", "1e3", "١", "None"])
def test_a_seed_that_is_none(monkeypatch: Any, capsys: Any, tmp_path: Path, seeds: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--seeds" in call(monkeypatch, capsys, "run", f"--seeds={seeds}", status=2)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(7), np.uint32(7)])
def test_a_seed_at_the_edge(tmp_path: Path, seed: Any) -> None:
    made = implementations.make("last_value", "numpy", seed)
    made.save(tmp_path)
    assert implementations.load(tmp_path).seed == seed and type(made.seed) is int


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, np.float64(1), True])
def test_a_seed_that_no_method_takes(seed: Any) -> None:
    with pytest.raises(ValueError, match="seed: got .*, needed a whole number in 0..4294967295"):
        implementations.make("last_value", "numpy", seed)


HOSTILE_MOUNTS = f"""
mkdir empty && mount -t tmpfs -o ro none empty
export HOME=$PWD/empty
mount -t tmpfs -o ro,size=4k none /dev/shm
mount --bind {ROOT} {ROOT} && mount -o remount,ro,bind {ROOT}
! touch {ROOT}/x 2>/dev/null && ! touch /dev/shm/x 2>/dev/null || exit 9
"""
SURROUNDINGS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "bad thread counts": ({"OMP_NUM_THREADS": "many", "MKL_NUM_THREADS": "-3", "OPENBLAS_NUM_THREADS": "0"}, ()),
    "one core, a locale without UTF-8": (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        ("taskset", "-c", str(min(threads.cores()))),
    ),
    "no terminal, no streams": ({"TERM": ""}, ("setsid", "-w", "sh", "-c", '"$@" <&- >&- 2>&-', "sh")),
    "no home, no /dev/shm, code that is read-only": ({}, mounted(HOSTILE_MOUNTS)),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_surroundings(bench: Callable, tmp_path: Path, monkeypatch: Any, name: str) -> None:
    variables, before = SURROUNDINGS[name]
    if "unshare" in before and not CAN_MOUNT:
        pytest.skip("needs to mount a file system in a namespace of its own")
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    ended = bench(*QUICK, "--method", "last_value", before=before)
    assert ended.returncode == 0, ended.stderr
    (run,) = stored(tmp_path / "results")
    assert run.status == "ok" and run.environment["threads"] == 1


@pytest.mark.skipif(not os.access("/sys/fs/cgroup/cpu", os.W_OK), reason="needs to make a CPU cgroup (v1)")
def test_a_cgroup_with_less_than_two_cores(bench: Callable) -> None:
    group = Path(f"/sys/fs/cgroup/cpu/aheadbench-test-{os.getpid()}")
    group.mkdir()
    try:
        (group / "cpu.cfs_quota_us").write_text("150000")
        script = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        shown = bench(*QUICK, "--method", "last_value", "--dry-run", before=("sh", "-c", script, "sh"))
    finally:
        group.rmdir()
    assert "minutes, 1 at once: no record tells" in shown.stdout


def test_output_that_goes_nowhere(faulty: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "bench", *QUICK, "--method", "last_value"]
        ended = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, "bench: No space left on device: standard output\n")


def test_a_table_that_comes_through_a_pipe_is_read_as_often_as_it_is_needed(inside: Bench) -> None:
    rows = "".join(f"2024-{month:02},{100 + month}\n" for month in range(1, 13))
    from_here, there = os.pipe()
    os.write(there, f"month,sold\n{rows}".encode())
    os.close(there)
    ended = inside("data", f"/dev/fd/{from_here}")  # read for its columns, then for what is missing
    os.close(from_here)
    assert ended.returncode == 2 and "month" in ended.stdout
    assert "--target: name the column to forecast" in ended.stderr


@pytest.mark.parametrize(("file", "message"), [("pipe", "a pipe that nobody writes to"), ("/dev/zero", "a device")])
def test_series_that_never_end_or_never_come(
    inside: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, message: str
) -> None:
    monkeypatch.setattr(tables, "PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    ended = inside("data", file)
    assert ended.returncode == 2 and f"'{file}' cannot be read: {message}" in ended.stderr

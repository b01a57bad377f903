"""Disks that are full, read-only or gone. Rows 8 of the matrix in docs/reliability.md."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from conftest import stored
from fault_injection import QUICK, mounted, mounts, pids, start, wait_for

from bench.records import codec


def remove_kept(record: Path) -> None:
    """Remove the temporary folder that a record was kept in."""
    shutil.rmtree(next(parent for parent in record.parents if parent.name.startswith("aheadbench-kept-")))


@mounts
def test_the_disk_is_full(bench: Callable, tmp_path: Path) -> None:
    full = mounted("mkdir results && mount -t tmpfs -o size=24k none results")
    ended = bench(*QUICK, "--method", "last_value", "--seeds", "1,2,3,4,5,6,7,8", before=full)
    assert ended.returncode == 2
    told = re.fullmatch(
        r"bench: 'results/ten-step/(.*)' cannot be written: No space left on device; "
        r"the record that it should take is kept as '(.*)': `bench merge .*` takes it\n",
        ended.stderr,
    )
    assert told, ended.stderr
    kept = Path(told[2])
    assert codec.decode(kept.read_bytes(), Path("ten-step", told[1])).status == "ok"
    remove_kept(kept)
    assert 1 <= len(stored(tmp_path / "copy")) < 8 and not list((tmp_path / "copy").rglob("*.tmp"))


@mounts
def test_all_disks_are_full(bench: Callable, tmp_path: Path) -> None:
    temporary = "mkdir results/figures; export TMPDIR=$PWD/results/figures"
    full = mounted(f"mkdir results && mount -t tmpfs -o size=40k none results; {temporary}")
    ended = bench(*QUICK, "--method", "last_value", "--seeds", ",".join(map(str, range(20))), before=full)
    assert ended.returncode == 2 and "No space left on device; the record" in ended.stderr
    assert ended.stderr.endswith("is printed on standard output\n") and "Traceback" not in ended.stderr
    printed = ended.stdout[ended.stdout.index("\n{\n") + 1 :].encode()
    key = json.loads(printed)["key"]
    seed = json.loads(printed)["spec"]["seed"]
    assert codec.decode(printed, f"ten-step/last_value--numpy--seed{seed}--{key}.json")
    assert 1 <= len(stored(tmp_path / "copy")) < 20


@mounts
def test_a_read_only_folder(bench: Callable) -> None:
    ended = bench(
        *QUICK, "--method", "last_value", before=mounted("mkdir results && mount -t tmpfs -o ro none results")
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr == "bench: results folder 'results' cannot be written: Read-only file system\n"


@mounts
def test_a_folder_that_turns_read_only_in_mid_run(bench: Callable, tmp_path: Path) -> None:
    later = "until ls results/ten-step/*.json; do sleep 0.05; done"
    turn = "mount --bind results side && mount -o remount,ro,bind side && mount --move side results"
    before = mounted(f"mkdir results side; ({later}; {turn}) >/dev/null 2>&1 & true")
    ended = bench(*QUICK, "--method", "last_value", "--seeds", ",".join(map(str, range(12))), before=before)
    told = re.fullmatch(
        r"bench: 'results/ten-step/.*' cannot be written: Read-only file system; "
        r"the record that it should take is kept as '(.*)': `bench merge .*` takes it\n",
        ended.stderr,
    )
    assert ended.returncode == 2 and told, ended.stderr
    remove_kept(Path(told[1]))
    assert 1 <= len(stored(tmp_path / "copy")) < 12
    # one file at most was being written when the folder turned, and cannot be removed any more
    assert len(list((tmp_path / "copy").rglob("*.tmp"))) <= 1


def test_a_folder_that_vanishes(faulty: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "last_value", "works")
    wait_for(lambda: pids(faulty))
    shutil.rmtree(tmp_path / "results")
    _, errors = process.communicate(timeout=60)
    told = re.fullmatch(
        r"bench: results folder 'results' is gone; the record .* is kept as '(.*)': `bench merge .*` takes it\n", errors
    )
    assert process.returncode == 2 and told, errors
    assert codec.decode(Path(told[1]).read_bytes(), f"ten-step/{Path(told[1]).name}").spec.method == "works"
    remove_kept(Path(told[1]))
    assert not (tmp_path / "results").exists()

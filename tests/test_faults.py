"""The matrix of faults: a row per fault, each made for real. docs/reliability.md says what happens in each.

Methods that go wrong are in tests/faulty; longer versions of the kill test and of the soak are in tests/soak.py; what
is fed with random bytes is in tests/test_fuzz.py.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
import soak
from conftest import FAULTY, ROOT, make_run, make_spec, older, stored

import implementations
from bench.cli import app
from bench.execution.jobs import Job
from bench.machine import threads
from bench.records import codec, repository
from bench.records.locks import FolderLocks
from bench.reporting import leaderboard
from bench.text import clean

QUICK = ("run", "--quick", "--task", "ten-step")

# --- 2 to 5: a worker goes wrong -------------------------------------------------------------------------------------

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
    "constant_forecast": ("diverged", "forecasts: got the same for all 100 series, expected them to follow from"),
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
    assert len(re.findall(rf"ten-step  {method} +numpy", gone_wrong.ended.stdout)) == 1, "no retry"


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
    ranked = re.findall(r"^\| +\d+ \| (\w+) ", board, re.MULTILINE)
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


@pytest.mark.skipif(not os.access("/sys/fs/cgroup/memory", os.W_OK), reason="needs to make a memory cgroup (v1)")
def test_a_kill_by_the_kernel_for_memory_is_told_apart(bench: Callable, faulty: Path, tmp_path: Path) -> None:
    group = Path(f"/sys/fs/cgroup/memory/aheadbench-test-{os.getpid()}")
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(300 * 2**20))
        script = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        bench(*QUICK, "--method", "hoards", before=("sh", "-c", script, "sh"))
    finally:
        group.rmdir()
    (run,) = stored(tmp_path / "results")
    assert (run.status, run.reason) == ("oom", "killed by the kernel: out of memory")


def test_a_failed_run_takes_no_earlier_result_away(tmp_path: Path) -> None:
    lost = {"metrics": None, "seconds": None}
    assert repository.keep(tmp_path, make_run()) is None
    for status in ("failed", "timeout", "oom", "lost"):
        assert repository.keep(tmp_path, make_run(status=status, **lost)) == "the earlier result is kept"
    assert stored(tmp_path) == [make_run()]
    assert repository.keep(tmp_path, make_run(status="diverged", **lost)) is None, "the same job would diverge again"


# --- 1: the harness goes ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """A child started within hears the signal, even where these tests run under nohup, which has it ignored."""
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_campaign(faulty: Path, tmp_path: Path, number: signal.Signals, status: int) -> None:
    with heard(number):
        process = start(tmp_path, "last_value", "hangs")
    wait_for(lambda: len(pids(faulty)) == 2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == status
    assert errors == f"stopped by {number.name}: 1 of 2 runs are kept; the same command goes on from here\n"
    assert not any(map(alive, pids(faulty)))
    assert [run.spec.method for run in stored(tmp_path / "results")] == ["last_value"]


@pytest.mark.parametrize("method", ["hangs", "hangs_in_c", "hangs_in_grandchild"])
def test_a_killed_harness_leaves_no_process_and_no_file(faulty: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "tmp").mkdir()
    process = start(tmp_path, "last_value", method, TMPDIR=str(tmp_path / "tmp"))
    wait_for(lambda: len(pids(faulty)) == {"hangs": 2, "hangs_in_c": 1}.get(method, 3))
    process.kill()
    process.communicate(timeout=10)
    wait_for(lambda: not any(map(alive, pids(faulty))) and not list((tmp_path / "tmp").iterdir()), 5)
    assert [run.spec.method for run in stored(tmp_path / "results")] == ["last_value"]


def test_killed_again_and_again_nothing_is_lost(tmp_path: Path) -> None:
    figures = soak.kills(tmp_path / "kills", count=2, runs=4)
    assert figures["as expected"] and figures["records"] == 4, figures


def test_a_soak(tmp_path: Path) -> None:
    figures = soak.soak(tmp_path / "soak", range(546, 553))
    assert figures["as expected"] and figures["faults"] >= 3, figures


# --- 6: a record is damaged ------------------------------------------------------------------------------------------

Damage = Callable[[bytes], bytes]


def edited(**changes: Any) -> Damage:
    """A person with an editor changes fields and leaves the checksum as it was."""

    def edit(content: bytes) -> bytes:
        for name, value in changes.items():
            content, count = re.subn(rb'("%b": )[^\n]+?(,?\n)' % name.encode(), rb"\g<1>%b\g<2>" % value, content)
            assert count
        return content

    return edit


def forged(**changes: Any) -> Damage:
    """A program changes fields and writes a new checksum."""

    def forge(content: bytes) -> bytes:
        fields = {**json.loads(content), **changes}
        del fields["checksum"]
        return codec.seal(json.dumps(fields, indent=1).encode())

    return forge


def of_schema_1(content: bytes, **changes: Any) -> bytes:
    """The record as version 0.1.0 wrote it: no version and no checksum."""
    fields = older(json.loads(content)) | {"schema": 1} | changes
    del fields["checksum"], fields["version"]
    return json.dumps(fields, indent=1).encode() + b"\n"


def newer(**changes: Any) -> Damage:
    """The record as a later program may write it."""
    return lambda content: json.dumps({**json.loads(content), "schema": 4, "more": 1, **changes}).encode()


def renamed(method: str) -> Damage:
    """A program makes a record for a method of that name, with the key that belongs to it."""
    spec = make_spec(method=method)
    return forged(spec=msgspec.to_builtins(spec), key=codec.key_of(spec))


OTHER_SPEC = {**msgspec.to_builtins(make_spec()), "seed": 7}
DAMAGES: dict[str, tuple[Damage, str]] = {
    "empty": (lambda content: b"", "truncated"),
    "binary": (lambda content: b"\x00\xff" * 99, "malformed"),
    "a pickle": (lambda content: pickle.dumps({"schema": 2}), "malformed"),
    "a list": (lambda content: b"[]", "Expected `object`"),
    "another object": (lambda content: b'{"schema": 1}\n', "missing required field"),
    "cut short": (lambda content: content[:-1], "not as this program writes it|no checksum at its end"),
    "twice in one file": (lambda content: content + content, "checksum does not match"),
    "one bit": (lambda content: content.replace(b"0.1", b"0.3", 1), "checksum does not match"),
    "a better error": (edited(last_step_mse=b"0.000001"), "checksum does not match"),
    "reformatted": (lambda content: json.dumps(json.loads(content)).encode(), "not as this program writes it"),
    "its checksum gone": (lambda content: re.sub(rb',\n "checksum.*\n', b"\n", content), "no checksum at its end"),
    "a duplicate field": (lambda content: content.replace(b'"test_mse"', b'"val_mse": 1,\n  "test_mse"'), "checksum"),
    "a duplicate field, schema 1": (
        lambda content: of_schema_1(content).replace(b'"test_mse"', b'"val_mse": 0.1, "test_mse"'),
        "duplicate field 'val_mse'",
    ),
    "an unknown field": (forged(more=1), "unknown field `more`"),
    "a newer schema": (newer(version="0.9.1"), "schema 4, this version reads up to 3: install aheadbench 0.9.1"),
    "a newer schema, unsigned": (newer(version=None), "schema 4.*: install aheadbench a newer version"),
    "an unknown status": (forged(status="fine"), "status"),
    "ok without metrics": (forged(metrics=None), "status ok without metrics"),
    "failed with metrics": (forged(status="failed"), "status failed with metrics"),
    "a curve, without checksum": (lambda content: of_schema_1(content, curve=5), r"\$\.curve"),
    "another key": (forged(key="0" * 16), "does not belong to its spec"),
    "another spec": (forged(spec=OTHER_SPEC), "does not belong to its spec"),
    "a negative error": (forged(metrics={**msgspec.to_builtins(make_run().metrics), "val_mse": -1}), ">= 0.0"),
    "infinity": (lambda content: content.replace(b"0.1", b"1e999", 1), "checksum"),
    "NaN": (lambda content: of_schema_1(content).replace(b"0.1", b"NaN", 1), "malformed"),
    "a name with a path": (renamed("../../x"), "cannot be part of a file name"),
    "a name of 300 letters": (renamed("x" * 300), "cannot be part of a file name"),
    "nested too deeply": (lambda content: b'{"schema": 2, "more": ' + b"[" * 10**5, "nested too deeply"),
    "too large": (lambda content: b" " * 2**21, "2097152 bytes: at most 1048576 are read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_record(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    damage, message = DAMAGES[name]
    good = repository.write(tmp_path, make_run(make_spec(seed=1)))
    bad = repository.write(tmp_path, make_run())
    content = damage(bad.read_bytes())
    bad.write_bytes(content)
    runs, (problem,) = repository.read(tmp_path)
    assert [run.spec.seed for run in runs] == [1]
    assert problem.startswith(f"ten-step/{bad.name}: ") and re.search(message, problem) and "\n" not in problem
    entries, problems = repository.look_up(tmp_path, [f"ten-step/{bad.name}", f"ten-step/{good.name}"])
    assert list(entries) == [f"ten-step/{good.name}"] and problems == [problem]
    assert problem in call(monkeypatch, capsys, "results", "check", "--results", str(tmp_path), status=1)
    assert bad.read_bytes() == content and good.exists()


def test_a_record_cut_at_any_byte(tmp_path: Path) -> None:
    path = repository.write(tmp_path, make_run())
    for content in (path.read_bytes(), of_schema_1(path.read_bytes())):
        for end in range(len(content)):
            path.write_bytes(content[:end])
            assert repository.read(tmp_path)[0] == [], end


def test_a_record_with_any_byte_changed(tmp_path: Path) -> None:
    content = codec.encode(make_run())
    for place in range(len(content)):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(ValueError):
            codec.decode(changed, codec.path_of(make_spec()))


@pytest.mark.parametrize("name", ["ten-step/gru.json", "gru.json", "ten-step/old/gru.json", "one-step/{name}"])
def test_a_renamed_record(tmp_path: Path, name: str) -> None:
    path = repository.write(tmp_path, make_run())
    moved = tmp_path / name.format(name=path.name)
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.rename(moved)
    assert re.search("its spec belongs in ten-step/gru--keras--seed42", repository.read(tmp_path)[1][0])
    assert moved.exists()


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    path = repository.write(tmp_path, make_run()).with_name("x.json")
    {"pipe": os.mkfifo, "folder": Path.mkdir, "loop": lambda path: path.symlink_to(path)}[kind](path)
    runs, (problem,) = repository.read(tmp_path)
    assert len(runs) == 1 and re.match("ten-step/x.json: (not a plain file|Too many levels)", problem)


def test_an_older_schema_is_read_and_left_as_it_is(tmp_path: Path, bench: Callable) -> None:
    run = make_run()
    path = repository.write(tmp_path / "results", run)
    path.write_bytes(of_schema_1(path.read_bytes()))
    before = path.read_bytes()
    assert stored(tmp_path / "results") == [msgspec.structs.replace(run, version="0.1.0")]
    checked = bench("results", "check")
    assert (checked.returncode, checked.stdout) == (0, "1 records, 0 invalid files\n")
    assert path.read_bytes() == before


def test_a_damaged_record_is_not_overwritten(tmp_path: Path) -> None:
    path = repository.write(tmp_path, make_run())
    path.write_bytes(b"something else")
    repository.write(tmp_path, make_run())
    assert [other.read_bytes() for other in tmp_path.glob("*/*.left-out")] == [b"something else"]
    assert stored(tmp_path) == [make_run()]


# --- 7: several write at once ----------------------------------------------------------------------------------------

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


# --- 8: the disk -----------------------------------------------------------------------------------------------------

MOUNT = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
CAN_MOUNT = bool(shutil.which("unshare")) and subprocess.run(MOUNT, capture_output=True).returncode == 0
mounts = pytest.mark.skipif(not CAN_MOUNT, reason="needs to mount a file system in a namespace of its own")


def mounted(script: str) -> tuple[str, ...]:
    """Run a command where only it sees what the script mounts; results are copied to `copy` afterwards."""
    after = "status=$?; cp -a results copy 2>/dev/null; exit $status"
    return ("unshare", "-rm", "sh", "-c", f'{script.strip()}; "$@"; {after}', "sh")


@mounts
def test_the_disk_is_full(bench: Callable, tmp_path: Path) -> None:
    full = mounted("mkdir results && mount -t tmpfs -o size=24k none results")
    ended = bench(*QUICK, "--method", "last_value", "--seeds", "1,2,3,4,5,6,7,8", before=full)
    assert ended.returncode == 2
    told = re.fullmatch(
        r"bench: 'results/ten-step/(.*)' cannot be written: No space left on device; "
        r"the record that it should take is kept as '(.*)'\n",
        ended.stderr,
    )
    assert told, ended.stderr
    kept = Path(told[2])
    assert codec.decode(kept.read_bytes(), Path("ten-step", told[1])).status == "ok"
    shutil.rmtree(kept.parent)
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
        r"the record that it should take is kept as '(.*)'\n",
        ended.stderr,
    )
    assert ended.returncode == 2 and told, ended.stderr
    shutil.rmtree(Path(told[1]).parent)
    assert 1 <= len(stored(tmp_path / "copy")) < 12 and not list((tmp_path / "copy").rglob("*.tmp"))


def test_a_folder_that_vanishes(faulty: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "last_value", "works")
    wait_for(lambda: pids(faulty))
    shutil.rmtree(tmp_path / "results")
    _, errors = process.communicate(timeout=60)
    told = re.fullmatch(r"bench: results folder 'results' is gone; the record .* is kept as '(.*)'\n", errors)
    assert process.returncode == 2 and told, errors
    assert codec.decode(Path(told[1]).read_bytes(), f"ten-step/{Path(told[1]).name}").spec.method == "works"
    shutil.rmtree(Path(told[1]).parent)
    assert not (tmp_path / "results").exists()


# --- 9: clocks and load ----------------------------------------------------------------------------------------------

JUMPING_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    static long calls;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(id, at);
    if (id == CLOCK_REALTIME) at->tv_sec += (calls++ % 2 ? 1 : -1) * 86400;
    return status;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler for a clock that jumps")
def test_the_clock_jumps_a_day_at_every_look(bench: Callable, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "clock.c").write_text(JUMPING_CLOCK)
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    looks = subprocess.run([sys.executable, "-c", "import time; print(time.time() - time.time())"], capture_output=True)
    assert abs(float(looks.stdout)) > 86_000, "the clock does jump"
    assert bench(*QUICK, "--method", "last_value").returncode == 0
    (run,) = stored(tmp_path / "results")
    assert run.seconds and all(0 <= value < 600 for value in run.seconds.values())


def test_a_load_spike_is_named(faulty: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "works")
    wait_for(lambda: pids(faulty))
    burn = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
    burners = [subprocess.Popen([sys.executable, "-S", "-c", burn, str(core)]) for core in threads.cores()]
    wait_for(lambda: list((tmp_path / "results").glob("*/*.json")))
    for burner in burners:
        burner.kill()
        burner.wait()
    assert process.wait(60) == 0
    (run,) = stored(tmp_path / "results")
    assert run.status == "ok" and not run.timing_valid
    assert re.search(r"only \d+% of a core during fit", run.timing_reason or "")


# --- 10: names -------------------------------------------------------------------------------------------------------

MARKUP = ["a|b", "a\nb", "<script>alert(1)</script>", "\x1b[31mred", "=cmd|' /C calc'!A0"]
HOSTILE = ["../../x", "x" * 300, *MARKUP]


@pytest.mark.parametrize("name", [*HOSTILE, "-1"])
def test_a_hostile_name_on_the_command_line(tmp_path: Path, monkeypatch: Any, capsys: Any, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ("--method", name), ("--task", name), ("--backend", name), ("--set", f"gru.units={name}"), (f"--seeds={name}",),
        ("--set", f"gru.{name}=1"), ("--set", f"{name}.units=1"), (f"--memory={name}",),
    ):  # fmt: skip
        said = call(monkeypatch, capsys, "run", *arguments, status=2)
        assert said.startswith("bench: ") and said.count("\n") == 1 and said.rstrip("\n").isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*HOSTILE, "/etc/x", "", ".hidden", "a\0b"])
def test_a_hostile_name_leads_out_of_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a file name"):
        repository.write(tmp_path / "inner", make_run(make_spec(method=name)))
    assert not list(tmp_path.iterdir())


def test_case_twins_and_signs_are_different_runs(tmp_path: Path) -> None:
    specs = [make_spec(), make_spec(method="GRU"), make_spec(seed=1), make_spec(seed=-1)]
    names = [repository.write(tmp_path, make_run(spec)).name.lower() for spec in specs]
    assert len(set(names)) == len(stored(tmp_path)) == 4


@pytest.mark.parametrize("text", MARKUP)
def test_the_board_is_inert(text: str) -> None:
    changed = {"settings": {"epochs": 20, "kind": text, text: 1}, "changed": tuple(sorted(("kind", text)))}
    runs = [
        make_run(make_spec(**changed), environment={"cpu": text, "packages": {text: text}}),
        make_run(make_spec(method="lstm"), status="failed", metrics=None, seconds=None, reason=text),
    ]
    board = leaderboard.render(runs, [f"{text}: {text}"])
    assert not re.search(r"<script|\x1b", board)
    tables = re.findall(r"(?:^\|.*\n)+", board, re.MULTILINE)
    assert tables and all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)
    assert clean(text).isprintable()


def test_names_in_a_file_of_series_are_inert(bench: Callable, tmp_path: Path) -> None:
    names = ["=cmd('x')!A0", "\x1b[31mred", "<script>alert(1)</script>", "-1"]
    rows = [names, *([str(step)] * 4 for step in range(60))]
    with (tmp_path / "named.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    how = ("--target", "*", "--time", "-", "--wide", "--history", "10", "--ahead", "2", "--method", "last_value")
    ended = bench("forecast", "named.csv", *how)
    assert ended.returncode == 0, ended.stderr
    with (tmp_path / "forecast.csv").open(newline="") as file:
        shown = [row["series"] for row in csv.DictReader(file)][::2]
    assert shown == ["'=cmd('x')!A0", "red", "<script>alert(1)</script>", "-1"]
    assert "\x1b" not in ended.stdout
    assert bench("run", "--data", "named.csv", *how).returncode == 0
    assert not re.search(r"<script|\x1b", (tmp_path / "leaderboard.md").read_text())


# --- 11: files that nobody vouches for -------------------------------------------------------------------------------

UNSAFE = {
    "eval", "exec", "compile", "pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "yaml",
    "read_pickle", "allow_pickle", "weights_only", "unsafe_load", "enable_unsafe_deserialization",
}  # fmt: skip
SAFE_USES = {("implementations/backends/keras/engine.py", "compile"), ("implementations/network.py", "compile")}


def names_in(path: Path) -> Iterator[str]:
    """The modules, functions and keyword arguments that a file uses."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [(node.module or "").partition(".")[0], *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Call):
            switched_off = [keyword for keyword in node.keywords if getattr(keyword.value, "value", None) is False]
            yield from (keyword.arg or "" for keyword in node.keywords if keyword not in switched_off)
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                yield node.func.value.id


def test_nothing_that_runs_what_a_file_says_is_used() -> None:
    for path in [*(ROOT / "bench").rglob("*.py"), *(ROOT / "implementations").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        unsafe = {used for used in names_in(path) if used in UNSAFE and (name, used) not in SAFE_USES}
        assert not unsafe, f"{name} uses {unsafe}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04N.",
        b" " * 2**21,
        b"[" * 10**5,
        b"[]",
        b"{}",
        b'{"method": "../x", "backend": "numpy", "seed": 1, "settings": {}}',
    ],
)
def test_a_saved_forecaster_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "forecaster.json").write_bytes(content)
    with pytest.raises(ValueError, match="forecaster.json"):
        implementations.load(tmp_path)


# --- 12: seeds and surroundings --------------------------------------------------------------------------------------


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
    assert shown.stdout.endswith("1 at once\n")


def test_output_that_goes_nowhere(faulty: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "bench", *QUICK, "--method", "last_value"]
        ended = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, "bench: No space left on device: standard output\n")


# --- how the rows above look at processes ----------------------------------------------------------------------------


def start(folder: Path, *methods: str, options: tuple[str, ...] = (), **variables: str) -> subprocess.Popen[str]:
    """Start a campaign of one run at a time in the folder."""
    named = [word for method in methods for word in ("--method", method)]
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *QUICK, *named, "--jobs", "1", *options],
        cwd=folder, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def call(monkeypatch: Any, capsys: Any, *arguments: str, status: int) -> str:
    """What `bench` says, called in this process."""
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    assert app.main() == status
    printed = capsys.readouterr()
    return printed.err or printed.out


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pids(note: Path) -> list[int]:
    return [int(pid) for pid in note.read_text().split()] if note.exists() else []

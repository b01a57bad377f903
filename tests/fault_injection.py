"""Faults made for real: how the tests start campaigns, look at processes and mount file systems of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.cli import app

QUICK = ("run", "--quick", "--task", "ten-step")

MOUNT = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
CAN_MOUNT = bool(shutil.which("unshare")) and subprocess.run(MOUNT, capture_output=True).returncode == 0
mounts = pytest.mark.skipif(not CAN_MOUNT, reason="needs to mount a file system in a namespace of its own")


def mounted(script: str) -> tuple[str, ...]:
    """Run a command where only it sees what the script mounts; results are copied to `copy` afterwards."""
    after = "status=$?; cp -a results copy 2>/dev/null; exit $status"
    return ("unshare", "-rm", "sh", "-c", f'{script.strip()}; "$@"; {after}', "sh")


@contextlib.contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """A child started within hears the signal, even where these tests run under nohup, which has it ignored."""
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


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

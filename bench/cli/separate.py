"""Run a command in a separate process, because code from outside may end the process that it runs in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.errors import UsageError

VARIABLE = "AHEADBENCH_SEPARATE"  # in the child: the file that it makes when the command has ended by itself


def run_separately() -> int:
    """Run this command line again in a child process and return its exit status.

    Raises UsageError where the child ended in the middle, as after os._exit, whatever its exit status says.
    """
    with tempfile.TemporaryDirectory(prefix="aheadbench-") as folder:
        ended = Path(folder) / "ended"
        command = [sys.executable, "-m", "bench", *sys.argv[1:]]
        status = subprocess.run(command, env={**os.environ, VARIABLE: str(ended)}, check=False).returncode
        if not ended.exists():
            how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
            raise UsageError(f"--method: its code ended the program {how}")
    return status


def is_called_for(method: str | None) -> bool:
    """Say whether a method is from outside, and this process is not a child of `run_separately` yet."""
    from implementations.user_methods import is_reference, packaged

    return method is not None and VARIABLE not in os.environ and (is_reference(method) or method in packaged())


def note_end() -> None:
    """Note for the parent that the command has ended by itself."""
    if place := os.environ.get(VARIABLE):
        Path(place).touch()

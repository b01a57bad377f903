"""Ask a child process that may run a user's code: it has a time limit, and its answer comes in a file.

    python -m MODULE ANSWER QUESTION

Whatever such code prints, changes or leaves running stays there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.machine import threads
from bench.machine.system.files import temporary_in
from bench.machine.system.processes import KILL, OWN_GROUP, is_ended_by, signal_group

LARGEST = 2**20  # bytes of an answer


class NoAnswer(ValueError):
    """The child process ended, or was ended, without an answer."""


def ask(module: str, question: bytes, seconds: float) -> bytes:
    """Run the module in an empty folder and return its answer. Raises NoAnswer."""
    with tempfile.TemporaryDirectory(prefix="aheadbench-", ignore_cleanup_errors=True) as folder:
        work, place = Path(folder, "work"), Path(folder, "answer.json")
        work.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(place), question.decode()],
            cwd=work,
            env={**threads.environment_variables(), **temporary_in(work)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **OWN_GROUP,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"it did not end within {seconds:g} s") from None
        finally:
            signal_group(process, KILL)
            process.wait()
        try:
            with place.open("rb") as file:
                return file.read(LARGEST)
        except OSError:
            raise NoAnswer(f"it ended the process ({ending(process.returncode)})") from None


def ending(code: int) -> str:
    """An exit status in words."""
    return is_ended_by(code) or f"exit status {code}"


def answer(place: str, content: bytes) -> None:
    """Leave the answer and end at once: nothing that runs at the interpreter's end can keep this process."""
    Path(place).write_bytes(content)
    os._exit(0)

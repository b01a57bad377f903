"""Ask a child process that may run a user's code: it has a time limit, and its answer comes in a file.

    python -m bench.execution.asking MODULE ANSWER QUESTION

calls MODULE's `main` under a keeper. Whatever such code prints or changes stays there; what it leaves running is ended.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.machine import threads
from bench.machine.system import keeper
from bench.machine.system.files import temporary_in
from bench.machine.system.processes import KILL, OWN_GROUP, is_ended_by, signal_group
from bench.records import files

LARGEST = 2**20  # bytes of an answer
GRACE = 2.0  # seconds that the keeper gets to end what is left


class NoAnswer(ValueError):
    """The child process ended, or was ended, without an answer."""


def ask(module: str, question: bytes, seconds: float) -> bytes:
    """Run the module in an empty folder and return its answer. Raises NoAnswer."""
    with tempfile.TemporaryDirectory(prefix="aheadbench-", ignore_cleanup_errors=True) as folder:
        work, place = Path(folder, "work"), Path(folder, "answer.json")
        work.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, module, str(place), question.decode()],
            cwd=work,
            env={**threads.environment_variables(), **temporary_in(work)},
            stdin=subprocess.PIPE,  # open as long as this process waits: how the keeper knows
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **OWN_GROUP,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"it did not end within {seconds:g} s") from None
        finally:
            end(process)
        try:
            return files.read(place, LARGEST)
        except ValueError:
            raise NoAnswer("it left another answer") from None
        except OSError:
            raise NoAnswer(f"it ended the process ({ending(process.returncode)})") from None


def end(process: subprocess.Popen[bytes]) -> None:
    """Let the keeper end all that the process has started; then end it too."""
    assert process.stdin
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    signal_group(process, KILL)
    process.wait()


def ending(code: int) -> str:
    """Return an exit status in words."""
    return is_ended_by(code) or f"exit status {code}"


def answer(place: str, content: bytes) -> None:
    """Leave the answer and end at once: nothing that runs at the interpreter's end can keep this process."""
    Path(place).write_bytes(content)
    os._exit(0)


def main() -> None:
    """Call the main function of the module that the command line names, with what is left of that."""
    del sys.argv[0]

    def work(_handles: object, _closed: bool) -> int:
        importlib.import_module(sys.argv[0]).main()
        return 0

    keeper.run(work, [], [])


if __name__ == "__main__":
    main()

"""Cleanup after a campaign that has ended: stray processes and temporary files.

    python janitor.py MARK FOLDER

waits until its standard input closes, which happens when the harness ends, even after kill -9. Then it kills every
process that carries the mark and removes the folder. It runs in a separate session, so that Ctrl-C does not reach it,
and imports only the standard library, so that it starts in milliseconds.

Killing a worker's process group is not enough, because children can leave it (setsid, daemons). Those keep their
environment variables, and so the mark; only a process that also clears its environment escapes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

VARIABLE = "AHEADBENCH_RUN"  # the environment variable that holds a run's mark: CAMPAIGN.NUMBER
TRIES = 100  # a process that forks as fast as it can has to be hunted down
PAUSE = 0.01  # seconds between two tries


def main() -> None:
    """Wait for the end of the harness and clean up behind it."""
    mark, folder = sys.argv[1:]
    while os.read(sys.stdin.fileno(), 1):
        continue
    end(f"{mark}.")
    shutil.rmtree(folder, ignore_errors=True)


def end(mark: str) -> None:
    """Kill every process whose mark begins so, until there is none."""
    for _ in range(TRIES):
        pids = marked(mark)
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE)


def marked(mark: str) -> list[int]:
    """The processes whose mark begins so; none on a system without /proc. A zombie has no environment any more."""
    wanted = f"{VARIABLE}={mark}".encode()
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except FileNotFoundError:
        return []
    return [pid for pid in pids if any(entry.startswith(wanted) for entry in environment(pid).split(b"\0"))]


def environment(pid: int) -> bytes:
    """The variables that a process was started with; empty where they cannot be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


if __name__ == "__main__":
    main()

"""Cleanup after a campaign that has ended: stray processes and temporary files.

    python -m bench.execution.janitor MARK FOLDER

waits until its standard input closes, which happens when the harness ends, even after kill -9. Then it kills every
process that carries the mark and removes the folder. It runs in a separate session, so that Ctrl-C does not reach it,
and imports only the standard library where that suffices, so that it starts in milliseconds.

Killing a worker's process group is not enough, because children can leave it (setsid, daemons). Those keep their
environment variables, and so the mark; only a process that also clears its environment escapes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

from bench.machine.system.processes import kill, marked

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
        pids = marked(VARIABLE, mark)
        if not pids:
            return
        for pid in pids:
            kill(pid)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()

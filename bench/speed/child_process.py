"""Run one backend in a separate process, with one thread on one core: a process imports one framework only."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench.machine import threads
from bench.machine.system.cores import pinned


def answer(module: str, *arguments: object) -> Any:
    """Return what `python -m module ARGUMENTS` prints as JSON on its last line. Raises RuntimeError when it fails."""
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
    with pinned(threads.cores()[-1]):
        child = subprocess.Popen(command, env=threads.environment_variables(), stdout=subprocess.PIPE, text=True)
    printed, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    return json.loads(printed.splitlines()[-1])

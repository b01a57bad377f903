"""What `python -m bench parity` does: probe every engine, compare each with the last, say what is the same."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import implementations
from bench.campaigns.selection import choose_backends, match
from bench.errors import UsageError
from bench.execution.orders import one_line
from bench.machine import threads
from bench.parity.compare import Verdict, compare


def choose_methods(patterns: Sequence[str]) -> list[str]:
    """Return the methods with a network that any of the patterns matches; all without a pattern. Raises UsageError."""
    networks = [name for name in implementations.METHODS if len(implementations.backends_of(name)) > 1]
    return match(patterns or ["*"], networks, "method with a network")


def choose_engines(asked: Sequence[str]) -> list[str]:
    """Return the backends asked for, or all installed ones; the last is the reference.

    Raises UsageError for less than two.
    """
    engines = [name for name in choose_backends(asked) if name != "numpy"]
    if len(engines) < 2:
        got = ", ".join(engines) or "none"
        raise UsageError(f"parity: got {got}, needed two or more backends with networks to compare")
    return engines


def run(methods: Sequence[str], engines: Sequence[str]) -> list[Verdict]:
    """Return every method in every engine but the last, compared with the last."""
    with (
        tempfile.TemporaryDirectory(prefix="aheadbench-") as folder,
        ThreadPoolExecutor(len(threads.cores())) as pool,
    ):
        endings = dict(
            zip(engines, pool.map(lambda engine: probe(engine, methods, Path(folder)), engines), strict=True)
        )
        return list(verdicts(methods, engines, endings, Path(folder)))


def probe(engine: str, methods: Sequence[str], folder: Path) -> str:
    """Write the engine's arrays to the folder in a separate process; return how it ended, in words."""
    command = [sys.executable, "-m", "bench.parity.probe", engine, str(folder), *methods]
    done = subprocess.run(command, env=threads.environment_variables(), capture_output=True, text=True)
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "nothing printed")
    return f"ended with status {done.returncode}: {one_line(last)}"


def verdicts(
    methods: Sequence[str], engines: Sequence[str], endings: dict[str, str], folder: Path
) -> Iterator[Verdict]:
    """Yield the comparison of what the probes left in the folder."""
    *others, reference = engines

    def left(method: str, engine: str) -> dict[str, np.ndarray]:
        path = folder / f"{method}.{engine}.npz"
        if not path.exists():
            return {"error": np.array(endings[engine])}
        with np.load(path) as arrays:
            return dict(arrays)

    for method in methods:
        expected = left(method, reference)
        for engine in others:
            yield compare(method, engine, reference, left(method, engine), expected)

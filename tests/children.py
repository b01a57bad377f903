"""Child processes of the tests: frameworks fight in one process, so each has a child of its own, started when needed.

A child goes through its checks one after another and prints a line of JSON for each; a test waits for its own line.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from implementations.backends import BACKENDS, TRAINING_BACKENDS

ROOT = Path(__file__).parent.parent
CHECKS = Path(__file__).parent / "frameworks"
FRAMEWORKS = TRAINING_BACKENDS


class Child:
    """A process that prints JSON objects, each with its name under `key`."""

    def __init__(self, key: str, backend: str, *command: str) -> None:
        self.key, self.answers, self.asked = key, dict[str, Any](), set[str]()
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (the child writes to it as long as it lives)
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment(backend),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )  # fmt: skip
        atexit.register(self.process.kill)

    def ask(self, question: str) -> None:
        """Write it to the child, once."""
        if question not in self.asked:
            self.asked.add(question)
            assert self.process.stdin
            with contextlib.suppress(BrokenPipeError):  # its last words say why
                print(question, file=self.process.stdin, flush=True)

    def answer(self, name: str) -> Any:
        """The object of that name; fails with the child's last words when it ends without one."""
        assert self.process.stdout
        while name not in self.answers:
            line = self.process.stdout.readline()
            if not line:
                self.errors.seek(0)
                pytest.fail(f"no answer for {name}, status {self.process.wait()}:\n{self.errors.read()[-3000:]}")
            if line.startswith("{"):
                answer = json.loads(line)
                self.answers[answer[self.key]] = answer
        return self.answers[name]


start = cache(Child)  # one child per command, for as long as the tests run
#: what JAX has compiled for one check serves others
PROGRAMS = tempfile.TemporaryDirectory(prefix="aheadbench-programs-", ignore_cleanup_errors=True)


def environment(backend: str) -> dict[str, str]:
    """What a child of the backend needs: its engine, one thread, programs compiled once and quickly, not well."""
    return {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": PROGRAMS.name,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "KERAS_BACKEND": BACKENDS[backend].engine or "numpy",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }


def checks_of(file: str) -> list[str]:
    """The names of the checks in a file of tests/frameworks, read without importing its framework."""
    tree = ast.parse((CHECKS / file).read_text(encoding="utf-8"))
    return [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")]


def cases(files: dict[str, str]) -> list[Any]:
    """All checks of each backend's file as parameters (backend, name); a backend's run on one worker, in one child."""
    return [
        pytest.param(backend, name, id=f"{backend}-{name}", marks=pytest.mark.xdist_group(f"frameworks-{backend}"))
        for backend, file in files.items()
        for name in checks_of(file)
    ]


def failure(file: str, backend: str, name: str) -> str | None:
    """What went wrong in a check; None if nothing did. One child goes through all files of a backend."""
    child = start("check", backend, str(CHECKS / "run.py"), backend)
    child.ask(file)
    answer: str | None = child.answer(f"{file}:{name}")["failure"]
    return answer

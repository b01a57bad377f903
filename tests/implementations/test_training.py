"""Training steps and options against plain NumPy, in every framework: tests/frameworks/training.py and options.py."""

from __future__ import annotations

import pytest
from children import FRAMEWORKS, cases, failure

FILES = ("training.py", "options.py", "networks.py")
CASES = [
    pytest.param(file, *case.values, id=f"{file}-{case.id}", marks=case.marks)
    for file in FILES
    for case in cases(dict.fromkeys(FRAMEWORKS, file))
]


@pytest.mark.parametrize(("file", "backend", "check"), CASES)
def test_training(file: str, backend: str, check: str) -> None:
    problem = failure(file, backend, check)
    assert problem is None, problem

"""Training steps against plain NumPy, in every framework: tests/checks/training.py."""

from __future__ import annotations

import pytest
from children import FRAMEWORKS, cases, failure

FILE = "training.py"


@pytest.mark.parametrize(("backend", "check"), cases(dict.fromkeys(FRAMEWORKS, FILE)))
def test_training(backend: str, check: str) -> None:
    problem = failure(FILE, backend, check)
    assert problem is None, problem

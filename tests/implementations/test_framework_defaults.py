"""Frameworks' defaults: made equal, or each framework's own: tests/frameworks/defaults_*.py."""

from __future__ import annotations

import pytest
from children import cases, failure

FILES = {"torch": "defaults_torch.py", "keras-jax": "defaults_keras.py"}


@pytest.mark.parametrize(("backend", "check"), cases(FILES))
def test_defaults(backend: str, check: str) -> None:
    problem = failure(FILES[backend], backend, check)
    assert problem is None, problem

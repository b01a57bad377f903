"""The gradients that we wrote by hand for PyTorch: tests/checks/gradients_torch.py."""

from __future__ import annotations

import pytest
from children import cases, failure

FILE = "gradients_torch.py"


@pytest.mark.parametrize(("backend", "check"), cases({"torch": FILE}))
def test_gradients(backend: str, check: str) -> None:
    problem = failure(FILE, backend, check)
    assert problem is None, problem

"""Every method on every backend keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest
from children import FRAMEWORKS, start

from implementations import METHODS, backends_of, make, needs_folder

BACKENDS = (*FRAMEWORKS, "numpy")


def group(backend: str, method: str) -> str:
    """Which child tests the method: two share those of TensorFlow, which takes by far the longest to compile."""
    return f"{backend}-{list(METHODS).index(method) % 2}" if backend == "keras" else backend


#: shares all but one line with auto_ets and theta, and takes half a second for each series
TOO_SLOW = "auto_arima"
CASES = [
    pytest.param(backend, method, id=f"{backend}-{method}", marks=pytest.mark.xdist_group(group(backend, method)))
    for backend in BACKENDS
    for method in METHODS
    if backend in backends_of(method) and method != TOO_SLOW and not needs_folder(method)
]


@pytest.mark.parametrize(("backend", "method"), CASES)
def test_method_keeps_the_contract(request: pytest.FixtureRequest, backend: str, method: str) -> None:
    child = start("method", backend, "-m", "bench.contract.conformance", backend, *company(request, backend, method))
    assert child.answer(method) == {"method": method, "backend": backend, "broken": {}}


def company(request: pytest.FixtureRequest, backend: str, method: str) -> list[str]:
    """The methods of the same group that this session tests, so that one child can go through them and no others."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    tested = [one["method"] for one in parameters if one.get("backend") == backend and "method" in one]
    return [one for one in tested if group(backend, one) == group(backend, method)]


def test_too_short_a_history_to_fit_is_named() -> None:
    """Known before a framework is loaded: this process has none."""
    with pytest.raises(ValueError, match="history: got 3 steps, needed at least 4"):
        make("conv_gru", "keras", 1).fit(np.zeros((2, 3, 1), np.float32), np.zeros((2, 2, 1), np.float32))

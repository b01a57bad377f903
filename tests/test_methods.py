"""Every method on every backend keeps the contract; methods that do not are caught, each under the right promise."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from children import start
from offenders import BROKEN_ALONG, OFFENDERS, Double, Honest

from bench.contract import conformance
from bench.contract.promises import PROMISES
from implementations import METHODS, backends_of, make
from implementations.forecaster import Forecaster

BACKENDS = ("keras", "keras-jax", "torch", "numpy")


def group(backend: str, method: str) -> str:
    """Which child tests the method: two share those of TensorFlow, which takes by far the longest to compile."""
    return f"{backend}-{list(METHODS).index(method) % 2}" if backend == "keras" else backend


#: shares all but one line with auto_ets and theta, and takes half a second for each series
TOO_SLOW = "auto_arima"
CASES = [
    pytest.param(backend, method, id=f"{backend}-{method}", marks=pytest.mark.xdist_group(group(backend, method)))
    for backend in BACKENDS
    for method in METHODS
    if backend in backends_of(method) and method != TOO_SLOW
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


def broken_by(method: Callable[..., Forecaster]) -> dict[str, str]:
    return conformance.check(lambda seed: method(seed=seed))


def test_an_honest_method_breaks_nothing() -> None:
    assert broken_by(Honest) == {}


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.__name__)
def test_an_offender_is_caught(offender: Callable[..., Forecaster]) -> None:
    promise, message = OFFENDERS[offender]
    broken = broken_by(offender)
    assert broken.get(promise, "kept").startswith(message), broken


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.__name__)
def test_an_offender_is_blamed_for_nothing_else(offender: Callable[..., Forecaster]) -> None:
    assert broken_by(offender).keys() == {OFFENDERS[offender][0]} | BROKEN_ALONG.get(offender, set())


def test_every_promise_has_an_offender() -> None:
    untested = PROMISES.keys() - {promise for promise, _ in OFFENDERS.values()}
    assert untested == set()


def test_too_short_a_history_to_fit_is_named() -> None:
    """Known before a framework is loaded: this process has none."""
    with pytest.raises(ValueError, match="history: got 3 steps, needed at least 4"):
        make("conv_gru", "keras", 1).fit(np.zeros((2, 3, 1), np.float32), np.zeros((2, 2, 1), np.float32))


def test_main_reports_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(conformance, "compile_quickly", lambda programs: None)
    monkeypatch.setitem(METHODS, "double", Double)
    assert conformance.main(["numpy", "last_value", "double"]) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {"method": "last_value", "backend": "numpy", "broken": {}}
    assert second["method"] == "double" and list(second["broken"]) == ["any_number_of_steps"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage: python -m bench.contract.conformance numpy|keras"),
        (["kears"], "bench: unknown backend 'kears': did you mean keras?"),
        (["keras", "gruu"], "bench: unknown method of keras 'gruu': did you mean gru"),
        (
            ["numpy", "gru"],
            "bench: unknown method of numpy 'gru': choose from last_value, seasonal_naive",
        ),
    ],
)
def test_main_names_bad_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main(arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith(message) and err.count("\n") == 1 and not out

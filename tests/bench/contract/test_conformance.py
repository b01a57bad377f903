"""The check of the contract: an honest method passes, and each offender is caught, under the promise that it breaks."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from contract_breakers import BROKEN_ALONG, BROKEN_APART, OFFENDERS, Double, Honest

from bench.contract import conformance
from bench.contract.promises import PROMISES
from implementations import METHODS
from implementations.forecaster import Forecaster


def broken_by(method: Callable[..., Forecaster]) -> dict[str, str]:
    return conformance.check(lambda seed: method(seed=seed), asks=lambda kind: method(kind=kind))


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
    untested = PROMISES.keys() - {promise for promise, _ in OFFENDERS.values()} - BROKEN_APART
    assert untested == set()


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

"""Check a method in this process, `python -m bench.contract.apart ANSWER QUESTION`, and leave what is broken."""

from __future__ import annotations

import sys
from functools import partial

import msgspec

import implementations
from bench.contract import conformance
from bench.contract.conformance import Question
from bench.execution import asking, user_code
from implementations import backends, default_settings
from implementations import user_methods as methods
from implementations.forecaster import Forecaster


def main() -> None:
    """Answer the question."""
    place, question = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Question)
    try:
        broken = broken_in(question)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        broken = {"fits": f"{type(error).__name__}: {error}"}
    asking.answer(place, msgspec.json.encode(broken))


def broken_in(question: Question) -> dict[str, str]:
    """Return each broken promise, with what was got and expected."""
    backends.load(question.backend)
    if methods.is_reference(question.reference) or question.reference in methods.packaged():
        user_code.load(question.reference)
    shorter = {"epochs": conformance.EPOCHS} if "epochs" in default_settings(question.name) else {}
    make = partial(implementations.make, question.name, question.backend, **shorter)

    def asks(kind: str) -> Forecaster:
        return implementations.make(question.name, question.backend, conformance.SEED, kind=kind, **shorter)

    return conformance.check(make, implementations.load, asks)


if __name__ == "__main__":
    main()

"""`python -m bench check`: does a method keep the contract, and if not, what is to be mended."""

from __future__ import annotations

import inspect
from functools import partial

import implementations
from bench.contract import conformance
from bench.contract.promises import PROMISES
from bench.errors import UsageError, unknown
from bench.execution import user_methods
from implementations import backends, default_settings


def check(reference: str, backend: str | None) -> int:
    """Print every promise and whether it is kept; 0 when all are, 1 when one is not."""
    names, _ = user_methods.register([reference])
    name = names[0]
    if name not in implementations.METHODS:
        raise unknown("method", name, implementations.METHODS)
    chosen = choose(name, backend)
    backends.load(chosen)
    shorter = {"epochs": conformance.EPOCHS} if "epochs" in default_settings(name) else {}
    broken = conformance.check(partial(implementations.make, name, chosen, **shorter), implementations.load)
    print("\n".join(report(broken)))
    others = [other for other in implementations.backends_of(name) if other != chosen]
    more = f"; --backend {' or '.join(others)} checks the rest" if others else ""
    print(f"\n{name} on {chosen}: {verdict(broken)}{more}")
    return 1 if broken else 0


def choose(name: str, backend: str | None) -> str:
    """The backend asked for, or the method's first that is installed. Raises UsageError where it has none."""
    available = implementations.backends_of(name)
    if backend and backend not in available:
        raise unknown(f"backend of {name}", backend, available)
    installed = [one for one in available if backends.installed(one)]
    if not installed or (backend and backend not in installed):
        missing = backend or available[0]
        extra = backends.extra(missing)
        raise UsageError(f"backend {missing!r} is not installed: pip install 'aheadbench[{extra}]'")
    return backend or installed[0]


def report(broken: dict[str, str]) -> list[str]:
    """A line for each promise, with what was got and expected below a broken one."""
    if "fits" in broken:
        return [f"MEND  fits: {broken['fits']}", "      nothing else could be checked"]
    lines = []
    for promise, keeps in PROMISES.items():
        lines.append(f"{'MEND' if promise in broken else 'ok  '}  {promise}: {inspect.getdoc(keeps)}")
        lines += [f"      {broken[promise]}"] if promise in broken else []
    return lines


def verdict(broken: dict[str, str]) -> str:
    """The outcome in words."""
    if not broken:
        return "keeps the contract"
    return f"{len(broken)} to mend" if len(broken) > 1 else "1 to mend"

"""Does a method keep the contract, and if not, what is broken: `check(reference)` returns a Report."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import implementations
from bench.campaigns.selection import backend_named
from bench.contract import conformance, fresh
from bench.contract.promises import PROMISES
from bench.errors import UsageError, unknown
from bench.execution import user_methods
from implementations import backends


@dataclass(frozen=True)
class Report:
    """What was checked, on which backend, and what is broken: promise -> what was got and expected."""

    method: str
    backend: str
    others: tuple[str, ...]  # backends that were not checked
    broken: dict[str, str]
    remark: str = ""  # how it did on series drawn just now

    @property
    def ok(self) -> bool:
        """Whether the method keeps every promise."""
        return not self.broken

    def lines(self) -> list[str]:
        """Return a line for each promise, with what was got and expected below a broken one, and the outcome."""
        more = f"; --backend {' or '.join(self.others)} checks the rest" if self.others else ""
        remark = f"; {self.remark}" if self.remark else ""
        return [*self.findings(), "", f"{self.method} on {self.backend}: {self.verdict()}{remark}{more}"]

    def findings(self) -> list[str]:
        """Return the promises, each kept or broken."""
        if "fits" in self.broken:
            return [f"FAIL  fits: {self.broken['fits']}", "      nothing else could be checked"]
        lines = []
        for promise, keeps in PROMISES.items():
            lines.append(f"{'FAIL' if promise in self.broken else 'ok  '}  {promise}: {inspect.getdoc(keeps)}")
            lines += [f"      {self.broken[promise]}"] if promise in self.broken else []
        for promise in self.broken.keys() - PROMISES.keys():
            lines += [f"FAIL  {promise}: {fresh.PROMISES[promise]}", f"      {self.broken[promise]}"]
        return lines

    def verdict(self) -> str:
        """Return the outcome in words."""
        count = len(self.broken)
        return f"{count} promise{'s' if count > 1 else ''} broken" if count else "keeps the contract"


def check(reference: str, backend: str | None) -> Report:
    """Check every promise of a method: `./mine.py:Mine`, or a name; then have it forecast series drawn just now.

    The method runs in child processes alone. Raises UsageError for what there is not.
    """
    names, outsiders = user_methods.register([reference])
    name = names[0]
    if name not in implementations.METHODS:
        raise unknown("method", name, implementations.METHODS)
    if implementations.needs_folder(name):
        raise UsageError(f"{name}: it forecasts with a model of yours, so there is no method to check: "
                         f"bench run --method {name} --set {name}.folder=FOLDER")  # fmt: skip
    chosen = choose(name, backend)
    broken = conformance.check_apart(reference, name, chosen)
    others = tuple(other for other in implementations.backends_of(name) if other != chosen)
    if broken:
        return Report(name, chosen, others, broken)
    found = fresh.compare(name, chosen, outsiders)
    return Report(name, chosen, others, found.broken, found.remark)


def choose(name: str, backend: str | None) -> str:
    """Return the backend asked for, or the method's first that is installed. Raises UsageError where it has none."""
    available = implementations.backends_of(name)
    if backend:
        backend = backend_named(backend, f"backend of {name}", available)
    installed = [one for one in available if backends.installed(one)]
    if not installed or (backend and backend not in installed):
        missing = backend or available[0]
        extra = backends.extra(missing)
        raise UsageError(f"backend {missing!r} is not installed: pip install 'aheadbench[{extra}]'")
    return backend or installed[0]

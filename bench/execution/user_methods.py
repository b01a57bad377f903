"""User methods on the command line: inspected in a separate process, named in specs.

The harness never imports a user's code. A child process reports the method's settings and backends; METHODS gets a
stand-in with the same ones, which cannot fit. Only a worker imports the method itself, and the commands `forecast` and
`show`, which are there to run or show it and keep no records.
"""

from __future__ import annotations

import contextlib
import os
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, make_dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import implementations
from bench.errors import UsageError
from bench.execution.user_code import load as load
from bench.execution.user_code import reference_of
from bench.schema.record import Source, Spec
from bench.text import clean
from implementations import user_methods as methods

if TYPE_CHECKING:
    from bench.execution.inspection import Description
    from implementations.forecaster import Forecaster

KINDS: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "None": types.NoneType}


class Registered(NamedTuple):
    """Where methods from outside come from, and where the files among them lie on this machine."""

    sources: dict[str, Source]
    files: dict[str, str]


def register(patterns: Sequence[str], here: bool = False) -> tuple[list[str], Registered]:
    """Return patterns with references and old names replaced by names; METHODS gets a stand-in of what references name.

    here: import the methods after all, once they are inspected, as a command does that is there to run or show them.
    Raises UsageError for a file or a class that cannot be used.
    """
    names, registered = [], Registered({}, {})
    for pattern in patterns:
        if methods.is_reference(pattern):
            found = find(pattern)
            if found.name in registered.files:
                raise UsageError(f"--method {pattern!r}: {found.name} is given twice")
            registered.files[found.name] = pattern.rpartition(":")[0]
        elif pattern in methods.packaged():
            found = find(pattern)
        else:
            names.append(implementations.current_name(pattern))
            continue
        if here:
            with contained():
                load(pattern)
        registered.sources[found.name] = Source(reference=found.reference, version=found.version)
        names.append(found.name)
    return names, registered


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Keep a user's code, within the block, from ending this program or changing its folder.

    Raises UsageError where the code calls sys.exit.
    """
    folder = os.getcwd()
    try:
        yield
    except SystemExit as error:
        raise UsageError(f"--method: its code ended the program: sys.exit({clean(repr(error.code), 40)})") from None
    finally:
        os.chdir(folder)


def find(reference: str) -> Description:
    """Find `mine.py:MyForecaster` or a package's method by name, and add a stand-in to METHODS. Raises UsageError."""
    from bench.execution.inspection import inspect

    try:
        found = inspect(reference)
    except ValueError as error:
        raise UsageError(f"--method {' '.join(str(error).split())}") from None
    implementations.METHODS[found.name] = stand_in(found)
    return found


def stand_in(found: Description) -> type[Forecaster]:
    """Return a class with the method's settings and backends that cannot fit."""
    from implementations.forecaster import Forecaster

    class StandIn(Forecaster):
        """Represent a user method in the harness."""

        reference: ClassVar[str]
        network: ClassVar[bool]
        takes_validation: ClassVar[bool]

        def __post_init__(self) -> None:
            from bench.execution.inspection import inspect

            if self.settings() != type(self).defaults():  # does the method take them?
                inspect(self.reference, self.backend, self.seed, self.settings())

        def fit(self, *data: Any, **more: Any) -> Any:
            raise NotImplementedError(f"{found.name} runs in workers alone")

        def predict_ahead(self, *data: Any, **more: Any) -> Any:
            raise NotImplementedError(f"{found.name} runs in workers alone")

    fields = [
        (name, reduce(or_, (KINDS[kind] for kind in kinds)), field(default=default))
        for name, kinds, default in found.settings
    ]
    namespace = {
        "backends": tuple(found.backends), "takes_levels": found.takes_levels, "off": found.off,
        "takes_validation": found.takes_validation, "network": found.network, "reference": found.place,
        "__doc__": found.doc,
    }  # fmt: skip
    made: type[Forecaster] = make_dataclass(
        found.name.rpartition(".")[2], fields, bases=(StandIn,), namespace=namespace, kw_only=True
    )
    return made


def know(spec: Spec, files: Mapping[str, str]) -> None:
    """See to it that METHODS has a stand-in of a spec's method from outside, as on a cluster's node.

    Raises UsageError where it cannot be used.
    """
    if spec.source and spec.method not in implementations.METHODS:
        find(reference_of(spec, files))

"""Methods of the user's own on the command line: found, registered beside ours, named in specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import implementations
from bench.errors import UsageError
from bench.schema.record import Source, Spec
from implementations import user_methods


class Registered(NamedTuple):
    """Where methods from outside come from, and where the files among them lie on this machine."""

    sources: dict[str, Source]
    files: dict[str, str]


def register(patterns: Sequence[str]) -> tuple[list[str], Registered]:
    """Patterns with references and old names replaced by names; what references name is added to METHODS.

    Raises UsageError for a file or a class that cannot be used.
    """
    names, registered = [], Registered({}, {})
    for pattern in patterns:
        if user_methods.is_reference(pattern):
            found = find(pattern)
            if found.name in registered.files:
                raise UsageError(f"--method {pattern!r}: {found.name} is given twice")
            registered.files[found.name] = pattern.rpartition(":")[0]
        elif pattern in user_methods.packaged():
            found = find(pattern)
        else:
            names.append(implementations.current_name(pattern))
            continue
        registered.sources[found.name] = Source(reference=found.reference, version=found.version)
        names.append(found.name)
    return names, registered


def find(reference: str) -> user_methods.Found:
    """The method that `mine.py:MyForecaster` or the name of a package's method stands for, added to METHODS."""
    try:
        in_file = user_methods.is_reference(reference)
        found = user_methods.from_file(reference) if in_file else user_methods.from_package(reference)
    except ValueError as error:
        raise UsageError(f"--method {' '.join(str(error).split())}") from None
    implementations.METHODS[found.name] = found.maker
    return found


def open_source(spec: Spec, files: Mapping[str, str]) -> None:
    """Make a spec's method known in this process, where it comes from outside.

    Raises ValueError when it is not the one that the spec was made for.
    """
    if not spec.source:
        return
    file, _, class_name = spec.source.reference.rpartition(":")
    path = files.get(spec.method)
    found = find(f"{Path(path)}:{class_name}" if path else spec.method)
    if found.version != spec.source.version:
        raise ValueError(f"{file} is not what it was when the job was planned")

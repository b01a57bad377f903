"""Import a method from outside into this process: for workers, and whatever else is there to run such code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import implementations
from bench.schema.record import Spec
from implementations import user_methods as methods


def reference_of(spec: Spec, files: Mapping[str, str]) -> str:
    """Return what names a spec's method from outside on this machine."""
    assert spec.source
    path, class_name = files.get(spec.method), spec.source.reference.rpartition(":")[2]
    return f"{Path(path)}:{class_name}" if path else spec.method


def open_source(spec: Spec, files: Mapping[str, str]) -> None:
    """Import a spec's method, where it comes from outside: only where such code may run.

    Raises ValueError when it is not the one that the spec was made for.
    """
    if not spec.source:
        return
    found = load(reference_of(spec, files))
    if found.version != spec.source.version:
        file = spec.source.reference.rpartition(":")[0]
        raise ValueError(f"{file} is not what it was when the job was planned")


def load(reference: str) -> methods.Found:
    """Import the method into this process: only where such code may run. Raises ValueError that says what is wrong."""
    found = methods.from_file(reference) if methods.is_reference(reference) else methods.from_package(reference)
    implementations.METHODS[found.name] = found.maker
    return found

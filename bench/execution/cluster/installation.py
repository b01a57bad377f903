"""What has to be equal on the client and its nodes."""

from __future__ import annotations

import hashlib

from bench import __version__
from bench.machine import environment


def installation() -> dict[str, str]:
    """Return what has to be equal for a record to be the same whichever node makes it."""
    from importlib.metadata import version

    return {"aheadbench": __version__, "distributed": version("distributed"), "code": code()}


def code() -> str:
    """Return the sha256 over the sources: a version or a commit does not tell when something was changed."""
    digest = hashlib.sha256()
    for package in ("bench", "implementations"):
        for path in sorted((environment.ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(environment.ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()

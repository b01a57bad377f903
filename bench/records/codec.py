"""A record as bytes and back: its key, its name, its JSON, its checksum, and the upgrades of older schemas.

The checksum on a record's last line is the sha256 of all bytes before it. It finds what chance, a disk, a merge or an
editor changes. It is no signature: whoever changes a record on purpose can write a new one. Only running the job
again, and comparing its digests, tells then.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.schema.record import SCHEMA, Run, Spec

PLAIN = re.compile(r"[a-zA-Z0-9_][\w.-]{0,63}", re.ASCII)


def key_of(spec: Spec) -> str:
    """The first 16 hexadecimal digits of the sha256 over the spec as JSON with sorted names."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


def path_of(spec: Spec) -> Path:
    """Where the spec's record lies in its folder. Raises ValueError for a name that is no plain file name."""
    return Path(name_of(spec, key_of(spec)))


def name_of(spec: Spec, key: str) -> str:
    """The same as text, when the key is known: a Path costs more than the rest of reading a record."""
    for name in (spec.task, spec.method, spec.backend):
        if not PLAIN.fullmatch(name):
            allowed = "at most 64 letters, digits, '_', '-' and '.' can"
            raise ValueError(f"{name[:64]!r} cannot be part of a file name: {allowed}")
    return f"{spec.task}/{spec.method}--{spec.backend}--seed{spec.seed}--{key}.json"


def encode(run: Run) -> bytes:
    """The record's file: JSON that a person can read, its checksum last."""
    return seal(msgspec.json.format(msgspec.json.encode(run), indent=1))


def seal(content: bytes) -> bytes:
    """A JSON object with its checksum as the last field."""
    body = content.removesuffix(b"\n}")
    return body + SEAL % hashlib.sha256(body).hexdigest().encode()


SEAL = b',\n "checksum": "%b"\n}\n'
SEAL_LENGTH = len(SEAL % bytes(64))


def unseal(content: bytes) -> bytes:
    """The JSON object without its checksum. Raises ValueError where that is missing or belongs to other bytes."""
    body = content[:-SEAL_LENGTH]
    if content[-SEAL_LENGTH:] == SEAL % hashlib.sha256(body).hexdigest().encode():
        return body + b"\n}"
    if content[-SEAL_LENGTH:].startswith(SEAL[:16]):
        raise ValueError("its checksum does not match: it was changed after it was written")
    raise ValueError("no checksum at its end: cut short, or not written by this program")


def from_schema_1(content: bytes) -> bytes:
    """A record of version 0.1.0 as one of this schema. It has no checksum: a figure edited in it goes unseen."""
    if not content.endswith(b"}\n"):
        raise ValueError("cut short")
    fields = json.loads(content, object_pairs_hook=unique)
    return msgspec.json.encode({**fields, "schema": SCHEMA, "version": "0.1.0"})


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError for a name that is there twice: which value counts would be anybody's guess."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate field {twice[:64]!r}")
    return fields


UPGRADES: dict[int, Callable[[bytes], bytes]] = {1: from_schema_1}


class Origin(msgspec.Struct):
    """All that is read of a record of another schema, before it is decided how to go on."""

    schema: int
    version: str | None = None


def decode(content: bytes, name: str | Path, kind: type[Run] = Run) -> Run:
    """The run in a file of that name, relative to its folder: a record that says what its name says.

    Raises ValueError (msgspec's is one) for anything else.
    """
    try:
        run = msgspec.json.decode(current(content), type=kind if content.startswith(HEAD) else Run)  # else no checksum
    except RecursionError:
        raise ValueError("nested too deeply for a record") from None
    if run.key != (key := key_of(run.spec)):
        raise ValueError(f"key {run.key[:64]!r} does not belong to its spec: {key} does")
    if str(name) != (belongs := name_of(run.spec, key)):
        raise ValueError(f"its spec belongs in {belongs}")
    if (run.status == "ok") != (run.metrics is not None):
        raise ValueError(f"status {run.status} {'without' if run.metrics is None else 'with'} metrics")
    return run


def current(content: bytes) -> bytes:
    """The content, its checksum verified, as JSON of this schema: older ones upgraded, newer ones refused."""
    if content.startswith(HEAD):
        return unseal(content)
    origin = msgspec.json.decode(content, type=Origin)
    if origin.schema == SCHEMA:
        raise ValueError("not as this program writes it: it was changed after it was written")
    if origin.schema not in UPGRADES:
        version = f"{origin.version} or newer" if origin.version else "a newer version"
        raise ValueError(f"schema {origin.schema}, this version reads up to {SCHEMA}: install aheadbench {version}")
    return UPGRADES[origin.schema](content)


HEAD = b'{\n "schema": %d,\n' % SCHEMA

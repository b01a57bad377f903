"""A record as bytes and back: its key, its name, its JSON, its checksum, and the upgrades of older schemas.

The checksum on a record's last line is the sha256 of all bytes before it. It finds what chance, a disk, a merge or an
editor changes. It is no signature: whoever changes a record on purpose can write a new one. Only running the job
again, and comparing its digests, tells then.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

import msgspec

from bench.records.bounds import bounded
from bench.records.checks import check, check_shapes
from bench.records.upgrades import UPGRADES
from bench.schema.record import SCHEMA, Run, Spec

LARGEST = 2**21  # bytes of a record: some two hundred times what one has; more is not read
PLAIN = re.compile(r"[a-zA-Z0-9_][\w.-]{0,63}", re.ASCII)


def key_of(spec: Spec) -> str:
    """Return the first 16 hexadecimal digits of the sha256 over the spec as JSON with sorted names."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


def path_of(spec: Spec) -> Path:
    """Return where the spec's record lies in its folder. Raises ValueError for a name that is no plain file name."""
    return Path(name_of(spec, key_of(spec)))


def name_of(spec: Spec, key: str) -> str:
    """Return the same as text, when the key is known: a Path costs more than the rest of reading a record."""
    for name in (spec.task, spec.method, spec.backend):
        if not PLAIN.fullmatch(name):
            allowed = "at most 64 letters, digits, '_', '-' and '.' can"
            raise ValueError(f"{name[:64]!r} cannot be part of a file name: {allowed}")
    return f"{spec.task}/{spec.method}--{spec.backend}--seed{spec.seed}--{key}.json"


def encode(run: Run) -> bytes:
    """Return the record's file: JSON that a person can read, its checksum last. Raises ValueError for what no one
    could read.

    Lists that grow with epochs or horizons are thinned: see `bench.records.bounds`.
    """
    for name, value in (run.metrics or {}).items():
        if not math.isfinite(value):
            raise ValueError(f"metrics: {name}: got {value}, needed a finite number")
    content = seal(msgspec.json.format(msgspec.json.encode(bounded(run)), indent=1))
    if len(content) > LARGEST:
        raise ValueError(f"its record has {len(content)} bytes, more than the {LARGEST} that are read: shorten --ahead")
    return content


def seal(content: bytes) -> bytes:
    """Return a JSON object with its checksum as the last field."""
    body = content.removesuffix(b"\n}")
    return body + SEAL % hashlib.sha256(body).hexdigest().encode()


SEAL = b',\n "checksum": "%b"\n}\n'
SEAL_LENGTH = len(SEAL % bytes(64))


def unseal(content: bytes) -> bytes:
    """Return the JSON object without its checksum.

    Raises ValueError where that is missing or belongs to other bytes.
    """
    body = content[:-SEAL_LENGTH]
    if content[-SEAL_LENGTH:] == SEAL % hashlib.sha256(body).hexdigest().encode():
        return body + b"\n}"
    if content[-SEAL_LENGTH:].startswith(SEAL[:16]):
        raise ValueError("its checksum does not match: it was changed after it was written")
    raise ValueError("no checksum at its end: cut short, or not written by this program")


def head(schema: int) -> bytes:
    """Return how a record begins that a program of this schema wrote."""
    return b'{\n "schema": %d,\n' % schema


HEADS = {schema: head(schema) for schema in (SCHEMA, 2)}  # those with a checksum


def decode(content: bytes, name: str | Path, kind: type[Run] = Run) -> Run:
    """Return the run in a file of that name, relative to its folder: a record that says what its name says.

    Raises ValueError (msgspec's is one) for anything else.
    """
    try:
        text, sealed = current(content)
        run = msgspec.json.decode(text, type=kind if sealed else Run)  # without a checksum, every field is looked at
    except RecursionError:
        raise ValueError("nested too deeply for a record") from None
    if run.key != (key := key_of(run.spec)):
        raise ValueError(f"key {run.key[:64]!r} does not belong to its spec: {key} does")
    if str(name) != (belongs := name_of(run.spec, key)):
        raise ValueError(f"its spec belongs in {belongs}")
    check(run)
    if isinstance(run.samples, msgspec.Raw):  # of a plan's record: these parts were not decoded
        return run
    check_shapes(run)
    return run


def current(content: bytes) -> tuple[bytes, bool]:
    """Return the content as JSON of this schema, and whether it had a checksum, which is verified.

    Older schemas are upgraded, newer ones refused.
    """
    for schema, begins in HEADS.items():
        if content.startswith(begins):
            return upgraded(unseal(content), schema), True
    origin = msgspec.json.decode(content, type=Origin)
    if origin.schema in HEADS:
        raise ValueError("not as this program writes it: it was changed after it was written")
    if origin.schema not in UPGRADES:
        version = f"{origin.version} or newer" if origin.version else "a newer version"
        raise ValueError(f"schema {origin.schema}, this version reads up to {SCHEMA}: install aheadbench {version}")
    return upgraded(content, origin.schema), False


class Origin(msgspec.Struct):
    """All that is read of a record of another schema, before it is decided how to go on."""

    schema: int
    version: str | None = None


def upgraded(content: bytes, schema: int) -> bytes:
    """Return a record's JSON as JSON of this schema."""
    for version in range(schema, SCHEMA):
        content = UPGRADES[version](content)
    return content

"""Records of older schemas, as JSON of the next one: no record becomes unreadable, and none is rewritten."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from bench.schema.record import Positive


def from_schema_1(content: bytes) -> bytes:
    """Upgrade a record of version 0.1.0. It has no checksum: a figure edited in it goes unseen."""
    if not content.endswith(b"}\n"):
        raise ValueError("cut short")
    fields = json.loads(content, object_pairs_hook=unique)
    return msgspec.json.encode({**fields, "schema": 2, "version": "0.1.0"})


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError for a name that is there twice: which value counts would be a guess."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate field {twice[:64]!r}")
    return fields


class Original(msgspec.Struct, forbid_unknown_fields=True):
    """Errors in the data's own units, as schema 2 had them."""

    rmse: Positive
    mae: Positive
    smape: Positive
    mase: Positive | None
    test_rmse: Positive
    test_mae: Positive
    test_smape: Positive
    test_mase: Positive | None
    by_block: list[Positive]


class Metrics(msgspec.Struct, forbid_unknown_fields=True):
    """Errors as schema 2 had them: a fixed set."""

    val_mse: Positive
    last_step_mse: Positive
    test_mse: Positive
    val_mae: Positive
    val_smape: Positive
    mse_by_step: list[Positive]
    original: Original | msgspec.UnsetType = msgspec.UNSET


class Version2(msgspec.Struct, forbid_unknown_fields=True):
    """A record of schema 2: all but its metrics is taken over as it is written."""

    schema: int
    key: msgspec.Raw
    spec: msgspec.Raw
    status: msgspec.Raw
    reason: msgspec.Raw
    metrics: Metrics | None
    seconds: msgspec.Raw
    samples: msgspec.Raw
    timing_valid: msgspec.Raw
    timing_reason: msgspec.Raw
    curve: msgspec.Raw
    parameters: msgspec.Raw
    digest: msgspec.Raw
    examples: msgspec.Raw
    environment: msgspec.Raw
    started_at: msgspec.Raw
    version: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    truth: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def from_schema_2(content: bytes) -> bytes:
    """Upgrade a record whose metrics were a fixed set: they become a map, and lists become fields of the record."""
    record = msgspec.json.decode(content, type=Version2)
    fields = msgspec.structs.asdict(record) | {"schema": 3, **opened(record.metrics)}
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not msgspec.UNSET})


def opened(metrics: Metrics | None) -> dict[str, Any]:
    """Return the fields of schema 3 that hold these metrics."""
    if metrics is None:
        return {"metrics": None}
    numbers = msgspec.structs.asdict(metrics)
    found = {"mse_by_step": numbers.pop("mse_by_step")}
    if original := numbers.pop("original"):
        units = msgspec.structs.asdict(original)
        found["by_block"] = units.pop("by_block")
        numbers |= {f"original_{name}": value for name, value in units.items() if value is not None}
    return {"metrics": numbers, **found}


UPGRADES: dict[int, Callable[[bytes], bytes]] = {1: from_schema_1, 2: from_schema_2}

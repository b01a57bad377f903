"""Records of older schemas, as JSON of the next one: no record becomes unreadable, and none is rewritten."""

from __future__ import annotations

import json
import re
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


SCHEMA_2 = re.compile(rb'(?<="schema":)\s*2\b')  # a record begins with it


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


class Version2(msgspec.Struct):
    """What changes of a record of schema 2: all else is taken over as it is written."""

    schema: int
    metrics: msgspec.Raw


def from_schema_2(content: bytes) -> bytes:
    """Upgrade a record whose metrics were a fixed set: they become a map, and lists become fields of the record.

    Its text is changed where they stand: most records are of schema 2, and writing one again would take as long as
    reading it.
    """
    written = bytes(msgspec.json.decode(content, type=Version2).metrics)
    metrics = msgspec.json.decode(written, type=Metrics | None)
    text = SCHEMA_2.sub(b"3", content, count=1)
    if metrics is None:
        return text
    numbers, lists = opened(metrics)
    now = msgspec.json.encode(numbers) + b"," + msgspec.json.encode(lists)[1:-1]
    return text.replace(written, now, 1)  # nothing else in a record reads like them: strings have their quotes escaped


def opened(metrics: Metrics) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return the metrics of schema 3, and its fields that hold lists."""
    numbers = msgspec.structs.asdict(metrics)
    lists = {"mse_by_step": numbers.pop("mse_by_step")}
    if original := numbers.pop("original"):
        units = msgspec.structs.asdict(original)
        lists["by_block"] = units.pop("by_block")
        numbers |= {f"original_{name}": value for name, value in units.items() if value is not None}
    return numbers, lists


UPGRADES: dict[int, Callable[[bytes], bytes]] = {1: from_schema_1, 2: from_schema_2}

"""Run, the record of one finished job, and the store: results/<task>/<method>--<backend>--seed<S>--<key>.json.

One file per run needs no lock, merges in git without conflict, and a torn or edited file is found out: its name, key
and schema have to agree. Nothing here deletes a record.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from bench import files
from bench.errors import UsageError
from bench.reading import Preparation

SCHEMA = 1
Status = Literal["ok", "diverged", "failed", "timeout", "oom", "lost"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a method comes from that is not of this repository."""

    reference: str  # mine.py:MyForecaster, or what a package's entry point names
    version: str  # the sha256 of the file, or the package's version


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was asked for: equal specs mean the same run."""

    task: str
    method: str
    backend: str
    seed: int
    settings: dict[str, int | float | str | bool | None]  # every setting of the method, defaults resolved
    changed: tuple[str, ...] = ()  # settings that differ from the method's defaults, sorted: empty = the default row
    quick: bool = False  # small data, 2 epochs: never ranked with full runs
    data_sha256: str
    series: Preparation | msgspec.UnsetType = msgspec.UNSET  # of a file; unset, it is no part of the key
    source: Source | msgspec.UnsetType = msgspec.UNSET  # of a method from outside; likewise


class Original(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Errors in the data's own units, after scaling and differences are undone: validation, and test."""

    rmse: float
    mae: float
    smape: float  # percent
    mase: float | None  # null where the seasonal naive forecast makes no error to compare with
    test_rmse: float
    test_mae: float
    test_smape: float
    test_mase: float | None
    #: scaled squared errors of consecutive validation windows, H at a time: what methods are compared by in pairs
    by_block: list[float]


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Errors of one run, all in float64 from the forecasts."""

    val_mse: float  # over all that the method is trained to output
    last_step_mse: float  # over the H values forecast from the last history step: the ranking's measure
    test_mse: float  # the same on the test series
    val_mae: float
    val_smape: float  # percent
    mse_by_step: list[float]  # [H]: validation, one value per step ahead
    original: Original | msgspec.UnsetType = msgspec.UNSET  # of series from a file; the errors above are of scaled ones


class Truth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the examples of a run forecast, kept where the data may be gone: first channel, own units."""

    history: list[list[float]]  # [count, T]
    future: list[list[float]]  # [count, H]
    imputed: int  # values filled in, of the whole file
    description: str  # series, steps, windows, in words


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One finished job, read again years later: what was asked, what came out, where, and how long it took."""

    schema: int
    key: str
    spec: Spec
    status: Status
    reason: str | None
    metrics: Metrics | None
    #: phases in seconds: start, import, data, build, first_step, fit, validate, predict_first, predict, evaluate, total
    seconds: dict[str, float] | None
    samples: dict[str, list[float]] | None  # raw seconds: predict (at least 5), epochs
    timing_valid: bool
    timing_reason: str | None
    curve: dict[str, list[float]] | None  # loss, val_loss, seconds: one value per epoch
    parameters: int | None
    digest: dict[str, str] | None  # sha256 of "forecasts" and "weights"
    examples: list[list[float]] | None  # forecasts of the first three validation series, first channel
    environment: dict[str, str | int | float | bool | None | dict[str, str]]
    started_at: str  # UTC, ISO 8601
    truth: Truth | msgspec.UnsetType = msgspec.UNSET  # of series from a file


def key_of(spec: Spec) -> str:
    """The first 16 hexadecimal digits of the sha256 over the spec as JSON with sorted names."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


def path_of(spec: Spec) -> Path:
    """Where the spec's record lies in its folder. Raises ValueError for a name that is no plain file name."""
    for name in (spec.task, spec.method, spec.backend):
        if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
            raise ValueError(f"{name!r} cannot be part of a file name: letters, digits, '_', '-' and '.' can")
    return Path(spec.task, f"{spec.method}--{spec.backend}--seed{spec.seed}--{key_of(spec)}.json")


def write(folder: Path, run: Run) -> Path:
    """Store a run, whole or not at all, whenever the machine stops.

    Raises ValueError for a run that could not be read again, UsageError when the file cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n"
    decode(content, path_of(run.spec))
    path = folder / path_of(run.spec)
    files.replace(path, content, into_new_folder=True)
    return path


def read(folder: Path) -> tuple[list[Run], list[str]]:
    """Every valid record, in the order of file names, and one line for each file that is not one."""
    runs, problems = [], []
    for path in sorted(folder.glob("*/*.json")):
        name = path.relative_to(folder)
        try:
            runs.append(decode(path.read_bytes(), name))
        except (ValueError, OSError) as error:
            problems.append(f"{name.as_posix()}: {files.reason_of(error)}")
    return runs, problems


def decode(content: bytes, name: Path) -> Run:
    """The run in a file of that name, relative to its folder.

    Raises ValueError (msgspec's is one) for anything else.
    """
    run = msgspec.json.decode(content, type=Run)
    if run.schema != SCHEMA:
        raise ValueError(f"schema {run.schema}, this version reads {SCHEMA}")
    if run.key != key_of(run.spec):
        raise ValueError(f"key {run.key} does not belong to its spec: {key_of(run.spec)} does")
    if name != path_of(run.spec):
        raise ValueError(f"its spec belongs in {path_of(run.spec).as_posix()}")
    if (run.status == "ok") != (run.metrics is not None):
        raise ValueError(f"status {run.status} {'without' if run.metrics is None else 'with'} metrics")
    return run


def find(runs: Iterable[Run], name: str) -> Run:
    """The run with that key, or whose key alone begins so. Raises UsageError for none or several."""
    found = [run for run in runs if run.key.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name!r} begins {len(found)} keys: {', '.join(run.key for run in found[:5])}")
    raise UsageError(f"no run with key {name!r}: `python -m bench list runs` shows them")


def check_writable(folder: Path) -> None:
    """Create the folder where it is missing. Raises UsageError when records cannot be written there."""
    probe = folder / f".{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"results folder {str(folder)!r} cannot be written: {files.reason_of(error)}") from None

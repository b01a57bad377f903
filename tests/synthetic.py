"""Made-up records for the board's tests: as many methods, backends and seeds as a full campaign has."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from bench.data import datasets, generators
from bench.records.codec import key_of
from bench.schema.record import SCHEMA, Run, Spec
from bench.tasks import TASKS

BASELINES = ("last_value", "moving_average", "arima")
NOTED = ("linear", "simple_rnn", "deep_rnn", "gru", "lstm", "layer_norm_rnn_loop_as_printed")
NETWORKS = (*NOTED, *(f"method_{number}" for number in range(26)))
BACKENDS = ("keras", "keras-jax", "torch")
ENVIRONMENT: dict[str, Any] = {
    "cpu": "AMD EPYC 9554", "cores": 2, "memory_gib": 8.0, "gpu": None, "os": "Linux", "architecture": "x86_64",
    "python": "3.11.9", "packages": {"keras": "3.15.0", "torch": "2.13.0"}, "commit": "0123456789abcdef",
    "dirty": False, "threads": 1, "affinity": 1,
}  # fmt: skip


@cache
def data_sha256(task: str, quick: bool) -> str:
    """The digest of a task's real data, so that pictures find the truth; another text for an unknown task."""
    if task not in TASKS:
        return "0" * 64
    return datasets.digest(generators.load(TASKS[task].quick() if quick else TASKS[task]))


def make(
    method: str = "gru", backend: str = "keras", seed: int = 42, error: float = 0.01, fit: float = 10.0, *,
    task: str = "ten-step", settings: dict[str, Any] | None = None, changed: Sequence[str] = (), quick: bool = False,
    **fields: Any,
) -> Run:  # fmt: skip
    """One `ok` record with this last-step MSE and these fit seconds; `fields` replace any of the record's own."""
    steps = 1 if task == "one-step" else 10
    spec = Spec(
        task=task, method=method, backend=backend, seed=seed, settings=settings or {"epochs": 20, "units": 20},
        changed=tuple(changed), quick=quick, data_sha256=data_sha256(task, quick),
    )  # fmt: skip
    errors = {
        "val_mse": 2 * error, "last_step_mse": error, "test_mse": 1.1 * error, "val_mae": error, "val_smape": 9.0,
    }  # fmt: skip
    run = Run(
        schema=SCHEMA, key=key_of(spec), spec=spec, status="ok", reason=None, metrics=errors,
        mse_by_step=[error] * steps,
        seconds={"fit": fit, "predict": fit / 1000, "total": fit}, samples=None, timing_valid=True, timing_reason=None,
        curve={"loss": [0.1, 0.05, error], "val_loss": [0.09, 0.06, error], "seconds": [1.0, 2.0, 3.0]},
        parameters=1234, digest=None,
        examples=[[math.sin(step / 3 + row + error) for step in range(steps)] for row in range(3)],
        environment=ENVIRONMENT, started_at="2026-08-01T00:00:00+00:00",
    )  # fmt: skip
    run = msgspec.structs.replace(run, **fields)
    return msgspec.structs.replace(run, key=fields.get("key", key_of(run.spec)))


def failed(run: Run, status: str = "diverged", reason: str = "loss is nan in epoch 3") -> Run:
    """The record as it would be had the run failed."""
    lost: dict[str, Any] = dict.fromkeys(("metrics", "seconds", "curve", "parameters", "examples"))
    return msgspec.structs.replace(run, status=status, reason=reason, timing_valid=False, **lost)


def campaign(seeds: Iterable[int] = (42,), task: str = "ten-step") -> list[Run]:
    """35 methods, the networks in three backends each, with plausible errors and times."""
    chance = random.Random(7)
    runs = []
    for method in (*BASELINES, *NETWORKS):
        error, fit = 10 ** chance.uniform(-2.2, -1.5), 10 ** chance.uniform(0.5, 1.8)
        for backend in ("numpy",) if method in BASELINES else BACKENDS:
            seconds = fit * chance.uniform(0.4, 1)
            for seed in seeds:
                runs.append(make(method, backend, seed, error * chance.uniform(0.9, 1.1), seconds, task=task))
    return runs

"""Keys never change, and records of older schemas are read as they are."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT, make_run, make_spec, older

from bench.metrics import METRICS
from bench.records import codec
from bench.schema.record import Run, Spec

KEYS = json.loads((Path(__file__).parent / "keys.json").read_text())


@pytest.mark.parametrize("key", KEYS)
def test_the_keys_of_committed_records_never_change(key: str) -> None:
    assert codec.key_of(msgspec.convert(KEYS[key], Spec)) == key


def test_twenty_keys_are_held_of_every_kind_of_spec() -> None:
    specs = [msgspec.convert(fields, Spec) for fields in KEYS.values()]
    assert len(specs) == 20
    for is_kind in (
        lambda spec: spec.series, lambda spec: spec.native, lambda spec: spec.changed, lambda spec: spec.plain,
    ):  # fmt: skip
        assert any(map(is_kind, specs))


def sealed(fields: dict[str, object]) -> bytes:
    """The fields as a file of their schema."""
    return codec.seal(json.dumps(fields, indent=1).encode())


def test_a_record_of_schema_2_is_read_as_one_of_today() -> None:
    run = make_run()
    content = sealed(older(msgspec.to_builtins(run)))
    assert codec.decode(content, codec.path_of(run.spec)) == run


def test_errors_in_own_units_of_schema_2_become_metrics() -> None:
    run = make_run()
    fields = older(msgspec.to_builtins(run))
    names = [f"{part}{name}" for part in ("", "test_") for name in ("rmse", "mae", "smape")]
    units = dict.fromkeys(names, 2.0) | {"mase": None, "test_mase": 0.5, "by_block": [1.0, 3.0]}
    fields["metrics"]["original"] = units
    read = codec.decode(sealed(fields), codec.path_of(run.spec))
    assert read.by_block == [1.0, 3.0] and read.metrics is not None
    assert {name: read.metrics[f"original_{name}"] for name in names} == dict.fromkeys(names, 2.0)
    assert read.metrics["original_test_mase"] == 0.5 and "original_mase" not in read.metrics
    assert read.metrics.keys() <= METRICS.keys()


@pytest.mark.parametrize("field", ["val_mae", "mse_by_step"])
def test_a_record_of_schema_2_without_a_metric_it_had_is_none(field: str) -> None:
    fields = older(msgspec.to_builtins(make_run()))
    del fields["metrics"][field]
    with pytest.raises(ValueError, match=f"missing required field `{field}`"):
        codec.decode(sealed(fields), codec.path_of(make_spec()))


def test_a_metric_that_this_version_does_not_know_is_kept() -> None:
    """A later version, or a branch, adds a metric: its records stay valid here."""
    run = make_run()
    more = msgspec.structs.replace(run, metrics={**(run.metrics or {}), "median_error": 0.25})
    assert codec.decode(codec.encode(more), codec.path_of(run.spec)) == more


def test_a_record_without_the_metric_that_ranks_is_none() -> None:
    run = make_run(metrics={"val_mse": 0.1, "test_mse": 0.1})
    with pytest.raises(ValueError, match="last_step_mse"):
        codec.decode(codec.encode(run), codec.path_of(run.spec))


def test_every_committed_record_is_read() -> None:
    paths = sorted((ROOT / "results").glob("*/*.json"))
    runs: list[Run] = [codec.decode(path.read_bytes(), path.relative_to(ROOT / "results")) for path in paths]
    assert len(runs) > 1000 and all(run.metrics for run in runs if run.status == "ok")

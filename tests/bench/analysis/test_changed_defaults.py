"""Records of a method whose defaults have changed since are no default row."""

from __future__ import annotations

from synthetic import make

import implementations
from bench.analysis import table
from bench.analysis.table import frame, select
from bench.schema.record import Run

OLD = {"epochs": 60, "batch_size": 64, "learning_rate": 0.001, "patch": 8, "stride": 4}


def record(**more: object) -> Run:
    now = implementations.default_settings("patchtst")
    return make("patchtst", "keras-jax", 42, settings={**now, **more})


def test_a_record_at_old_defaults_states_what_has_changed() -> None:
    old, new = record(**OLD), record()
    assert new.spec.changed == old.spec.changed == ()
    tried = frame([old, new])
    shown = {row.changed: row.key for row in table.each(select(tried)[0])}
    assert shown == {("epochs=60", "learning_rate=0.001", "patch=8", "stride=4"): old.key, (): new.key}
    assert [run.key for run in table.at_defaults([old, new])] == [new.key]
    assert table.at_defaults([old]) == []


def test_the_old_name_has_the_old_defaults_too() -> None:
    spec = make("transformer", "keras-jax", 42, settings=record(**OLD).spec.settings).spec
    now = table.up_to_date(spec)
    assert now.method == "patchtst" and now.changed == ("epochs", "learning_rate", "patch", "stride")
    adapted = {**record(**OLD).spec.settings, "flip": False, "reverse": False}
    assert table.up_to_date(make("transformer", "torch", 1, settings=adapted).spec).changed == now.changed


def test_what_a_record_leaves_out_is_off_and_not_todays_default() -> None:
    for name in ("nlinear", "encoder_decoder", "gru"):
        assert implementations.complete(name, {})["normalise"] == "none"
    assert implementations.complete("nlinear", {"normalise": "mean", "epochs": 3})["normalise"] == "mean"

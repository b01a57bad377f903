"""Training options in specs: stated where they are on, so that older records keep their keys."""

from __future__ import annotations

import pytest
from conftest import Bench, make_spec

from bench.campaigns import selection
from bench.campaigns.request import Selection
from bench.campaigns.settings import parse_settings
from bench.records.codec import key_of


def specs(method: str, *settings: str, task: str = "ten-step") -> list:
    asked = {"methods": (method,), "tasks": (task,), "backends": ("torch",), "settings": parse_settings(settings)}
    return selection.specs(Selection(**asked))


def test_an_option_is_on_the_record_where_it_is_on() -> None:
    (plain,), (off,), (on,) = specs("gru"), specs("gru", "gru.schedule=constant"), specs("gru", "gru.schedule=cosine")
    assert key_of(off) == key_of(plain) and "schedule" not in plain.settings and off.changed == ()
    assert on.settings == {**plain.settings, "schedule": "cosine"} and on.changed == ("schedule",)
    assert on.differences() == ["schedule=cosine"] and key_of(on) != key_of(plain)


def test_an_option_that_is_on_by_default_is_always_on_the_record() -> None:
    (plain,), (off,) = specs("mlp"), specs("mlp", "mlp.schedule=constant")
    assert plain.settings["schedule"] == "cosine" and off.settings["schedule"] == "constant"
    assert off.changed == ("schedule",) and plain.changed == ()


def test_series_from_a_file_are_not_turned_round_unless_asked_to() -> None:
    (drawn,), (file,) = specs("mlp"), specs("mlp", task="nile")
    (asked,) = specs("mlp", "mlp.reverse=true", task="nile")
    assert drawn.settings["flip"] and drawn.settings["reverse"] and drawn.changed == ()
    assert not file.settings["flip"] and not file.settings["reverse"] and file.changed == ()
    assert asked.settings["reverse"] and asked.changed == ("reverse",)


def test_select_marks_networks_alone() -> None:
    chosen = selection.specs(Selection(methods=("linear", "last_value"), tasks=("nile",), backends=("torch",),
                                       select="validation"))  # fmt: skip
    assert {spec.method: spec.differences() for spec in chosen} == {"linear": ["select=validation"], "last_value": []}
    last = specs("linear", "linear.select=last", task="nile")
    assert [key_of(one) for one in specs("linear", task="nile")] == [key_of(one) for one in last]


def test_keys_of_older_records_stay() -> None:
    assert key_of(make_spec()) == "47a51b60a63358a4"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("gru.schedule=cosin", "gru.schedule: got 'cosin', allowed: constant, cosine"),
        ("gru.averaging=mean", "gru.averaging: got 'mean', allowed: none, swa, ema"),
        ("gru.warmup=1", "gru.warmup: got 1.0, needed at least 0 and less than 1"),
        ("gru.noise=-1", "gru.noise: got -1.0, needed at least 0"),
        ("gru.members=0", "gru.members: got 0, needed at least 1"),
        ("gru.patience=3", "gru.patience: got 3, needed with it: gru.holdout more than 0"),
        ("gru.select=best", "gru.select: got 'best', allowed: last, validation"),
        ("gru.weight_decay=0.1", "gru.weight_decay: got optimizer adam, needed adamw (others: l2)"),
        ("gru.optimizer=adamax", "gru.optimizer: got 'adamax', allowed: adam, adamw, sgd"),
        ("linear.shift=3", "linear.shift: got 3, allowed: 0; its network takes one length alone"),
        ("nbeats.output_heads=2", "nbeats.output_heads: got 2, allowed: 1; its outputs share weights"),
        ("gru.output_heads=0", "gru.output_heads: got 0, needed at least 1"),
        ("gru.shedule=cosine", "unknown setting of gru 'shedule': did you mean schedule"),
        ("arima.schedule=cosine", "unknown setting of arima 'schedule'"),
    ],
)
def test_what_means_nothing_is_named(setting: str, message: str, inside: Bench) -> None:
    done = inside("run", "--dry-run", "--task", "ten-step", "--set", setting)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bench: {message}") and done.stderr.count("\n") == 1

"""The store: what is written is read again, and nothing else is taken for a record."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from conftest import make_run, make_spec, stored

from bench.analysis import anytime
from bench.errors import UsageError
from bench.records import codec, repository


def test_write_then_read(tmp_path):
    run = make_run(curve={"loss": [0.1, 1 / 3]}, environment={"cpu": "a", "packages": {"numpy": "2"}, "dirty": False})
    path = repository.write(tmp_path, run)
    assert path.relative_to(tmp_path).as_posix() == f"ten-step/gru--keras--seed42--{run.key}.json"
    assert stored(tmp_path) == [run]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_record_is_strict_and_small(tmp_path):
    content = repository.write(tmp_path, make_run()).read_text()
    assert json.loads(content, parse_constant=pytest.fail)["spec"]["method"] == "gru"
    assert content.endswith("}\n") and len(content) < 20_000


def test_records_read_for_a_board_share_what_they_say_alike(tmp_path):
    for seed in (1, 2):
        repository.write(tmp_path, make_run(make_spec(seed=seed), environment={"cpu": "a", "packages": {"numpy": "2"}}))
    whole, lean = repository.read(tmp_path)[0], repository.read(tmp_path, keep=anytime.thinned)[0]
    assert [run.spec for run in lean] == [run.spec for run in whole]
    assert [run.environment for run in lean] == [run.environment for run in whole]
    assert lean[0].spec.settings is lean[1].spec.settings and whole[0].spec.settings is not whole[1].spec.settings


def test_the_key_follows_from_the_spec_alone():
    canonical = json.dumps(msgspec.to_builtins(make_spec()), sort_keys=True, separators=(",", ":"))
    assert codec.key_of(make_spec()) == hashlib.sha256(canonical.encode()).hexdigest()[:16]
    assert codec.key_of(make_spec(settings={"b": 1, "a": 2})) == codec.key_of(make_spec(settings={"a": 2, "b": 1}))
    changed = [
        {"seed": 43},
        {"settings": {"epochs": 21}},
        {"backend": "torch"},
        {"quick": True},
        {"data_sha256": "1" * 64},
    ]
    assert len({codec.key_of(make_spec(**change)) for change in [{}, *changed]}) == 6


def test_writing_again_replaces_the_record(tmp_path):
    for reason in ("first", "second"):
        repository.write(tmp_path, make_run(status="failed", metrics=None, reason=reason))
    assert [run.reason for run in stored(tmp_path)] == ["second"]


def test_not_a_number_is_never_written(tmp_path):
    good = make_run()
    metrics = {**good.metrics, "val_mse": float("nan")}
    with pytest.raises(ValueError, match="val_mse"):
        repository.write(tmp_path, make_run(metrics=metrics))
    assert not list(tmp_path.iterdir())


def test_runs_are_found_by_the_beginning_of_their_key():
    one, other = make_run(), make_run(make_spec(seed=1))
    assert repository.find([one, other], one.key) is one
    assert repository.find([one, other], other.key[:6]) is other
    with pytest.raises(UsageError, match="no run with key 'zz'"):
        repository.find([one, other], "zz")
    with pytest.raises(UsageError, match="no run with key ''"):
        repository.find([one], "")
    with pytest.raises(UsageError, match="begins 2 keys"):
        repository.find([one, msgspec.structs.replace(other, key=one.key[:4] + other.key[4:])], one.key[:4])


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "inner"):
        with pytest.raises(UsageError, match="cannot be written"):
            repository.check_writable(folder)
    repository.check_writable(tmp_path / "new" / "folder")
    assert not list((tmp_path / "new" / "folder").iterdir())

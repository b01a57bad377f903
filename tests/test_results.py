"""The store: what is written is read again, and nothing else is taken for a record."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import make_run, make_spec, stored

from bench import results
from bench.errors import UsageError


def test_write_then_read(tmp_path):
    run = make_run(curve={"loss": [0.1, 1 / 3]}, environment={"cpu": "a", "packages": {"numpy": "2"}, "dirty": False})
    path = results.write(tmp_path, run)
    assert path.relative_to(tmp_path).as_posix() == f"ten-step/gru--keras--seed42--{run.key}.json"
    assert stored(tmp_path) == [run]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_record_is_strict_and_small(tmp_path):
    content = results.write(tmp_path, make_run()).read_text()
    assert json.loads(content, parse_constant=pytest.fail)["spec"]["method"] == "gru"
    assert content.endswith("}\n") and len(content) < 20_000


def test_the_key_follows_from_the_spec_alone():
    canonical = json.dumps(msgspec.to_builtins(make_spec()), sort_keys=True, separators=(",", ":"))
    assert results.key_of(make_spec()) == hashlib.sha256(canonical.encode()).hexdigest()[:16]
    assert results.key_of(make_spec(settings={"b": 1, "a": 2})) == results.key_of(make_spec(settings={"a": 2, "b": 1}))
    changed = [
        {"seed": 43},
        {"settings": {"epochs": 21}},
        {"backend": "torch"},
        {"quick": True},
        {"data_sha256": "1" * 64},
    ]
    assert len({results.key_of(make_spec(**change)) for change in [{}, *changed]}) == 6


def test_writing_again_replaces_the_record(tmp_path):
    for reason in ("first", "second"):
        results.write(tmp_path, make_run(status="failed", metrics=None, reason=reason))
    assert [run.reason for run in stored(tmp_path)] == ["second"]


def test_not_a_number_is_never_written(tmp_path):
    good = make_run()
    metrics = msgspec.structs.replace(good.metrics, val_mse=float("nan"))
    with pytest.raises(ValueError, match="val_mse"):
        results.write(tmp_path, make_run(metrics=metrics))
    assert not list(tmp_path.iterdir())


def test_every_torn_write_is_found_out(tmp_path):
    path = results.write(tmp_path, make_run())
    content = path.read_bytes()
    for end in range(len(content) - 2):
        path.write_bytes(content[:end])
        assert results.read(tmp_path)[0] == [], end


def edited(change: dict[str, Any]) -> bytes:
    """The record with fields replaced, as a person with an editor would."""
    return json.dumps({**json.loads(msgspec.json.encode(make_run())), **change}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated"),
        (b"\x00\xff", "JSON is malformed"),
        (b"[]", "Expected `object`"),
        (b'{"schema": 1}', "missing required field"),
        (edited({"schema": 2}), "schema 2, this version reads 1"),
        (edited({"more": 1}), "unknown field"),
        (edited({"status": "fine"}), "status"),
        (edited({"metrics": None}), "status ok without metrics"),
        (edited({"status": "failed"}), "status failed with metrics"),
        (edited({"key": "0" * 16}), "does not belong to its spec"),
        (edited({"spec": {**msgspec.to_builtins(make_spec()), "seed": 7}}), "does not belong to its spec"),
        (edited({}).replace(b"0.1", b"NaN", 1), "malformed"),
    ],
)
def test_damaged_records_are_named_and_left_out(tmp_path, content, message):
    good = results.write(tmp_path, make_run(make_spec(seed=1)))
    bad = results.write(tmp_path, make_run())
    bad.write_bytes(content)
    runs, problems = results.read(tmp_path)
    assert [run.spec.seed for run in runs] == [1]
    assert len(problems) == 1 and bad.name in problems[0] and message in problems[0] and "\n" not in problems[0]
    assert bad.read_bytes() == content and good.exists()


def test_a_record_under_another_name_is_left_out(tmp_path):
    path = results.write(tmp_path, make_run())
    path.rename(path.with_name(path.name.replace("seed42", "seed43")))
    assert "its spec belongs in ten-step/gru--keras--seed42" in results.read(tmp_path)[1][0]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "", ".hidden", "a\0b", "a\nb"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be part of a file name"):
        results.write(tmp_path / "inner", make_run(make_spec(method=name)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, step):
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        results.write(tmp_path, make_run())
    assert not list((tmp_path / "ten-step").iterdir())


def test_runs_are_found_by_the_beginning_of_their_key():
    one, other = make_run(), make_run(make_spec(seed=1))
    assert results.find([one, other], one.key) is one
    assert results.find([one, other], other.key[:6]) is other
    with pytest.raises(UsageError, match="no run with key 'zz'"):
        results.find([one, other], "zz")
    with pytest.raises(UsageError, match="no run with key ''"):
        results.find([one], "")
    with pytest.raises(UsageError, match="begins 2 keys"):
        results.find([one, msgspec.structs.replace(other, key=one.key[:4] + other.key[4:])], one.key[:4])


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "inner"):
        with pytest.raises(UsageError, match="cannot be written"):
            results.check_writable(folder)
    results.check_writable(tmp_path / "new" / "folder")
    assert not list((tmp_path / "new" / "folder").iterdir())

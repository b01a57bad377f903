"""A record is damaged, renamed, cut, forged. Rows 6 of the matrix in docs/reliability.md."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import Bench, make_run, make_spec, older, stored
from fault_injection import call

from bench.records import codec, repository

Damage = Callable[[bytes], bytes]


def edited(**changes: Any) -> Damage:
    """A person with an editor changes fields and leaves the checksum as it was."""

    def edit(content: bytes) -> bytes:
        for name, value in changes.items():
            content, count = re.subn(rb'("%b": )[^\n]+?(,?\n)' % name.encode(), rb"\g<1>%b\g<2>" % value, content)
            assert count
        return content

    return edit


def forged(**changes: Any) -> Damage:
    """A program changes fields and writes a new checksum."""

    def forge(content: bytes) -> bytes:
        fields = {**json.loads(content), **changes}
        del fields["checksum"]
        return codec.seal(json.dumps(fields, indent=1).encode())

    return forge


def of_schema_1(content: bytes, **changes: Any) -> bytes:
    """The record as version 0.1.0 wrote it: no version and no checksum."""
    fields = older(json.loads(content)) | {"schema": 1} | changes
    del fields["checksum"], fields["version"]
    return json.dumps(fields, indent=1).encode() + b"\n"


def newer(**changes: Any) -> Damage:
    """The record as a later program may write it."""
    return lambda content: json.dumps({**json.loads(content), "schema": 4, "more": 1, **changes}).encode()


def renamed(method: str) -> Damage:
    """A program makes a record for a method of that name, with the key that belongs to it."""
    spec = make_spec(method=method)
    return forged(spec=msgspec.to_builtins(spec), key=codec.key_of(spec))


OTHER_SPEC = {**msgspec.to_builtins(make_spec()), "seed": 7}
DAMAGES: dict[str, tuple[Damage, str]] = {
    "empty": (lambda content: b"", "truncated"),
    "binary": (lambda content: b"\x00\xff" * 99, "malformed"),
    "a pickle": (lambda content: pickle.dumps({"schema": 2}), "malformed"),
    "a list": (lambda content: b"[]", "Expected `object`"),
    "another object": (lambda content: b'{"schema": 1}\n', "missing required field"),
    "cut short": (lambda content: content[:-1], "not as this program writes it|no checksum at its end"),
    "twice in one file": (lambda content: content + content, "checksum does not match"),
    "one bit": (lambda content: content.replace(b"0.1", b"0.3", 1), "checksum does not match"),
    "a better error": (edited(last_step_mse=b"0.000001"), "checksum does not match"),
    "reformatted": (lambda content: json.dumps(json.loads(content)).encode(), "not as this program writes it"),
    "its checksum gone": (lambda content: re.sub(rb',\n "checksum.*\n', b"\n", content), "no checksum at its end"),
    "a duplicate field": (lambda content: content.replace(b'"test_mse"', b'"val_mse": 1,\n  "test_mse"'), "checksum"),
    "a duplicate field, schema 1": (
        lambda content: of_schema_1(content).replace(b'"test_mse"', b'"val_mse": 0.1, "test_mse"'),
        "duplicate field 'val_mse'",
    ),
    "an unknown field": (forged(more=1), "unknown field `more`"),
    "a newer schema": (newer(version="0.9.1"), "schema 4, this version reads up to 3: install aheadbench 0.9.1"),
    "a newer schema, unsigned": (newer(version=None), "schema 4.*: install aheadbench a newer version"),
    "an unknown status": (forged(status="fine"), "status"),
    "ok without metrics": (forged(metrics=None), "status ok without metrics"),
    "failed with metrics": (forged(status="failed"), "status failed with metrics"),
    "a curve, without checksum": (lambda content: of_schema_1(content, curve=5), r"\$\.curve"),
    "another key": (forged(key="0" * 16), "does not belong to its spec"),
    "another spec": (forged(spec=OTHER_SPEC), "does not belong to its spec"),
    "a negative error": (
        forged(metrics={**msgspec.to_builtins(make_run().metrics), "val_mse": -1}),
        "val_mse: got -1.0, needed 0 to",
    ),
    "infinity": (lambda content: content.replace(b"0.1", b"1e999", 1), "checksum"),
    "NaN": (lambda content: of_schema_1(content).replace(b"0.1", b"NaN", 1), "malformed"),
    "a name with a path": (renamed("../../x"), "cannot be part of a file name"),
    "a name of 300 letters": (renamed("x" * 300), "cannot be part of a file name"),
    "nested too deeply": (lambda content: b'{"schema": 2, "more": ' + b"[" * 10**5, "nested too deeply"),
    "too large": (lambda content: b" " * 2**22, "4194304 bytes: at most 2097152 are read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_record(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    damage, message = DAMAGES[name]
    good = repository.write(tmp_path, make_run(make_spec(seed=1)))
    bad = repository.write(tmp_path, make_run())
    content = damage(bad.read_bytes())
    bad.write_bytes(content)
    runs, (problem,) = repository.read(tmp_path)
    assert [run.spec.seed for run in runs] == [1]
    assert problem.startswith(f"ten-step/{bad.name}: ") and re.search(message, problem) and "\n" not in problem
    entries, problems = repository.look_up(tmp_path, [f"ten-step/{bad.name}", f"ten-step/{good.name}"])
    assert list(entries) == [f"ten-step/{good.name}"] and problems == [problem]
    assert problem in call(monkeypatch, capsys, "results", "check", "--results", str(tmp_path), status=1)
    assert bad.read_bytes() == content and good.exists()


def test_a_record_cut_at_any_byte(tmp_path: Path) -> None:
    path = repository.write(tmp_path, make_run())
    for content in (path.read_bytes(), of_schema_1(path.read_bytes())):
        for end in range(len(content)):
            path.write_bytes(content[:end])
            assert repository.read(tmp_path)[0] == [], end


def test_a_record_with_any_byte_changed(tmp_path: Path) -> None:
    content = codec.encode(make_run())
    for place in range(len(content)):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(ValueError):
            codec.decode(changed, codec.path_of(make_spec()))


@pytest.mark.parametrize("name", ["ten-step/gru.json", "gru.json", "ten-step/old/gru.json", "one-step/{name}"])
def test_a_renamed_record(tmp_path: Path, name: str) -> None:
    path = repository.write(tmp_path, make_run())
    moved = tmp_path / name.format(name=path.name)
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.rename(moved)
    assert re.search("its spec belongs in ten-step/gru--keras--seed42", repository.read(tmp_path)[1][0])
    assert moved.exists()


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    path = repository.write(tmp_path, make_run()).with_name("x.json")
    {"pipe": os.mkfifo, "folder": Path.mkdir, "loop": lambda path: path.symlink_to(path)}[kind](path)
    runs, (problem,) = repository.read(tmp_path)
    assert len(runs) == 1 and re.match("ten-step/x.json: (not a plain file|Too many levels)", problem)


def test_an_older_schema_is_read_and_left_as_it_is(tmp_path: Path, inside: Bench) -> None:
    run = make_run()
    path = repository.write(tmp_path / "results", run)
    path.write_bytes(of_schema_1(path.read_bytes()))
    before = path.read_bytes()
    assert stored(tmp_path / "results") == [msgspec.structs.replace(run, version="0.1.0")]
    checked = inside("results", "check")
    assert (checked.returncode, checked.stdout) == (0, "1 records, 0 invalid files\n")
    assert path.read_bytes() == before


def test_a_damaged_record_is_not_overwritten(tmp_path: Path) -> None:
    path = repository.write(tmp_path, make_run())
    path.write_bytes(b"something else")
    repository.write(tmp_path, make_run())
    assert [other.read_bytes() for other in tmp_path.glob("*/*.left-out")] == [b"something else"]
    assert stored(tmp_path) == [make_run()]

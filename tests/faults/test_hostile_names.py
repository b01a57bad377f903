"""Names with paths, markup and escapes. Rows 10 of the matrix in docs/reliability.md."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, make_run, make_spec, stored
from fault_injection import call

from bench.records import repository
from bench.reporting import leaderboard
from bench.text import clean

MARKUP = ["a|b", "a\nb", "<script>alert(1)</script>", "\x1b[31mred", "=cmd|' /C calc'!A0"]
HOSTILE = ["../../x", "x" * 300, *MARKUP]


@pytest.mark.parametrize("name", [*HOSTILE, "-1"])
def test_a_hostile_name_on_the_command_line(tmp_path: Path, monkeypatch: Any, capsys: Any, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ("--method", name), ("--task", name), ("--backend", name), ("--set", f"gru.units={name}"), (f"--seeds={name}",),
        ("--set", f"gru.{name}=1"), ("--set", f"{name}.units=1"), (f"--memory={name}",),
    ):  # fmt: skip
        said = call(monkeypatch, capsys, "run", *arguments, status=2)
        assert said.startswith("bench: ") and said.count("\n") == 1 and said.rstrip("\n").isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*HOSTILE, "/etc/x", "", ".hidden", "a\0b"])
def test_a_hostile_name_leads_out_of_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a file name"):
        repository.write(tmp_path / "inner", make_run(make_spec(method=name)))
    assert not list(tmp_path.iterdir())


def test_case_twins_are_different_runs(tmp_path: Path) -> None:
    specs = [make_spec(), make_spec(method="GRU"), make_spec(seed=1), make_spec(seed=11)]
    names = [repository.write(tmp_path, make_run(spec)).name.lower() for spec in specs]
    assert len(set(names)) == len(stored(tmp_path)) == 4


@pytest.mark.parametrize("text", MARKUP)
def test_the_board_is_inert(text: str) -> None:
    changed = {"settings": {"epochs": 20, "kind": text, text: 1}, "changed": tuple(sorted(("kind", text)))}
    runs = [
        make_run(make_spec(**changed), environment={"cpu": text, "packages": {text: text}}),
        make_run(make_spec(method="lstm"), status="failed", metrics=None, seconds=None, reason=text),
    ]
    board = leaderboard.render(runs, [f"{text}: {text}"])
    assert not re.search(r"<script|\x1b", board)
    tables = re.findall(r"(?:^\|.*\n)+", board, re.MULTILINE)
    assert tables and all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)
    assert clean(text).isprintable()


def test_names_in_a_file_of_series_are_inert(inside: Bench, tmp_path: Path) -> None:
    names = ["=cmd('x')!A0", "\x1b[31mred", "<script>alert(1)</script>", "-1"]
    rows = [names, *([str(step)] * 4 for step in range(60))]
    with (tmp_path / "named.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    how = ("--target", "*", "--time", "-", "--wide", "--history", "10", "--ahead", "2", "--method", "last_value")
    ended = inside("forecast", "named.csv", *how)
    assert ended.returncode == 0, ended.stderr
    with (tmp_path / "forecast.csv").open(newline="") as file:
        shown = [row["series"] for row in csv.DictReader(file)][::2]
    assert sorted(shown) == sorted(["'=cmd('x')!A0", "red", "<script>alert(1)</script>", "-1"])
    assert "\x1b" not in ended.stdout
    assert inside("run", "--data", "named.csv", *how).returncode == 0
    assert not re.search(r"<script|\x1b", (tmp_path / "leaderboard.md").read_text())

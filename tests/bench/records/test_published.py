"""The records that come with the benchmark: up to date, small, and what commands answer from in an empty folder."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT, Bench, make_run, make_spec

from bench.errors import UsageError
from bench.records import published, repository


def test_the_installed_records_are_those_of_the_repository() -> None:
    runs = repository.read(ROOT / "results").runs
    assert not published.stale(runs), "`python -m bench pages` writes them again"
    assert published.PATH.stat().st_size <= published.LARGEST
    assert {run.key for run in published.read()} == {run.key for run in runs if not run.spec.quick}


def test_what_is_written_is_read_and_goes_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "published.parquet"
    monkeypatch.setattr(published, "PATH", path)
    runs = [make_run(make_spec(seed=seed), examples=[[0.123456789]]) for seed in (42, 43)]
    quick = make_run(make_spec(quick=True))
    assert published.stale(runs, path)
    published.write([*runs, quick], path)
    first, second = published.read.__wrapped__()
    assert first.spec == runs[0].spec and first.metrics == runs[0].metrics
    assert (first.examples, second.examples) == ([[0.12346]], None)
    assert not published.stale(runs, path) and published.stale(runs[:1], path)
    monkeypatch.setattr(published, "LARGEST", 100)
    with pytest.raises(UsageError, match="at most 100"):
        published.write(runs, path)


def test_an_empty_folder_answers_and_stays_empty(inside: Bench, tmp_path: Path) -> None:
    board = inside("leaderboard", "--task", "ten-step")
    assert board.returncode == 0 and board.stdout.startswith("PUBLISHED with aheadbench"), board.stderr
    assert "| ten-step " in inside("show", "gru").stdout
    compared = inside("compare", "gru", "lstm", "--task", "ten-step")
    assert compared.returncode == 0 and compared.stderr.startswith("compared: gru:")
    assert not list(tmp_path.iterdir())


def test_mine_stands_beside_what_is_published(inside: Bench, tmp_path: Path) -> None:
    data = next(run.spec.data_sha256 for run in published.read() if run.spec.task == "ten-step")
    metrics = make_run().metrics
    assert metrics
    wrong = {**metrics, "last_step_mse": 7.5, "test_mse": 7.5}
    repository.write(tmp_path / "results", make_run(make_spec(method="lstm", data_sha256=data), metrics=wrong))
    rows = json.loads(inside("leaderboard", "--task", "ten-step", "--json").stdout)
    of_lstm = {row["from"]: row["test_mse"] for row in rows if row["method"] == "lstm"}
    assert of_lstm["mine"] == pytest.approx(7.5) and of_lstm["published"] < 1, of_lstm
    text = inside("leaderboard", "--task", "ten-step", "--top", "3").stdout
    assert text.index("MINE") < text.index("lstm") < text.index("PUBLISHED")
    compared = inside("compare", "gru:keras", "lstm:keras", "--task", "ten-step", "--json")
    assert 7.5 in {row["second"] for row in json.loads(compared.stdout)}


def test_a_folder_that_is_named_has_its_own_records_alone(inside: Bench, tmp_path: Path) -> None:
    repository.write(tmp_path / "mine", make_run())
    rows = json.loads(inside("leaderboard", "--json", "--results", "mine").stdout)
    assert [(row["method"], row["from"]) for row in rows] == [("gru", "mine")]
    assert msgspec.structs.asdict(make_spec())["method"] == "gru"

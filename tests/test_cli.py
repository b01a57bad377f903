"""The command line as a user meets it: what it prints, its exit status, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, make_run, stored

from bench.cli import app
from bench.records import repository

QUICK = ("run", "--quick", "--backend", "numpy", "--method", "last_value", "--task", "ten-step")
#: numpy.linalg is there once NumPy is: `list` puts a stand-in where NumPy itself goes
HEAVY = {
    "tensorflow",
    "keras",
    "jax",
    "torch",
    "pandas",
    "matplotlib",
    "scipy",
    "rich",
    "numpy.linalg",
    "statsforecast",
}


def files(folder: Path) -> list[str]:
    """What there is in a folder, at any depth."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("words", "shown"),
    [("--help", "leaderboard"), ("list methods", "wavenet_simple"), ("list tasks", "sunspots"),
     ("list backends", "keras-jax"), ("list runs", "ten-step")],
)  # fmt: skip
def test_help_and_lists_import_nothing_heavy(words: str, shown: str) -> None:
    code = "import sys\nfrom bench.cli.app import main\ntry: main()\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", code, *words.split()]
    *answer, modules = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    assert any(shown in line for line in answer)
    assert not HEAVY & set(modules.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [("bench rec", ["recommend"]), ("bench run --see", ["--seeds"]), ("bench run --task ni", ["nile"]),
     ("bench forecast --backend keras-", ["keras-jax"]), ("bench run --method theta", ["theta"])],
)  # fmt: skip
def test_a_shell_completes_verbs_options_and_names(words, offered):
    code = "import sys; sys.argv = ['bench']; from bench.cli.app import main; sys.exit(main())"
    asked = {"_BENCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **asked}, capture_output=True)
    assert done.stdout.decode().split() == offered, done.stderr


def test_the_completion_is_for_the_command_bench(bench):
    """A shell cannot complete after `python -m bench`: its start-up file would end in an error."""
    shown = bench("--show-completion", before=("bash", "-c", '"$@"; exit', "bash"))
    assert shown.returncode == 0 and shown.stdout.strip().endswith("_bench_completion bench"), shown.stderr


def test_run_then_run_again(bench, tmp_path):
    first = bench(*QUICK)
    assert first.returncode == 0, first.stderr
    assert "1 run to do" in first.stdout and "1/1  ten-step  last_value" in first.stdout
    (run,) = stored(tmp_path / "results")
    assert run.spec.quick and run.metrics and f"{run.metrics.last_step_mse:.5f}" in first.stdout
    assert (tmp_path / "leaderboard.md").is_file()
    record = next((tmp_path / "results").glob("*/*.json"))
    before = record.read_bytes()
    second = bench(*QUICK)
    assert second.returncode == 0 and "0 runs to do, 1 there already" in second.stdout
    assert record.read_bytes() == before
    assert "1 run to do" in bench(*QUICK, "--force").stdout
    assert record.read_bytes() != before


def test_another_results_folder_has_its_own_board(bench, tmp_path):
    assert bench(*QUICK, "--results", "mine").returncode == 0
    assert {"mine/leaderboard.md"} <= set(files(tmp_path)) and not (tmp_path / "results").exists()
    assert bench("leaderboard", "--check", "--results", "mine").returncode == 0


def test_dry_run_writes_nothing(bench, tmp_path):
    shown = bench(*QUICK, "--dry-run", "--jobs", "1")
    assert shown.returncode == 0 and "last_value" in shown.stdout and "in all ? minutes, 1 at once" in shown.stdout
    assert files(tmp_path) == []


def test_dry_run_predicts_from_records(bench, tmp_path):
    repository.write(tmp_path / "results", make_run())
    shown = bench("run", "--dry-run", "--method", "gru", "--task", "ten-step", "--backend", "keras", "--seeds", "1,2")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("0.5") >= 2


def test_a_failed_run_is_told_by_the_exit_status(bench, faulty, tmp_path):
    ended = bench("run", "--quick", "--task", "ten-step", "--method", "raises", "--method", "last_value")
    assert ended.returncode == 1
    assert "failed: RuntimeError: cannot open weights.bin" in ended.stdout
    assert {run.status for run in stored(tmp_path / "results")} == {"ok", "failed"}
    again = bench("run", "--quick", "--task", "ten-step", "--method", "raises", "--dry-run")
    assert "1 run to do, 1 that did not finish before" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--method", "lstmm"), "unknown method 'lstmm': did you mean lstm"),
        (("run", "--task", "ten"), "unknown task 'ten': did you mean ten-step?"),
        (("run", "--backend", "pytorch"), "unknown backend 'pytorch': did you mean torch?"),
        (("run", "--set", "gru.unit=3"), "unknown setting of gru 'unit': did you mean units?"),
        (("run", "--seeds", "1.5"), "--seeds '1.5': '1.5' is not a whole number in 0..4294967295"),
        (("run", "--seeds", "1,1"), "--seeds '1,1': 1 is given twice"),
        (("run", "--epochs", "0"), "--epochs 0: at least 1 is needed"),
        (("run", "--epochs", "few"), "'--epochs': 'few' is not a whole number"),
        (("run", "--jobs", "0"), "--jobs 0: 1 to "),
        (("run", "--jobs", "9999"), "--jobs 9999: 1 to "),
        (("run", "--timeout", "0"), "--timeout 0: a number of seconds above 0"),
        (("run", "--timeout", "nan"), "--timeout nan: a number of seconds above 0"),
        (("run", "--results", "/dev/null"), "results folder '/dev/null' cannot be written"),
        (("run", "--nonsense"), "--nonsense"),
        (("lst",), "lst"),
        (("list", "method"), "unknown list 'method': did you mean methods?"),
        (("plot", "abc"), "no run with key 'abc'"),
        (("leaderboard",), "no results folder 'results'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(bench, tmp_path, arguments, message):
    ended = bench(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "") or arguments[-1] == "/dev/null"
    assert ended.returncode == 2
    assert ended.stderr.startswith("bench: ") and ended.stderr.count("\n") == 1 and message in ended.stderr
    assert files(tmp_path) == []


def test_list_as_json(bench):
    methods = {row["name"]: row for row in json.loads(bench("list", "methods", "--json").stdout)}
    real = ["sunspots", "co2", "elnino", "nile", "macro"]
    assert methods["gru"]["backends"] == ["keras", "keras-jax", "torch"] and methods["gru"]["tasks"] == [
        "ten-step",
        *real,
    ]
    assert methods["last_value"]["backends"] == ["numpy"]
    tasks = json.loads(bench("list", "tasks", "--json").stdout)
    assert [(task["name"], task["history"], task["ahead"]) for task in tasks][:3] == [
        ("one-step", 50, 1),
        ("ten-step", 50, 10),
        ("sunspots", 44, 11),
    ]
    names = [row["name"] for row in json.loads(bench("list", "backends", "--json").stdout)]
    assert names == ["numpy", "keras", "keras-jax", "torch"]


def test_list_runs_names_damaged_records(bench, tmp_path):
    run = make_run()
    path = repository.write(tmp_path / "results", run)
    path.with_name("torn.json").write_text("{")
    listed = bench("list", "runs", "--json")
    assert [row["key"] for row in json.loads(listed.stdout)] == [run.key]
    assert listed.stderr.startswith("left out: ten-step/torn.json: ") and listed.stderr.count("\n") == 1
    assert run.key in bench("list", "runs").stdout


def test_leaderboard_check(bench, tmp_path):
    repository.write(tmp_path / "results", make_run())
    assert bench("leaderboard", "--check").returncode == 1
    assert not (tmp_path / "leaderboard.md").exists()
    assert bench("leaderboard").returncode == 0
    assert bench("leaderboard", "--check").returncode == 0


def test_plot(bench, tmp_path):
    assert bench(*QUICK).returncode == 0
    (run,) = stored(tmp_path / "results")
    record = next((tmp_path / "results").glob("*/*.json"))
    assert bench("plot", run.key[:8], "--output", "run.svg").returncode == 0
    assert bench("plot", str(record)).returncode == 0
    assert (tmp_path / "run.svg").read_text().lstrip().startswith("<?xml")
    assert (tmp_path / f"{run.key}.png").read_bytes().startswith(b"\x89PNG")
    refused = bench("plot", run.key, "--output", "run.pdf")
    assert refused.returncode == 2 and "ends in .png or .svg" in refused.stderr


def test_the_console_script_is_main():
    assert app.main.__module__ == "bench.cli.app"

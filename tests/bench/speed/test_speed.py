"""What measures speed: that asv can use it, that its tables find their place, and what a lean reading leaves out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import timeit
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import ROOT, Bench, make_run, make_spec

from bench.analysis import anytime
from bench.errors import UsageError
from bench.execution import compilation
from bench.machine import threads
from bench.records import repository
from bench.speed import (
    child_process,
    clock,
    growth,
    incremental_forecasting,
    performance_page,
    records,
    reuse,
    self_test,
    sizes,
    sizes_table,
)
from bench.speed.__main__ import app
from bench.speed.peers import child, tables
from bench.speed.peers.child import Ask
from implementations.strategies import Recursive


def test_asv_finds_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-m", "asv", "check", "-E", "existing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "No problems found" in done.stdout, done.stdout + done.stderr


def test_a_sample_is_counted_at_the_usual_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a core that is half as fast as usual, and is slowed down as much again meanwhile."""
    paces, times = iter([2 * clock.USUAL, 4 * clock.USUAL]), iter([10.0, 13.0])
    monkeypatch.setattr(clock, "pace", lambda: next(paces))
    steady = clock.SteadyClock(lambda: next(times))
    before, after = steady(), steady()
    assert after - before == pytest.approx(1.0)


def test_the_clock_counts_work() -> None:
    steady = clock.SteadyClock()
    assert timeit.Timer("sum(range(300_000))", timer=steady).timeit(1) > 0
    assert 0 < clock.pace() < 1 and steady.began is None


def test_an_environment_of_asv_has_one_commit_and_the_installed_packages(tmp_path: Path) -> None:
    script = """
import json, sys
from pathlib import Path
from asv.config import Config
from bench.speed.environment import Installed

conf = Config.from_json({"project": "p", "repo": ".", "env_dir": sys.argv[1], "environment_type": "installed"})
made = Installed(conf, f"{sys.version_info[0]}.{sys.version_info[1]}", {}, {})
made.create()
commit = Path(made._build_root, "bench")
commit.mkdir(parents=True)
(commit / "__init__.py").write_text("")
print(made.run(["-c", "import bench, numpy; print(bench.__file__, numpy.__file__)"], cwd=sys.argv[1]))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    code, numpy = done.stdout.split()
    assert Path(code).is_relative_to(tmp_path) and not Path(numpy).is_relative_to(tmp_path)


def test_a_lean_reading_leaves_out_what_neither_board_nor_plan_needs(tmp_path: Path) -> None:
    curve = {"loss": [0.1, 0.2]}
    run = make_run(curve=curve, samples={"predict": [0.1] * 5}, digest={"weights": "0"}, environment={"cpu": "a"})
    repository.write(tmp_path, run)
    (tmp_path / "ten-step" / "torn.json").write_text("{")
    (full,), problems = repository.read(tmp_path)
    (lean,), same = repository.read(tmp_path, keep=anytime.thinned)
    assert full == run and problems == same and "torn.json" in problems[0]
    dropped = {"curve": None, "samples": None, "digest": None, "mse_by_step": msgspec.UNSET}
    assert lean == msgspec.structs.replace(run, **dropped)


def test_a_folder_of_many_records_is_ranked_and_planned(inside: Bench, tmp_path: Path) -> None:
    count = 250
    seeds = {run.spec.seed for run in records.fill(tmp_path / "many", count)}
    assert len(repository.read(tmp_path / "many")[0]) == count and len(seeds) > 1
    assert inside("pages", "--results", "many").returncode == 0
    assert "gru" in (tmp_path / "many" / "leaderboard.md").read_text()
    planned = inside("run", "--dry-run", "--results", "many", "--seeds", ",".join(map(str, sorted(seeds))))
    assert planned.returncode == 0 and re.search(rf"\b{count} skipped", planned.stdout), planned.stdout


def test_a_command_is_weighed(tmp_path: Path) -> None:
    used = growth.command(["list", "tasks"])
    assert 10 < used.megabytes < 1000 and used.seconds > 0
    with pytest.raises(subprocess.CalledProcessError):
        growth.command(["list", "nonsense"])


@pytest.mark.parametrize("name", [command.name or command.callback.__name__ for command in app.registered_commands])
def test_every_table_has_its_place_in_the_page(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "page.md"
    copy.write_text((ROOT / performance_page.PAGE).read_text())
    performance_page.put(name, "| a |\n|---|", "", copy)
    performance_page.put(name, "| b |\n|---|", performance_page.made_by("the command"), copy)
    text = copy.read_text()
    assert "| b |" in text and "| a |" not in text and "`the command`: " in text
    published = (ROOT / performance_page.PAGE).read_text()
    assert text.startswith("# Performance") and text.rstrip().endswith(published.rstrip()[-40:])


def test_a_table_without_a_place_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "page.md"
    copy.write_text("<!-- steps -->\n")
    with pytest.raises(UsageError, match="<!-- /steps -->"):
        performance_page.put("steps", "", "", copy)
    assert copy.read_text() == "<!-- steps -->\n"


def test_ratios_are_of_the_fastest() -> None:
    once = {"reference": 12.0, "keras": 4.0, "keras-jax": 2.0, "torch": 3.0, "darts": 9.0, "neuralforecast": 6.0}
    seconds = {name: [value] for name, value in once.items()}
    alone = {name: seconds[name] for name in ("reference", "keras", "keras-jax", "torch")}
    names = list(seconds)
    first, second = tables.table({"rnn": seconds, "linear": alone}, names).splitlines()[2:]
    assert re.findall(r"\*\*([\d.]+)\*\*", first) == ["3.0", "6.0", "3.0", "2.0", "3.0"]
    assert re.findall(r"\*\*([\d.]+)\*\*", second) == ["3.0", "6.0"] and second.count("–") == 5
    assert "peer" not in tables.table({"rnn": alone}, list(alone))


def test_a_ratio_is_the_median_of_those_of_each_round() -> None:
    drifting = {"reference": [12.0, 24.0, 7.0], "keras": [4.0, 8.0, 7.0]}  # of the medians it would be 12 / 7
    assert "**3.0**" in tables.table({"rnn": drifting}, ["reference", "keras"])


def test_the_peers_own_network_has_rows_without_the_notes() -> None:
    assert [name for name in tables.ALL if tables.takes(name, "lstm-last")] == [*tables.OURS, *tables.PEERS]
    assert [name for name in tables.ALL if tables.takes(name, "wavenet")] == ["reference", *tables.OURS]
    assert not set(tables.AS_THE_PEERS) & set(tables.AS_THE_NOTES)


@pytest.mark.parametrize("backend", ["keras", "torch"])
def test_the_peers_own_network_trains_in_ours(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = f"{threads.ONE_THREAD['XLA_FLAGS']} --xla_backend_optimization_level=0"  # compiled quickly, not well
    monkeypatch.setitem(threads.ONE_THREAD, "XLA_FLAGS", flags)
    with tables.contestants([backend]) as (ours,):
        assert all(
            len(ours.answer(Ask(backend, network, tables.BATCH, 2))["epochs"]) == 2 for network in tables.AS_THE_PEERS
        )


def test_sizes_go_on_where_they_stopped_and_the_table_takes_what_the_rule_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Ask] = []

    class Contestant:
        def __init__(self, name: str, core: int) -> None:
            self.name = name

        def answer(self, ask: Ask) -> dict[str, list[float]]:
            asked.append(ask)
            if ask.units == 64 and self.name == "plain torch":
                raise UsageError("no memory")
            return {"epochs": [9.0, *[{"torch own": 1.0, "torch library": 2.0, "plain torch": 3.0}[self.name]] * 2]}

        def end(self) -> None:
            pass

    monkeypatch.setattr(tables, "Contestant", Contestant)
    kept, wanted = tmp_path / "sizes.csv", sizes.sizes(["rnn"], [20, 256, 64], [32], [50])
    sizes.begin(kept, "here, commit 1")
    for _ in range(2):
        sizes.measure_all(wanted, ["torch own", "torch library", "plain torch"], 1, 2, kept)
    assert len(asked) == 9 + 1 and {ask.batch for ask in asked} == {32}  # what failed is tried again
    assert "plain torch" in capsys.readouterr().err
    lines = sizes_table.text(kept).splitlines()
    assert re.search(r"plain torch / torch +\| +2 \| +1.50 \| +2.25 \| rnn 256 32 50", lines[2])
    rows = {line.split("|")[2].strip(): line.split("|")[-2].strip() for line in lines if line.startswith("| rnn")}
    assert rows == {"20": "3.00", "64": "–", "256": "1.50"}
    sizes.begin(kept, "here, commit 2")
    with pytest.raises(UsageError, match="another machine"):
        sizes.begin(kept, "there, commit 2")


def test_the_peers_windows_are_of_every_long_series() -> None:
    ask = Ask("torch", "lstm-last", 5000, 1, table="359 of 80 to 2,597 steps")
    (history, future), _ = ask.data()
    assert history.shape == (5000, 50, 1) and future.shape == (5000, 10, 1)
    starts = {values[0, 0] for values in history}
    assert len(starts) > 4900 and sum(float(one[0, 0]) in starts for one in child.all_series(ask)) < 359


def test_the_work_of_a_step_is_that_of_its_matrices() -> None:
    found = child_process.answer("bench.speed.roofline", "torch")
    steps, (units, outputs) = 32 * 50, (20, 10)
    lstm = 2 * 4 * units + 3 * (3 * 4 * units * units + units * outputs)  # the first matrix twice, four others thrice
    assert found["work"]["lstm"] == 2 * steps * lstm
    assert found["work"]["linear"] == 2 * 32 * 2 * 50 * outputs
    assert found["rate"] > 1e9


def test_a_carried_state_is_compared_with_reading_again() -> None:
    class Halving:
        strategy, horizon = Recursive(growing=True), 1

        def _forecast_block(self, window: np.ndarray) -> np.ndarray:
            return window[:, -1:] / 2

        def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
            return history[:, -1:] / 2.0 ** np.arange(1, steps + 1)[:, None] + (0.25 if steps == 200 else 0)

    found = json.loads(json.dumps(incremental_forecasting.both_ways(Halving(), np.ones((2, 3, 1)), rounds=1)))
    assert found["difference"] == 0.25 and set(found["again"]) == {"10", "200"} < set(found["carried"])
    cells = incremental_forecasting.row({"method": "m", "backend": "b", **found})
    assert len(cells) == len(incremental_forecasting.HEADERS) and cells[-1] == "2e-01"


def test_the_verdict_of_asv_is_its_table_and_last_words() -> None:
    said = """[ 50.00%] ··· networks.Training.time_steps  1.1±0.1ms
| Change   | Before   | After    |   Ratio | Benchmark (Parameter) |
|----------|----------|----------|---------|-----------------------|
| +        | 10.1±1ms | 15.2±1ms |    1.50 | gru, torch            |

SOME BENCHMARKS HAVE CHANGED SIGNIFICANTLY.
PERFORMANCE DECREASED.
"""
    assert self_test.verdict(said).splitlines() == said.splitlines()[1:4] + said.splitlines()[5:]


def test_predictions_do_not_depend_on_how_many_ask() -> None:
    from bench.execution import jobs as plan

    run = make_run(make_spec(), seconds={"fit": 20.0, "total": 30.0})
    jobs = plan.jobs([make_spec(seed=seed) for seed in range(5)], [run], force=True)
    assert [job.predicted for job in jobs] == [30.0] * 5


FAULTS = """
import resource
from implementations import backends
backends.load("torch")
import torch
layer, x = torch.nn.LSTM(20, 20), torch.randn(50, 32, 20, requires_grad=True)
def steps(count):
    for _ in range(count):
        layer(x)[0].sum().backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print((-steps(20) + steps(50)) / 50)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own rules")
def test_a_training_step_in_pytorch_takes_no_memory_from_the_system() -> None:
    """Even where glibc is told to give all memory back at once: by its own rules it does so by chance."""
    environment = {**threads.environment_variables(), "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "131072"}
    done = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 20


def test_later_runs_of_a_worker_are_compared_with_its_first(tmp_path: Path) -> None:
    """Two processes of four fits; in the second the seed that comes twice ends in another way."""
    for seed, last in ((1, ["a"]), (2, ["b"])):
        runs = [{"seed": 1, "epochs": [2.0, 1.0, 1.0], "predict": 0.5, "digests": ["a"]}]
        runs += [{"seed": n, "epochs": [1.0, 1.0, 1.0], "predict": 0.5, "digests": [str(n)]} for n in (2, 3)]
        runs.append({"seed": 1, "epochs": [1.0, 1.0, 1.0], "predict": 0.5, "digests": last})
        reuse.keep(tmp_path / "reuse.jsonl", reuse.Case(f"method {seed}", "torch", 3), 0, {"runs": runs})
    row = reuse.times_table(tmp_path / "reuse.jsonl").splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "torch", "2", "2", "**0.750** (0.750–0.750)", "**1.000** (1.000–1.000)", "**1.000** (1.000–1.000)",
        "1 of 2 equal",
    ]  # fmt: skip


def test_a_study_goes_on_where_it_was_stopped_and_compares_its_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, bool]] = []

    def used(jobs: list[str], again: bool) -> dict[str, object]:
        made.append((os.environ[compilation.VARIABLE], again))
        return {"cpu": 10.0 if len(made) == 1 else 4.0, "wall": 20.0, "digests": ["a"]}

    monkeypatch.setattr(reuse, "KEPT", tmp_path)
    monkeypatch.setattr(reuse, "used", used)
    monkeypatch.setattr(reuse, "planned", lambda *_: ["job"])
    for _ in range(2):
        reuse.compare(reuse.SEVERAL, reuse.cases(["mlp"], ["keras-jax"], 2), 1)
    (_, alone), (cold, _), (warm, _) = made
    assert not alone and made[0][0] == "" and cold == warm != "" and not Path(cold).exists()
    first, every = reuse.study_table(reuse.SEVERAL).splitlines()[-2:]
    assert "0.40 / 0.40" in first and "equal" in first and "**all**" in every

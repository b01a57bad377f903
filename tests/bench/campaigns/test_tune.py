"""`bench tune`: the same search for every method, and what the board says of it."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import Bench, stored
from scipy import stats
from synthetic import failed, make

import implementations
from bench.analysis import tuning
from bench.analysis.table import frame, select
from bench.analysis.tuning import RATES
from bench.campaigns import search as search_plan
from bench.campaigns import tune
from bench.data import generators
from bench.reporting import leaderboard
from bench.schema.record import Run, Spec
from bench.tasks import SEARCHES, TASKS
from implementations import METHODS, backends_of

SETTINGS = {"epochs": 20, "learning_rate": 0.001}


def spec(method: str = "gru", backend: str = "keras-jax", rate: float = 0.001) -> Spec:
    changed = ("learning_rate",) if rate != 0.001 else ()
    return make(method, backend, settings={**SETTINGS, "learning_rate": rate}, changed=changed).spec


def search(errors: dict[float, float], method: str = "gru", backend: str = "keras-jax") -> list[Run]:
    """The records of a search; NaN for a run that diverged."""
    runs = []
    for rate, error in errors.items():
        found = tune.search_of(spec(method, backend, rate))
        run = msgspec.structs.replace(make(method, backend, error=error if math.isfinite(error) else 1.0), spec=found)
        runs.append(run if math.isfinite(error) else failed(run))
    return runs


def trained(errors: list[float], method: str = "gru", rate: float = 0.001) -> list[Run]:
    """Five seeds at this rate; a made-up record's test MSE is 1.1 times its error."""
    changed = ["learning_rate"] if rate != 0.001 else []
    settings = {**SETTINGS, "learning_rate": rate}
    return [
        make(method, "keras-jax", 42 + place, error / 1.1, settings=settings, changed=changed)
        for place, error in enumerate(errors)
    ]


def table(runs: list[Run]):
    return tuning.table(select(frame(runs))[0], tuning.searched(runs), "ten-step", False)


TOO_LONG = "mlp_bootstrap"  # of 500 epochs: five rates are more than the budget
SEARCHED = {0.0003: 0.03, 0.001: 0.02, 0.003: 0.01, 0.01: 0.015, 0.03: math.nan}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("quick", [False, True])
def test_search_sees_training_series_alone(name: str, quick: bool) -> None:
    task, searched = TASKS[name], SEARCHES[f"{name}-search"]
    if quick:
        task, searched = task.quick(), searched.quick()
    series = generators.load(searched)
    assert np.array_equal(series, generators.load(task)[: len(series)])
    assert len(series) <= task.train
    if not quick:
        assert len(series) == task.train and searched.train == 0.8 * task.train


def test_the_rate_with_the_smallest_error_is_chosen() -> None:
    runs = search(SEARCHED)
    (found,) = tuning.searched(runs).values()
    assert found.rate == 0.003 and list(found.errors) == list(RATES) and math.isnan(found.errors[0.03])


def test_an_unfinished_search_chooses_nothing() -> None:
    runs = search(SEARCHED)
    assert not tuning.searched(runs[1:])
    lost = [*runs[1:], msgspec.structs.replace(failed(runs[0]), status="timeout")]
    assert not tuning.searched(lost)
    assert not tuning.searched(search(dict.fromkeys(RATES, math.nan)))


def test_every_network_gets_the_same_budget() -> None:
    """In trained epochs, however many a method has by itself; its own settings and the rates are among the points."""
    networks = [name for name in METHODS if len(backends_of(name)) > 1]
    assert {"patchtst", "mingru", "gru", "mlp_ensemble"} < set(networks)
    own_settings = {name: implementations.default_settings(name) for name in networks}
    assert [name for name, own in own_settings.items() if not search_plan.is_affordable(own)] == [TOO_LONG]
    for name in set(networks) - {TOO_LONG}:
        own = own_settings[name]
        points = search_plan.points(name, own)
        assert search_plan.trained_epochs(own, points) == search_plan.BUDGET, name
        assert points[0] == {} and all(points.count(point) == 1 for point in points), name
        assert all({"learning_rate": rate} in points for rate in RATES if rate != own["learning_rate"]), name
        named = implementations.class_of(name).search_space
        assert len(named) <= 2 and set().union(*points) <= {"learning_rate", "epochs", *named}, name
        assert all(any(setting in point for point in points) for setting in named), name


def test_a_search_without_methods_is_of_every_network(inside: Bench, tmp_path: Path) -> None:
    planned = inside("tune", "--task", "ten-step", "--backend", "torch", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    lines = [line for line in planned.stdout.split("The search:\n")[1].splitlines() if line]
    assert len(lines) == sum(len(backends_of(name)) > 1 for name in METHODS) - 1
    assert not any(TOO_LONG in line for line in lines)
    assert all(line.endswith(" points, 1,200 epochs with each of 3 seeds") for line in lines)


def of_seeds(errors: dict[tuple[tuple[str, object], ...], list[float]]) -> tuning.Found | None:
    points = {point: dict(enumerate(values, 42)) for point, values in errors.items()}
    return tuning.choose({(("learning_rate", rate),): {42: 1, 43: 1, 44: 1} for rate in RATES} | points, 0.002)


def test_the_own_settings_stay_within_a_standard_error_of_the_best() -> None:
    best = (("epochs", 40), ("learning_rate", 0.01))
    near = of_seeds({best: [0.008, 0.010, 0.012], (): [0.0101, 0.0102, 0.0103]})
    assert near is not None and (near.changes, near.rate) == ({}, 0.002)
    far = of_seeds({best: [0.008, 0.010, 0.012], (): [0.0121, 0.0122, 0.0123]})
    assert far is not None and (far.changes, far.rate) == (dict(best), 0.01)
    assert list(far.errors) == list(RATES)


def test_points_with_fewer_seeds_or_a_run_that_diverged_do_not_count() -> None:
    best = (("epochs", 40),)
    for errors in ([0.001, 0.001], [0.001, 0.001, math.nan]):
        found = of_seeds({best: errors, (): [0.5, 0.5, 0.5]})
        assert found is not None and found.changes == {}


def test_rows_are_ranked_by_test_mse_at_the_rate_found() -> None:
    own, better = [0.0220, 0.0230, 0.0225, 0.0210, 0.0240], [0.0110, 0.0112, 0.0108, 0.0111, 0.0109]
    other = [0.0200, 0.0205, 0.0199, 0.0201, 0.0202]
    stays = {**SEARCHED, 0.001: 0.001}
    baseline = [make("last_value", "numpy", seed, 0.5 / 1.1, settings={}) for seed in range(42, 47)]
    runs = [
        *search(SEARCHED), *trained(own), *trained(better, rate=0.003),
        *search(stays, "lstm"), *trained(other, "lstm"), *baseline, *trained(own, "unsearched"),
        make("bayes", "numpy", 42, 0.001, settings={}),
    ]  # fmt: skip
    rows = table(runs).set_index("method")
    assert list(rows.index) == ["gru", "lstm", "last_value"]  # not what was not searched, nor the limit
    gru, lstm, last = (rows.loc[name] for name in rows.index)
    assert (gru.place, gru.own_place) == (1, 2) and (lstm.place, lstm.own_place) == (2, 1)
    assert gru.tuned == pytest.approx(stats.gmean(better)) and gru.own == pytest.approx(stats.gmean(own))
    half = stats.t.ppf(0.975, 4) * stats.sem(np.log(better))
    assert (gru.low, gru.high) == pytest.approx((gru.tuned * np.exp(-half), gru.tuned * np.exp(half)))
    assert (lstm.rate, lstm.own_rate) == (0.001, 0.001) and lstm.tuned == pytest.approx(lstm.own)
    assert math.isnan(last.rate) and last.place == 3
    text = " ".join(leaderboard.render(runs).split())
    assert "1 of 2 rows get better by more than a tenth, 0 worse." in text
    assert "`gru` in keras-jax from 0.02248 to 0.01100, place 2 to 1" in text
    assert "| diverged" in text and "**0.01000**" in text
    assert "ten-step-search" not in text  # a search is on no board


def test_searches_count_nowhere_else() -> None:
    runs = trained([0.02, 0.03])
    with_search = leaderboard.render([*runs, *search(SEARCHED)])
    assert with_search == leaderboard.render(runs)


def test_search_and_finals_through_the_command_line(inside: Bench, tmp_path: Path) -> None:
    asked = ["tune", "--quick", "--task", "one-step", "--method", "linear", "--method", "last_value"]
    asked += ["--backend", "torch", "--seeds", "42,43"]
    planned = inside(*asked, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "5 runs to do" in planned.stdout and not (tmp_path / "results").exists()
    assert "one-step, linear, torch: 5 points, 10 epochs with each of 1 seed\n" in planned.stdout
    done = inside(*asked)
    assert done.returncode == 0, done.stderr
    runs = stored(tmp_path / "results")
    searched = [run for run in runs if run.spec.task == "one-step-search"]
    assert sorted(float(run.spec.settings["learning_rate"]) for run in searched) == list(RATES)
    best = min(searched, key=lambda run: run.metrics["last_step_mse"]).spec.settings["learning_rate"]
    finals = [run for run in runs if run.spec.task == "one-step"]
    rates = sorted((run.spec.seed, run.spec.settings["learning_rate"]) for run in finals)
    assert rates == sorted((seed, rate) for seed in (42, 43) for rate in {0.001, best})
    board = tmp_path / "leaderboard.md"
    assert "At a searched learning rate" in board.read_text()
    again = inside(*asked)
    assert again.returncode == 0 and "0 runs to do, 5 skipped, already recorded" in again.stdout
    assert inside("verify", searched[0].key).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--task", "nile"], "nile: learning rates are searched on one-step, ten-step"),
        (["--method", "last_value"], "nothing to tune: last_value has no setting learning_rate"),
        (["--method", "gruu"], "gruu"),
    ],
)
def test_what_cannot_be_tuned_is_said(inside: Bench, tmp_path: Path, arguments: list[str], says: str) -> None:
    done = inside("tune", *arguments)
    assert done.returncode == 2 and says in done.stderr
    assert not list(tmp_path.iterdir())

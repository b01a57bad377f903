"""`recommend` as a user meets it, and what it advises."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import Bench
from test_forecast import SPOTS, SUNSPOTS

from bench.analysis.paired import upper_ratio
from bench.cli.parsing import seconds_in
from bench.data.calendar import ROWS
from bench.data.series import Series, SeriesSet
from bench.forecasting import recommend
from bench.forecasting.evaluate import Evaluation, evaluate, plan
from bench.forecasting.predictor import Training
from bench.forecasting.race import Result
from bench.schema.series import Preparation

RECENT = 120  # years of sunspots: `arima` takes a third of the time of all 309


def test_a_race_on_a_real_series(inside: Bench, tmp_path: Path) -> None:
    named = ("--method", "last_value", "--method", "arima")
    (tmp_path / "recent.csv").write_text("y\n" + "\n".join(map(str, SPOTS[-RECENT:])))
    series = ("recent.csv", "--target", "y", "--time", "-", "--ahead", "5")
    ended = inside("recommend", *series, "--season", "11", "--budget", "2m", *named)
    assert ended.returncode == 0, ended.stderr
    lines = {line.split(":")[0]: line for line in ended.stdout.splitlines() if ":" in line}
    assert "arima (numpy)" in lines["best"] and "less error than the naive forecast" in lines["best"]
    assert all(f"{name} " in lines["test"] for name in ("arima", "seasonal_naive"))
    command = next(line for line in ended.stdout.splitlines() if line.startswith("python -m bench forecast"))
    assert "--method arima" in command and "--season 11" in command
    assert inside(*command.split()[3:]).returncode == 0 and (tmp_path / "forecast.csv").exists()


def test_a_method_of_yours_races_and_what_fails_is_named(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from implementations.methods.last_value import LastValue\n\n\n"
        "class Half(LastValue):\n"
        "    def forecast_rows(self, rows, steps, levels=()):\n"
        "        made = super().forecast_rows(rows, steps, levels)\n"
        "        return made._replace(mean=made.mean / 2)\n\n\n"
        "class Fails(LastValue):\n"
        "    def forecast_rows(self, rows, steps, levels=()):\n"
        "        raise ValueError('not today')\n"
    )
    named = ("--method", "./mine.py:Half", "--method", "./mine.py:Fails")
    ended = inside("recommend", *SUNSPOTS, "--budget", "2m", *named)
    assert ended.returncode == 0, ended.stderr
    assert "mine.Half" in ended.stdout and "unfinished: mine.Fails" in ended.stdout and "not today" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SUNSPOTS, "--budget", "soon"), "--budget 'soon': needed a time above 0, as in 90s, 2m or 1h"),
        ((*SUNSPOTS, "--budget", "0"), "--budget '0': needed a time above 0"),
        ((*SUNSPOTS, "--backend", "pytorch"), "unknown backend 'pytorch': did you mean torch?"),
        ((*SUNSPOTS, "--backend", "torch", "--backend", "keras"), "a race is run in one backend"),
        ((*SUNSPOTS, "--method", "lstmm"), "unknown method 'lstmm'"),
    ],
)
def test_a_race_that_cannot_start(inside: Bench, arguments, message) -> None:
    ended = inside("recommend", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "") and message in ended.stderr


def test_a_budget_too_small_for_anything_says_so(inside: Bench) -> None:
    ended = inside("recommend", *SUNSPOTS, "--budget", "1s")
    assert ended.returncode == 1 and "no method finished within 1 s: --budget 2s gives them longer" in ended.stderr


def test_series_too_short_to_compare_on(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text("y\n" + "\n".join(map(str, range(12))))
    ended = inside("recommend", "short.csv", "--target", "y", "--time", "-", "--ahead", "10")
    assert ended.returncode == 2 and "too short to compare methods: needed at least 14 steps" in ended.stderr


def test_a_constant_series_of_a_panel_stops_no_race(inside: Bench, tmp_path: Path) -> None:
    """Its errors have no scale: what a process hands back has to be numbers that can be read."""
    values = np.random.default_rng(0).normal(size=(60, 2)).cumsum(axis=0).tolist()
    rows = "".join(f"{place},a,{a}\n{place},b,{b}\n{place},c,5\n" for place, (a, b) in enumerate(values))
    (tmp_path / "panel.csv").write_text(f"time,id,y\n{rows}")
    race = recommend.enter(tmp_path / "panel.csv", Preparation(
        file="panel.csv", target=("y",), group="id", ahead=6), True, (), ("last_value",))  # fmt: skip
    assert "constant before the last 6 steps, not compared: c" in race.found.notes
    found = evaluate(race.found.series, race.how, race.entrants[1], race.planned)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evaluation) == found
    assert set(found.series) == set(found.tested) == {0, 1} and np.isfinite(found.scores).all()
    (tmp_path / "panel.csv").write_text("time,id,y\n" + "".join(f"{place},a,5\n" for place in range(60)))
    ended = inside("recommend", "panel.csv", "--target", "y", "--group", "id", "--ahead", "6", "--method", "last_value")
    assert ended.returncode == 2 and "no series changes before its last 6 steps" in ended.stderr


def test_what_is_tested_on_decides_nothing() -> None:
    """Other last values change the test alone."""
    values = np.cumsum(np.random.default_rng(0).normal(size=(80, 1)), axis=0)
    how, what = Preparation(file="x", ahead=6), Training("last_value", "numpy", 1, {}, None)
    found = []
    for end in (values[-6:], values[-6:] + 50):
        series = [Series("", np.concatenate([values[:-6], end]), np.zeros((80, 1), dtype=bool), 0)]
        found.append(evaluate(series, how, what, plan(SeriesSet("x", ("y",), ROWS, series).series, how)))
    assert found[0].scores == found[1].scores and found[1].test_scores[0] > 5 * found[0].test_scores[0]
    assert max(found[0].known) <= 80 - 6


def result(method: str, scores: list[float], seconds: float) -> Result:
    """A finished method."""
    places = list(range(len(scores)))
    evaluation = Evaluation(
        series=places, known=places, scores=scores, tested=[0], test_scores=[1.0], test_mae=1.0, seconds=seconds
    )
    return Result(Training(method, "numpy", 1, {}, None), evaluation, "")


def advised(*results: Result) -> recommend.Advice:
    """The advice on these."""
    return recommend.advise(*recommend.standings(results))


def test_the_cheapest_that_is_surely_as_good_is_taken() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20)
    best, naive = result("slow", list(1 + noise), 60), result("seasonal_naive", list(2 + noise), 0)
    near, noisy = result("near", list(1.01 + noise), 5), result("noisy", list(1.01 + 3 * noise[::-1]), 1)
    advice = advised(naive, noisy, near, best)
    assert advice.best.training.method == "slow" and advice.choice.training.method == "near"
    assert advised(naive, noisy, best).choice.training.method == "slow"  # not told apart is not as good


def test_nothing_worse_than_the_naive_forecast_is_taken() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 20)
    naive, worse = result("seasonal_naive", list(1 + noise), 1), result("cheap", list(1.02 + noise), 0)
    assert advised(worse, naive).choice.training.method == "seasonal_naive"


def test_one_block_tells_nothing_so_the_best_is_taken() -> None:
    advice = advised(result("seasonal_naive", [2.0], 0), result("best", [1.0], 9), result("other", [1.01], 1))
    assert advice.choice.training.method == "best" and advice.blocks == 1


def test_the_bound_of_a_ratio_holds_what_it_promises() -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(2000):
        common = random.gamma(4, 0.25, 12)
        held.append(upper_ratio(common, common * random.gamma(20, 1.1 / 20, 12)) >= 1.1)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_budgets() -> None:
    assert [seconds_in(text) for text in ("90", "90s", "2m", "1.5h")] == [90, 90, 120, 5400]

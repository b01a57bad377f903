"""`forecast` and `recommend` as a user meets them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import Bench, make_run
from safetensors.numpy import load_file, save_file
from series_files import bundled

from bench.cli.options import seconds_in
from bench.forecasting import intervals, recommend
from bench.schema.record import Original, Run
from implementations import METHODS

SUNSPOTS = (str(bundled("sunspots")), "--target", "SUNACTIVITY", "--ahead", "5")
SPOTS = [float(row[1]) for row in csv.reader(bundled("sunspots").read_text().splitlines()[1:])]


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_real_series_is_forecast_with_intervals(inside: Bench, tmp_path: Path) -> None:
    made = inside("forecast", *SUNSPOTS, "--method", "last_value", "--history", "30", "--level", "80")
    assert made.returncode == 0, made.stderr
    rows = table(tmp_path / "forecast.csv")
    assert [row["time"] for row in rows] == ["2009", "2010", "2011", "2012", "2013"]
    assert {float(row["forecast"]) for row in rows} == {SPOTS[-1]}
    validation = np.array([SPOTS[start : start + 5] for start in range(309 - 46, 309 - 4)])
    errors = np.sort(validation - np.array([SPOTS[start - 1] for start in range(309 - 46, 309 - 4)])[:, None], axis=0)
    assert len(errors) == 42  # rank (42 + 1) * 0.1 = 4.3
    for row, lower, upper in zip(rows, errors[3], errors[-4], strict=True):
        assert float(row["lower"]) == pytest.approx(SPOTS[-1] + lower, rel=1e-4)
        assert float(row["upper"]) == pytest.approx(SPOTS[-1] + upper, rel=1e-4)
    assert "42 validation windows: RMSE" in made.stdout and "skill against the naive forecast 0 %" in made.stdout
    assert "80 % intervals from the errors of 42 validation windows" in made.stdout
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")


def test_a_kept_model_forecasts_the_same_without_training(inside: Bench, tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{day:02},{shop},{day * scale},{day}\n" for day in range(1, 31) for shop, scale in
                   (("a", 1), ("b", 100)))  # fmt: skip
    (tmp_path / "sales.csv").write_text(f"date,shop,units,price\n{rows}")
    command = ("forecast", "sales.csv", "--target", "units", "--target", "price", "--group", "shop", "--ahead", "2")
    assert inside("new-method", "drift").returncode == 0
    own = ("--method", "./drift.py:Drift", "--difference", "--season", "7")
    made = inside(*command, *own, "--save", "model", "--output", "first.csv")
    assert made.returncode == 0, made.stderr
    again = inside("forecast", "sales.csv", "--model", "model", "--output", "again.csv")
    assert again.returncode == 0, again.stderr
    assert table(tmp_path / "first.csv") == table(tmp_path / "again.csv")
    assert list(table(tmp_path / "first.csv")[0]) == ["shop", "time", "channel", "forecast", "lower", "upper"]
    further = inside("forecast", "sales.csv", "--model", "model", "--ahead", "4", "--output", "further.csv")
    assert further.returncode == 0
    longer = [row for row in table(tmp_path / "further.csv") if row["time"] > "2024-02-01"]
    assert len(longer) == 8 and {row["lower"] for row in longer} == {""}
    (tmp_path / "more.csv").write_text(f"date,shop,units,price\n{rows.replace(',b,', ',c,')}")
    for arguments, message in {
        ("more.csv", "--model", "model"): "more.csv: the model was not trained on the series 'c'",
        ("sales.csv", "--model", "model", "--target", "units"): "--target units: --model keeps its own",
        ("sales.csv", "--model", "model", "--ahead", "0"): "--ahead 0: at least 1",
        ("sales.csv", "--model", "."): "--model '.' is no model that `forecast --save` wrote: No such file",
    }.items():
        refused = inside("forecast", *arguments, "--output", "none.csv")
        assert refused.returncode == 2 and message in refused.stderr, refused.stderr
    saved = json.loads((tmp_path / "model" / "forecast.json").read_text())
    (tmp_path / "model" / "forecast.json").write_text(json.dumps({**saved, "more": 1}))
    refused = inside("forecast", "sales.csv", "--model", "model", "--output", "none.csv")
    assert refused.returncode == 2 and "unknown field `more`" in refused.stderr
    assert not (tmp_path / "none.csv").exists()


def test_a_kept_model_with_the_weights_of_another_network_is_refused(bench: Bench, tmp_path: Path) -> None:
    how = ("--method", "linear", "--backend", "torch", "--history", "20")
    made = bench("forecast", *SUNSPOTS, *how, "--save", "model")
    assert made.returncode == 0, made.stderr
    (tmp_path / "forecast.csv").unlink()
    weights = tmp_path / "model" / "network.safetensors"
    kept = load_file(weights)
    renamed = {f"renamed.{name}": array for name, array in kept.items()}
    for name, wrong in (("1.bias", renamed), ("1.weight", {**kept, "1.weight": kept["1.weight"].T.copy()})):
        save_file(wrong, weights)
        refused = bench("forecast", SUNSPOTS[0], "--model", "model")
        assert refused.returncode == 2 and "Traceback" not in refused.stderr
        assert f"got the weights of another network, as {name!r} shows" in refused.stderr
        assert not (tmp_path / "forecast.csv").exists()


def test_a_kept_method_of_yours_has_to_be_named_again(inside: Bench, tmp_path: Path) -> None:
    assert inside("new-method", "drift").returncode == 0
    own = ("--method", "./drift.py:Drift", "--set", "drift.Drift.strength=0.5")
    assert inside("forecast", *SUNSPOTS, *own, "--save", "model").returncode == 0
    first = table(tmp_path / "forecast.csv")
    METHODS.pop("drift.Drift")  # as in a process of its own
    refused = inside("forecast", SUNSPOTS[0], "--model", "model")
    assert refused.returncode == 2 and "add --method ./drift.py:Drift" in refused.stderr
    assert inside("forecast", SUNSPOTS[0], "--model", "model", *own[:2]).returncode == 0
    assert table(tmp_path / "forecast.csv") == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv",), "'none.csv' cannot be read"),
        (SUNSPOTS[:1], "--target is needed: of sunspots.csv, choose from SUNACTIVITY"),
        ((*SUNSPOTS, "--method", "lstmm"), "unknown method 'lstmm': did you mean lstm"),
        ((*SUNSPOTS, "--method", "arima", "--backend", "torch"), "unknown backend of arima 'torch': choose from numpy"),
        ((*SUNSPOTS, "--method", "last_value", "--set", "gru.units=3"), "--set gru.units: the method is last_value"),
        ((*SUNSPOTS, "--set", "arima.searched=0"), "arima.searched: got 0, needed"),
        ((*SUNSPOTS, "--epochs", "0"), "--epochs 0: at least 1"),
        ((*SUNSPOTS, "--level", "100"), "--level 100: more than 0 and less than 100"),
        ((*SUNSPOTS, "--level", "most"), "'most' is not a number of percent"),
        ((*SUNSPOTS, "--output", "x.txt"), "--output 'x.txt': a name that ends in .csv"),
        ((*SUNSPOTS, "--output", "no/x.csv"), "there is no folder 'no'"),
        ((*SUNSPOTS, "--output", SUNSPOTS[0]), "this is the file of the series"),
        ((*SUNSPOTS, "--save", "."), "a folder that is new or empty is needed"),
        ((*SUNSPOTS, "--method", "seasonal_naive", "--season", "60", "--history", "30"), "at least a season of 60"),
    ],
)
def test_bad_input_is_one_line_and_status_2(inside: Bench, tmp_path: Path, arguments, message) -> None:
    (tmp_path / "there").write_text("")
    ended = inside("forecast", *arguments)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert message in ended.stderr and ended.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_intervals_hold_what_they_promise() -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(2000):
        seen, following = random.normal(size=(99, 1, 1)), random.normal()
        lower, upper = intervals.quantiles(seen, 90)
        held.append(lower[0, 0] <= following <= upper[0, 0])
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)


def test_a_race_on_a_real_series(inside: Bench, tmp_path: Path) -> None:
    ended = inside("recommend", *SUNSPOTS, "--season", "11", "--budget", "1m", "--method", "last_value")
    assert ended.returncode == 0, ended.stderr
    lines = {line.split(":")[0]: line for line in ended.stdout.splitlines() if ":" in line}
    assert "seasonal_naive (numpy): the naive forecast itself" in lines["best"]
    assert "blocks of validation windows" in ended.stdout and "nothing is sure" not in ended.stdout
    command = next(line for line in ended.stdout.splitlines() if line.startswith("python -m bench forecast"))
    assert inside(*command.split()[3:]).returncode == 0 and (tmp_path / "forecast.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SUNSPOTS, "--budget", "soon"), "--budget 'soon': a time above 0 is needed, as in 90s, 2m or 1h"),
        ((*SUNSPOTS, "--budget", "0"), "--budget '0': a time above 0"),
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


@pytest.fixture
def raced() -> Callable[..., Run]:
    """A finished run with errors in blocks."""

    def make(method: str, blocks: list[float], fit: float) -> Run:
        run = make_run()
        assert run.metrics
        errors = dict.fromkeys(
            ("rmse", "mae", "smape", "mase", "test_rmse", "test_mae", "test_smape", "test_mase"), 1.0
        )
        original = Original(**errors, by_block=blocks)  # type: ignore[arg-type]
        metrics = msgspec.structs.replace(run.metrics, last_step_mse=float(np.mean(blocks)), original=original)
        spec = msgspec.structs.replace(run.spec, method=method)
        return msgspec.structs.replace(run, spec=spec, metrics=metrics, seconds={"fit": fit})

    return make


def test_the_cheapest_that_cannot_be_told_from_the_best(raced) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20)
    standings = recommend.compare([
        raced("slow_best", list(1 + noise), 60), raced("as_good", list(1.01 + noise[::-1]), 5),
        raced("worse", list(1.3 + noise), 1), raced("seasonal_naive", list(2 + noise), 0),
    ])  # fmt: skip
    assert [one.run.spec.method for one in standings] == ["slow_best", "as_good", "worse", "seasonal_naive"]
    assert recommend.cheapest(standings).run.spec.method == "as_good"
    assert standings[0].skill == pytest.approx(50, abs=2)
    assert recommend.cheapest(recommend.compare([raced("a", [1.0], 9), raced("b", [2.0], 1)])).run.spec.method == "b"


def test_budgets() -> None:
    assert [seconds_in(text) for text in ("90", "90s", "2m", "1.5h")] == [90, 90, 120, 5400]

"""`forecast` and `recommend` as a user meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Bench
from safetensors.numpy import load_file, save_file
from series_files import bundled

from bench.data.series import Series
from bench.forecasting.backtest import cuts_of, independent
from bench.schema.series import Preparation

SUNSPOTS = (str(bundled("sunspots")), "--target", "SUNACTIVITY", "--ahead", "5")
SPOTS = [float(row[1]) for row in csv.reader(bundled("sunspots").read_text().splitlines()[1:])]


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_real_series_is_forecast_with_intervals(inside: Bench, tmp_path: Path) -> None:
    made = inside("forecast", *SUNSPOTS, "--method", "last_value", "--levels", "80,95")
    assert made.returncode == 0, made.stderr
    rows = table(tmp_path / "forecast.csv")
    assert [row["time"] for row in rows] == ["2009", "2010", "2011", "2012", "2013"]
    assert {float(row["forecast"]) for row in rows} == {SPOTS[-1]}
    widths = [[float(row[f"upper_{level}"]) - float(row[f"lower_{level}"]) for row in rows] for level in (80, 95)]
    assert all(np.diff(widths[0]) > 0) and all(np.array(widths[1]) > widths[0])
    errors = np.array(SPOTS[1:]) - SPOTS[:-1]
    seen = np.mean(np.abs(errors) <= widths[0][0] / 2)  # one step ahead
    assert 0.6 < seen < 0.9  # of all the series, while the interval is that of its end
    assert "308 rolling origins: RMSE" in made.stdout and "seasonal naive forecast 0 %" in made.stdout
    assert "80 % and 95 % intervals from the errors at 308 rolling origins" in made.stdout
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")


def test_a_classical_method_sees_the_whole_series_as_it_is(inside: Bench, tmp_path: Path) -> None:
    """Its forecasts and intervals are those of statsforecast run on the values."""
    from statsforecast.models import AutoETS

    assert inside("forecast", *SUNSPOTS, "--level", "80").returncode == 0
    rows = table(tmp_path / "forecast.csv")
    expected = AutoETS(season_length=1).forecast(y=np.array(SPOTS), h=5, level=[80])
    np.testing.assert_allclose([float(row["forecast"]) for row in rows], expected["mean"], atol=0.01)
    upper = np.array([float(row["upper"]) for row in rows]) - expected["mean"]
    lower = expected["mean"] - np.array([float(row["lower"]) for row in rows])
    np.testing.assert_allclose(upper / (expected["hi-80"] - expected["mean"]), upper[0] / lower[0], rtol=0.6)


def test_too_few_values_for_a_level_say_which_they_can_tell(inside: Bench, tmp_path: Path) -> None:
    lines = [f"2020-{month:02}-01,{value}" for month, value in enumerate([5, 7, 6, 9, 8, 11, 9, 12, 10, 13, 12, 14], 1)]
    (tmp_path / "short.csv").write_text("date,y\n" + "\n".join(lines))
    asked = ("forecast", "short.csv", "--target", "y", "--ahead", "3", "--method", "last_value")
    made = inside(*asked, "--level", "95")
    assert made.returncode == 0, made.stderr
    assert "80 % intervals" in made.stdout and "not 95 %" in made.stdout and "86 % at most" in made.stdout
    (tmp_path / "short.csv").write_text("date,y\n" + "\n".join(lines[:3]))
    made = inside(*asked)
    assert made.returncode == 0, made.stderr
    assert "no intervals" in made.stdout and list(table(tmp_path / "forecast.csv")[0]) == ["time", "forecast"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([48217700, 48217724, 48217754], "48217754"),
        ([1331800.5, 1331897.75, 1331897.25], "1331897.25"),
        ([0.1234567890123, 1.2, 0.3333333333333], "0.3333333333333"),
        ([1e-7, 3e-7, 2e-7], "0.0000002"),
        ([-0.5, 0.5, -0.0], "0"),
    ],
)
def test_digits_follow_the_data(inside: Bench, tmp_path: Path, values: list[float], expected: str) -> None:
    lines = [f"2020-01-{day:02},{value!r}" for day, value in enumerate(values * 5, 1)]
    (tmp_path / "digits.csv").write_text("date,y\n" + "\n".join(lines))
    made = inside("forecast", "digits.csv", "--target", "y", "--ahead", "1", "--method", "last_value")
    assert made.returncode == 0, made.stderr
    assert table(tmp_path / "forecast.csv")[0]["forecast"] == expected
    assert "e-" not in made.stdout.split("\n\n")[1]


def test_small_changes_of_a_large_level_keep_their_intervals(inside: Bench, tmp_path: Path) -> None:
    """statsforecast gives bounds in 32 bits."""
    values = np.round(np.sin(np.arange(30)) + np.random.default_rng(0).normal(size=30), 2)
    widths = []
    for level in (0, 10**9):
        (tmp_path / "level.csv").write_text("y\n" + "".join(f"{level + value:.2f}\n" for value in values))
        made = inside("forecast", "level.csv", "--target", "y", "--ahead", "2", "--method", "theta")
        assert made.returncode == 0, made.stderr
        rows = table(tmp_path / "forecast.csv")
        assert all(float(row["lower"]) < float(row["forecast"]) < float(row["upper"]) for row in rows)
        widths.append(float(rows[0]["upper"]) - float(rows[0]["lower"]))
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_long_series_give_networks_as_many_errors_as_a_level_takes() -> None:
    how = Preparation(file="series", ahead=12)
    series = [Series("", np.zeros((300, 1)), np.zeros((300, 1), dtype=bool), 0)]
    for level, needed in ((90.0, 9), (95.0, 19)):
        (cut,) = cuts_of(series, how, [level])
        assert needed <= independent(np.array([300 - cut]), 12) < needed + 2


def test_forecasts_of_what_cannot_be_negative(inside: Bench, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [f"{day},{value}" for day, value in enumerate(random.integers(0, 3, 60))]
    (tmp_path / "sales.csv").write_text("row,y\n" + "\n".join(lines))
    command = ("forecast", "sales.csv", "--target", "y", "--time", "-", "--ahead", "2", "--method", "last_value")
    assert inside(*command).returncode == 0
    assert float(table(tmp_path / "forecast.csv")[0]["lower"]) < 0
    assert inside(*command, "--non-negative").returncode == 0
    assert {float(row["lower"]) for row in table(tmp_path / "forecast.csv")} == {0.0}


def test_the_order_of_series_changes_no_forecast(inside: Bench, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    noise = [f"2020-01-{day:02},noise,{value:.3f}" for day, value in enumerate(random.normal(size=31), 1)]
    waves = [f"2020-01-{day:02},wave,{np.sin(day):.3f}" for day in range(1, 32)]
    made = []
    for name, lines in (("a", noise + waves), ("b", waves + noise)):
        (tmp_path / f"{name}.csv").write_text("date,id,y\n" + "\n".join(lines))
        ended = inside("forecast", f"{name}.csv", "--target", "y", "--group", "id", "--ahead", "4", "--method", "arima")
        assert ended.returncode == 0, ended.stderr
        errors = ended.stdout.splitlines()[1]
        made.append((errors, sorted(map(str, table(tmp_path / "forecast.csv")))))
    assert made[0] == made[1]


def test_a_kept_model_forecasts_the_same_without_training(inside: Bench, bench: Bench, tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{day:02},{shop},{day * scale},{day}\n" for day in range(1, 31) for shop, scale in
                   (("a", 1), ("b", 100)))  # fmt: skip
    (tmp_path / "sales.csv").write_text(f"date,shop,units,price\n{rows}")
    command = ("forecast", "sales.csv", "--target", "units", "--target", "price", "--group", "shop", "--ahead", "2")
    assert inside("new", "drift").returncode == 0
    own = ("--method", "./drift.py:Drift", "--difference", "--season", "7")
    made = inside(*command, *own, "--save", "model", "--output", "first.csv")
    assert made.returncode == 0, made.stderr
    kept = ("--model", "model", *own[:2])
    again = bench("forecast", "sales.csv", *kept, "--output", "again.csv")
    assert again.returncode == 0, again.stderr
    assert table(tmp_path / "first.csv") == table(tmp_path / "again.csv")
    assert list(table(tmp_path / "first.csv")[0]) == ["shop", "time", "channel", "forecast", "lower", "upper"]
    further = bench("forecast", "sales.csv", *kept, "--ahead", "4", "--output", "further.csv")
    assert further.returncode == 0
    longer = [row for row in table(tmp_path / "further.csv") if row["time"] > "2024-02-01"]
    assert len(longer) == 8 and all(float(row["lower"]) <= float(row["upper"]) for row in longer)
    (tmp_path / "more.csv").write_text(f"date,shop,units,price\n{rows.replace(',b,', ',c,')}")
    new = bench("forecast", "more.csv", *kept, "--output", "new.csv")
    assert new.returncode == 0 and "not trained on the series 'c'" in new.stderr
    mondays = np.arange("2024-01-01", "2024-12-01", 7, "datetime64[D]")
    weekly = "".join(f"{day},a,{number},{number}\n" for number, day in enumerate(mondays))
    (tmp_path / "weekly.csv").write_text(f"date,shop,units,price\n{weekly}")
    for arguments, message in {
        ("weekly.csv", *kept): "weekly.csv: its values come weekly, the model was trained on values that",
        ("sales.csv", "--model", "model", "--target", "units"): "--target units: --model keeps its own",
        ("sales.csv", *kept, "--seed", "7"): "--seed 7: --model keeps its own",
        ("sales.csv", *kept, "--ahead", "0"): "--ahead 0: needed 1 or more",
        ("sales.csv", "--model", "."): "--model '.' is not a model that `forecast --save` wrote: No such file",
    }.items():
        refused = bench("forecast", *arguments, "--output", "none.csv")
        assert refused.returncode == 2 and message in refused.stderr, refused.stderr
    saved = json.loads((tmp_path / "model" / "forecast.json").read_text())
    (tmp_path / "model" / "forecast.json").write_text(json.dumps({**saved, "more": 1}))
    refused = bench("forecast", "sales.csv", *kept, "--output", "none.csv")
    assert refused.returncode == 2 and "unknown field `more`" in refused.stderr
    assert not (tmp_path / "none.csv").exists()


def test_a_kept_model_with_the_weights_of_another_network_is_refused(bench: Bench, tmp_path: Path) -> None:
    how = ("--method", "linear", "--backend", "torch", "--history", "20")
    made = bench("forecast", *SUNSPOTS, *how, "--save", "model")
    assert made.returncode == 0, made.stderr
    (tmp_path / "forecast.csv").unlink()
    refused = bench("forecast", SUNSPOTS[0], "--model", "model", "--method", "gru")
    assert (refused.returncode, refused.stderr) == (2, "bench: --method gru: the kept model is linear\n")
    weights = tmp_path / "model" / "network.safetensors"
    kept = load_file(weights)
    damage = {
        "got the weights of another network, as '1.bias' shows": {f"no.{name}": array for name, array in kept.items()},
        "weights that are not finite": {**kept, "1.bias": kept["1.bias"] * np.float32("nan")},
        "it has the weights of another network": {**kept, "1.bias": kept["1.bias"] + 1},
    }
    for message, arrays in damage.items():
        save_file(arrays, weights)
        refused = bench("forecast", SUNSPOTS[0], "--model", "model")
        assert refused.returncode == 2 and "Traceback" not in refused.stderr
        assert message in refused.stderr and not (tmp_path / "forecast.csv").exists()


def test_a_kept_model_says_when_it_is_out_of_its_depth(inside: Bench, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    days = np.arange("2024-01-01", "2024-05-01", dtype="datetime64[D]")
    for name, scale in (("then", 1), ("now", 50)):
        rows = zip(days, (100 + random.normal(size=len(days))) * scale, strict=True)
        (tmp_path / f"{name}.csv").write_text("date,y\n" + "".join(f"{day},{value:.2f}\n" for day, value in rows))
    first = ("forecast", "then.csv", "--target", "y", "--ahead", "3", "--method", "last_value", "--save", "model")
    assert inside(*first).returncode == 0
    before = table(tmp_path / "forecast.csv")
    moved = inside("forecast", "now.csv", "--model", "model")
    assert moved.returncode == 0 and "spreads from the values that the model was trained on" in moved.stderr
    after = table(tmp_path / "forecast.csv")
    for one, other in zip(before, after, strict=True):
        assert float(other["upper"]) - float(other["lower"]) > 40 * (float(one["upper"]) - float(one["lower"]))


@pytest.mark.parametrize("damage", ["cut", "shape", "infinite", "level"])
def test_a_damaged_model_is_one_line(inside: Bench, tmp_path: Path, damage: str) -> None:
    assert inside("forecast", *SUNSPOTS, "--method", "last_value", "--save", "model").returncode == 0
    (tmp_path / "forecast.csv").unlink()
    place = tmp_path / "model" / "forecast.json"
    saved = json.loads(place.read_text())
    if damage == "shape":
        saved["calibration"]["scale"] = [[1.0, 2.0]]
    elif damage == "infinite":
        saved["usual"] = [[[1e999]], [[1.0]]]
    elif damage == "level":
        saved["calibration"]["growth"] = [1.0]
    text = json.dumps(saved)
    place.write_text(text[: len(text) // 2] if damage == "cut" else text)
    ended = inside("forecast", SUNSPOTS[0], "--model", "model")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    assert "is not a model that `forecast --save` wrote" in ended.stderr and not (tmp_path / "forecast.csv").exists()


def test_a_kept_method_of_yours_has_to_be_named_again(inside: Bench, tmp_path: Path) -> None:
    assert inside("new", "drift").returncode == 0
    own = ("--method", "./drift.py:Drift", "--set", "drift.Drift.strength=0.5")
    assert inside("forecast", *SUNSPOTS, *own, "--save", "model").returncode == 0
    first = table(tmp_path / "forecast.csv")
    refused = inside("forecast", SUNSPOTS[0], "--model", "model")
    assert refused.returncode == 2 and "add --method ./drift.py:Drift" in refused.stderr
    assert inside("forecast", SUNSPOTS[0], "--model", "model", *own[:2]).returncode == 0
    assert table(tmp_path / "forecast.csv") == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv",), "'none.csv' cannot be read"),
        (SUNSPOTS[:1], "--target: name the column to forecast; sunspots.csv has SUNACTIVITY"),
        ((*SUNSPOTS, "--method", "lstmm"), "unknown method 'lstmm': did you mean lstm"),
        ((*SUNSPOTS, "--method", "arima", "--backend", "torch"), "unknown backend of arima 'torch': choose from numpy"),
        ((*SUNSPOTS, "--method", "last_value", "--set", "gru.units=3"), "--set gru.units: the method is last_value"),
        ((*SUNSPOTS, "--method", "arima", "--set", "arima.searched=0"), "arima.searched: got 0, needed"),
        ((*SUNSPOTS, "--epochs", "0"), "--epochs 0: needed 1 or more"),
        ((*SUNSPOTS, "--seed", "-1"), "--seed -1: needed a whole number in 0..4294967295"),
        ((*SUNSPOTS, "--season", "0"), "--season 0: needed 2 steps or more, or none"),
        ((*SUNSPOTS, "--history", "0"), "--history 0: needed 1 or more"),
        ((*SUNSPOTS, "--cutoffs", "0"), "--cutoffs 0: needed 1 or more"),
        ((*SUNSPOTS, "--origin", "start"), "--origin 'start': choose from end"),
        ((*SUNSPOTS, "--level", "100"), "--level 100: needed a percentage above 0"),
        ((*SUNSPOTS, "--level", "most"), "'most' is not a number of percent"),
        ((*SUNSPOTS, "--output", "x.txt"), "--output 'x.txt': needed a name that ends in .csv"),
        ((*SUNSPOTS, "--output", "no/x.csv"), "no folder 'no'"),
        ((*SUNSPOTS, "--output", SUNSPOTS[0]), "this is the file of the series"),
        ((*SUNSPOTS, "--save", "."), "needed a new or empty folder"),
        ((*SUNSPOTS, "--levels", "80", "--level", "90"), "--level 90 and --levels 80: give one of them"),
        ((*SUNSPOTS, "--levels", "80;90"), "--levels '80;90': needed percentages separated by commas"),
        ((*SUNSPOTS, "--method", "oracle"), "--method oracle: it knows the formula of the benchmark's own series"),
        (
            (*SUNSPOTS, "--method", "linear", "--history", "400"),
            "too short: got 309 steps, needed 400 to forecast from",
        ),
    ],
)
def test_bad_input_is_one_line_and_status_2(inside: Bench, tmp_path: Path, arguments, message) -> None:
    (tmp_path / "there").write_text("")
    ended = inside("forecast", *arguments)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert message in ended.stderr and ended.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("fits", "forecasts", "message"),
    [
        ("raise RuntimeError('boom')", "return history[:, -1:].repeat(steps, 1)", "mine.Mine: RuntimeError: boom"),
        ("return self", "return [1]", "mine.Mine: got forecasts of type list, expected an array [N, H, D]"),
    ],
)
def test_what_a_users_method_raises_is_one_line(
    bench: Bench, tmp_path: Path, fits: str, forecasts: str, message: str
) -> None:
    code = f"def fit(self, history, future): {fits}\n    def predict_ahead(self, history, steps): {forecasts}"
    (tmp_path / "mine.py").write_text(f"class Mine:\n    {code}\n")
    ended = bench("forecast", *SUNSPOTS, "--method", "./mine.py:Mine")
    assert (ended.returncode, ended.stderr.strip().splitlines()[-1]) == (2, f"bench: {message}")

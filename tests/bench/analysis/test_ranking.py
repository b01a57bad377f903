"""The ranking's arithmetic, by hand; what counts, and what is kept apart."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import BACKENDS, campaign, failed, make

from bench.analysis import across_tasks, anytime, ranking, reference, statistics, times
from bench.analysis.matrices import matrices
from bench.analysis.table import frame, select
from bench.reporting.html import data
from bench.schema.record import Source


def row(runs, **names):
    """The one row of the ranking with these values."""
    table = ranking.rank(runs)
    for name, value in names.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_one_seed_has_no_interval():
    found = row([make()])
    assert np.isnan(found.low) and np.isnan(found.high)
    assert found.seeds == 1


def several_tasks(errors):
    """One-seed runs of methods with these errors on as many tasks."""
    return [
        make(method, "numpy" if method == "last_value" else "keras", error=error, task=f"task-{number}")
        for method, row in errors.items()
        for number, error in enumerate(row)
        if error is not None
    ]


def test_the_reference_is_not_ranked_and_each_row_has_its_distance():
    runs = [
        make("bayes", "numpy", seed=1, error=0.001),
        make("bayes", "numpy", seed=2, error=0.003),
        make(error=0.01),
    ]
    runs += [make("oracle", "numpy", seed=1, error=0.009)]  # a reference too, under its old name, and not the limit
    runs += [make(error=0.01), make(error=0.02, task="one-step")]
    runs += [make("lstm", error=0.008, settings={"units": 9}, changed=["units"])]
    table = ranking.rank(runs).set_index(["task", "method"])
    assert set(table.index) == {("ten-step", "gru"), ("one-step", "gru"), ("ten-step", "lstm")}
    assert table["to_limit"]["ten-step", "gru"] == pytest.approx(5)
    assert table["to_limit"]["ten-step", "lstm"] == pytest.approx(4)
    assert np.isnan(table["to_limit"]["one-step", "gru"])


def test_skill_over_tasks_has_students_interval():
    errors = {
        "last_value": [0.4, 0.1, 0.2],
        "good": [0.1, 0.05, 0.1],
        "mixed": [0.2, 0.05, 0.4],
        "part": [0.1, None, 0.1],
    }
    table = across_tasks.over_tasks(ranking.by_method(ranking.rank(several_tasks(errors)))).set_index("method")
    assert list(table.index) == ["good", "mixed", "last_value"]
    assert table["skill"]["good"] == pytest.approx(100 * (1 - (0.25 * 0.5 * 0.5) ** (1 / 3)))
    assert table["skill"]["mixed"] == pytest.approx(100 * (1 - (0.5 * 0.5 * 2) ** (1 / 3)))
    assert table["skill"]["last_value"] == 0
    logs = np.log([0.25, 0.5, 0.5])
    low, high = stats.t.interval(0.95, 2, loc=logs.mean(), scale=stats.sem(logs))
    assert table["skill_low"]["good"] == pytest.approx(100 * (1 - np.exp(high)))
    assert table["skill_high"]["good"] == pytest.approx(100 * (1 - np.exp(low)))


def test_skill_is_against_the_seasonal_naive_forecast_where_a_task_has_it():
    errors = {"last_value": [0.4, 0.8, 0.2], "good": [0.1, 0.2, 0.1]}
    runs = [*several_tasks(errors), make("seasonal_naive", "numpy", error=0.4, task="task-1")]
    assert row(runs, method="good", task="task-1").skill == pytest.approx(50)
    assert row(runs, method="last_value", task="task-1").skill == pytest.approx(-100)
    assert row(runs, method="good", task="task-0").skill == pytest.approx(75)
    methods = ranking.by_method(ranking.rank(runs))
    table = across_tasks.over_tasks(methods).set_index("method")
    assert list(table.index) == ["good", "last_value"]
    assert table["skill"]["good"] == pytest.approx(100 * (1 - (0.25 * 0.5 * 0.5) ** (1 / 3)))
    assert across_tasks.over_tasks(methods, {"task-0", "task-1"}).empty


def test_two_tasks_are_too_few_to_speak_of_all():
    errors = {"last_value": [0.4, 0.1], "good": [0.1, 0.05]}
    assert across_tasks.over_tasks(ranking.by_method(ranking.rank(several_tasks(errors)))).empty


def test_skill_is_the_share_of_the_baselines_error_saved():
    runs = [make("last_value", "numpy", error=0.2), make(error=0.05), make("worse", error=0.3)]
    assert row(runs, method="gru").skill == pytest.approx(75)
    assert row(runs, method="last_value").skill == 0
    assert row(runs, method="worse").skill == pytest.approx(-50)
    assert np.isnan(row([make()]).skill)


def test_skill_compares_within_a_task_only():
    runs = [make("last_value", "numpy", error=0.2, task="one-step"), make(error=0.05)]
    assert np.isnan(row(runs, method="gru").skill)


def test_ratio_to_the_notes():
    printed = reference.figures()["ten-step"]["gru"].last_step_mse
    assert printed == pytest.approx(0.01009, abs=5e-6)
    found = row([make(error=2 * printed)])
    assert (found.notes, found.ratio) == (pytest.approx(printed), pytest.approx(2))
    assert np.isnan(row([make("rtrl_rnn")]).ratio)


def test_disturbed_times_are_not_counted():
    runs = [make(seed=1, fit=10.0), make(seed=2, fit=14.0), make(seed=3, fit=500.0, timing_valid=False)]
    found = row(runs)
    assert found.fit_seconds == 12
    assert found.predict_ms == pytest.approx(12)
    assert found.timing_valid
    assert found.seeds == 3


def test_times_of_disturbed_runs_alone_are_marked_and_off_the_front():
    runs = [make("fast", fit=1.0, error=0.001, timing_valid=False), *thrice("slow", 9.0, 0.01)]
    assert row(runs, method="fast").fit_seconds == 1
    assert not row(runs, method="fast").timing_valid
    assert not row(runs, method="fast").pareto
    assert row(runs, method="slow").pareto


def thrice(method, fit, error):
    """As many undisturbed runs as a place on the front takes."""
    return [make(method, seed=seed, fit=fit, error=error) for seed in range(times.FEWEST)]


def test_pareto_front():
    points = {"quick": (1, 0.3), "dominated": (2, 0.4), "middle": (3, 0.1), "as_good": (4, 0.1), "best": (9, 0.05)}
    runs = [run for method, point in points.items() for run in thrice(method, *point)]
    table = ranking.rank([*runs, make("timed_once", fit=0.5, error=0.2)])
    assert set(table.loc[table["pareto"], "method"]) == {"quick", "middle", "best"}


def test_pareto_agrees_with_the_definition():
    table = ranking.rank(campaign(range(3)))
    assert table["pareto"].any()
    for candidate in table.itertuples():
        as_fast = table["fit_seconds"] <= candidate.fit_seconds
        as_good = table["test_mse"] <= candidate.test_mse
        assert candidate.pareto == ((as_fast & as_good).sum() == 1)  # itself alone


def test_only_ok_runs_enter():
    runs = [make(seed=1), failed(make(seed=2)), failed(make("lstm"))]
    assert list(ranking.rank(runs)["method"]) == ["gru"]
    assert (row(runs).seeds, row(runs).seeds_tried) == (1, 2)


def test_changed_settings_are_rows_of_their_own():
    wide = {"epochs": 20, "units": 32, "learning_rate": 0.01}
    runs = [make(error=0.01), make(error=0.001, settings=wide, changed=["learning_rate", "units"])]
    table = ranking.rank(runs)
    assert list(table["changed"]) == [(), ("learning_rate=0.01", "units=32")]
    assert list(table["apart"]) == [False, True]
    assert list(table["last_step_mse"]) == [0.01, 0.001]
    assert np.isnan(table["notes"][1])


def test_quick_runs_are_ranked_apart():
    table = ranking.rank([make(error=0.02), make(error=0.001, quick=True)])
    assert list(table["quick"]) == [False, True]
    assert list(table["last_step_mse"]) == [0.02, 0.001]
    assert list(ranking.by_method(table)["place"]) == [1, 1]
    assert np.isnan(table["notes"][1])


def test_a_seed_counts_once_by_its_newest_record():
    old = make(error=0.5, key="a", started_at="2026-01-01T00:00:00+00:00")
    new = make(error=0.01, key="b", started_at="2026-02-01T00:00:00+00:00")
    for runs in ([old, new], [new, old]):
        assert row(runs).last_step_mse == 0.01
        assert row(runs).seeds == 1
        _, left_out = select(frame(runs))
        assert list(left_out["key"]) == ["a"]
        assert list(left_out["why"]) == ["a newer record has the same seed"]


def test_records_of_an_old_default_stop_counting():
    old = [make(seed=seed, error=0.5, settings={"units": 10}) for seed in (1, 2)]
    new = make(seed=1, error=0.01, settings={"units": 20}, started_at="2027-01-01T00:00:00+00:00")
    assert row([*old, new]).last_step_mse == 0.01
    assert row([*old, new]).seeds == 1


def test_records_on_other_data_do_not_count():
    stray = make("lstm", error=0.0001)
    stray = msgspec.structs.replace(stray, spec=msgspec.structs.replace(stray.spec, data_sha256="f" * 64))
    counted, left_out = select(frame([make(seed=1), make(seed=2), stray]))
    assert set(counted["method"]) == {"gru"}
    assert list(left_out["why"]) == ["other data than most records of this task"]


def test_a_row_counts_on_its_largest_test_part_alone():
    grown = [make(seed=seed, error=0.02, test_series=21_000, blocks=blocks(seed)) for seed in (1, 2)]
    others = [make("lstm", seed=seed, error=0.03, blocks=blocks(seed + 5)) for seed in (1, 2, 3)]
    runs = [make(seed=seed) for seed in (1, 2, 3)] + grown + others + [make(backend="torch", seed=1)]
    found = row(runs, method="gru", backend="keras")
    assert (found.seeds, found.test_series, found.test_mse) == (2, 21_000, pytest.approx(0.022))
    assert set(select(frame(runs))[1]["why"]) == {"tested on fewer series than other records of this row"}
    competitors = methods(runs)
    assert list(competitors["test_series"]) == [21_000, 1_000]
    assert competitors["test_mse"].iloc[0] == pytest.approx(0.022), "the row in torch was tested on others"
    drawn = statistics.series_covariance(matrices(competitors)[1])
    assert (np.diag(drawn) > 0).all() and drawn[0, 1] == 0, "other series share no noise"


def blocks(seed):
    return {"test": list(np.random.default_rng(seed).uniform(0.5, 1.5, 50))}


def test_order_of_records_changes_nothing():
    runs = [*campaign(range(5)), *campaign(range(3), task="one-step"), failed(make("rtrl_rnn")), make(quick=True)]
    expected = ranking.rank(runs)
    for seed in range(3):
        shuffled = random.Random(seed).sample(runs, len(runs))
        pd.testing.assert_frame_equal(ranking.rank(shuffled), expected, check_exact=True)


def test_no_records_give_an_empty_table():
    table = ranking.rank([])
    assert list(table.columns) == ranking.COLUMNS
    assert table.empty
    assert list(ranking.by_method(table).columns) == ranking.METHOD_COLUMNS


def methods(runs):
    return ranking.by_method(ranking.rank(runs)).set_index("method")


def test_a_competitor_is_a_method_over_its_backends():
    errors = {("even", "keras"): 0.02, ("even", "torch"): 0.02, ("lucky", "keras"): 0.01, ("lucky", "torch"): 0.05}
    found = methods([make(method, backend, error=error) for (method, backend), error in errors.items()])
    assert list(found.index) == ["even", "lucky"]
    assert list(found["test_mse"]) == pytest.approx([1.1 * 0.02, 1.1 * np.sqrt(0.01 * 0.05)])
    assert [len(keys) for keys in found["keys"]] == [2, 2]


def test_a_users_method_is_one_competitor_over_its_backends_and_several_over_its_versions():
    """Code is another in each backend: only another version of a file, or of one backend, is another row."""
    source = Source(reference="mine.py:Mine", version="1" * 64)
    runs = [make("mine.Mine", backend, code=backend * 9) for backend in ("keras", "torch")]
    runs = [msgspec.structs.replace(run, spec=msgspec.structs.replace(run.spec, source=source)) for run in runs]
    assert len(ranking.by_method(ranking.rank(runs))) == 1
    edited = msgspec.structs.replace(
        runs[0], code="other", key="0" * 16, spec=msgspec.structs.replace(runs[0].spec, seed=43)
    )
    assert sorted(ranking.rank([*runs, edited])["seeds"]) == [1, 1, 1]
    assert len(data.collect([*runs, edited])["boards"][0]["rows"]) == 3
    assert len(anytime.table([*runs, edited], "")) == 3


def test_methods_are_ranked_by_the_test_part():
    """Nothing was chosen on it: what is better on validation alone is not ahead."""
    ahead = make("ahead", error=0.01)
    ahead = msgspec.structs.replace(ahead, metrics={**ahead.metrics, "test_mse": 0.9})
    assert list(methods([ahead, make("steady", error=0.02)]).index) == ["steady", "ahead"]


def test_rank_intervals_of_a_board():
    errors = {"best": 0.010, "near": 0.0102, "far": 0.5}
    runs = [
        make(method, seed=seed, error=error * (1 + 0.05 * ((seed * 7 + place) % 5 - 2)))
        for place, (method, error) in enumerate(errors.items())
        for seed in range(5)
    ]
    found = methods(runs)
    assert list(found["place"]) == [1, 2, 3]
    assert list(zip(found["rank_low"], found["rank_high"], strict=True)) == [(1, 2), (1, 2), (3, 3)]


def test_rows_that_agree_to_a_ten_thousandth_share_a_place():
    runs = [make("lstm", seed=seed, error=0.01 + 0.001 * seed) for seed in range(5)]
    runs += [make("lstm_cell", seed=seed, error=(0.01 + 0.001 * seed) * (1 + 5e-5)) for seed in range(5)]
    found = methods(runs)
    assert list(found["place"]) == [1, 1] and list(found["rank_high"]) == [2, 2]


def test_backends_get_a_verdict_and_no_rank():
    runs = [make("same", backend, seed, 0.01 + 0.001 * seed) for backend in BACKENDS for seed in range(5)]
    runs += [
        make("off", backend, seed, (0.01 + 0.0001 * seed) * (1 + 0.1 * (backend == "torch")))
        for backend in BACKENDS
        for seed in range(5)
    ]
    chance = np.random.default_rng(0).normal(0, 0.2, (3, 5))
    runs += [
        make("wild", backend, seed, 0.01 * np.exp(chance[place, seed]))
        for place, backend in enumerate(BACKENDS)
        for seed in range(5)
    ]
    near = np.random.default_rng(1).normal(0, 0.001, (3, 5))
    runs += [
        make("near", backend, seed, 0.01 * np.exp(near[place, seed]))
        for place, backend in enumerate(BACKENDS)
        for seed in range(5)
    ]
    table = ranking.rank([*runs, make("alone")])
    verdicts = table.groupby("method")["verdict"].agg(set).to_dict()
    assert verdicts == {"same": {"same"}, "off": {"differs"}, "wild": {"undecided"}, "near": {"equal within 1 %"},
                        "alone": {""}}  # fmt: skip
    assert row(runs, method="off", backend="torch").against == pytest.approx(1.1 / 1.1 ** (1 / 3) - 1)


def test_a_campaign_on_an_accelerator_alone_fills_the_main_rows():
    runs = [cuda(make("gru")), cuda(make("lstm", error=0.02)), make("last_value", "numpy", error=0.3)]
    assert not ranking.rank(runs)["apart"].any()
    assert list(methods(runs)["device"]) == ["cuda", "cuda", "cpu"]
    beside = ranking.rank([*runs, make("gru", error=0.011)])
    assert sorted(beside.loc[beside["apart"], "method"]) == ["gru", "lstm"]


def cuda(run):
    spec = msgspec.structs.replace(run.spec, device="cuda")
    return msgspec.structs.replace(run, spec=spec)


def test_times_say_how_many_runs_they_are_of_and_their_range():
    runs = [make(seed=seed, fit=fit) for seed, fit in enumerate((10.0, 12.0, 17.0))]
    found = row([*runs, make(seed=9, fit=500.0, timing_valid=False)])
    assert (found.fit_seconds, found.fit_low, found.fit_high, found.undisturbed) == (12, 10, 17, 3)


def test_every_figure_of_the_notes_is_there():
    figures = reference.figures()
    assert len(figures["one-step"]) == 5
    assert len(figures["ten-step"]) == 13
    assert reference.figure("one-step", "last_value").val_mse == 0.020211367
    assert reference.figure("ten-step", "last_value") is None
    for methods in figures.values():
        for figure in methods.values():
            assert all(len(curve) == 20 for curve in figure.curve.values())
            if figure.curve:
                assert figure.curve["val_loss"][-1] == pytest.approx(figure.val_mse, abs=1e-4)

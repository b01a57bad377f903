"""The ranking's arithmetic, by hand; what counts, and what is kept apart."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import campaign, failed, make

from bench import notes, ranking


def row(runs, **names):
    """The one row of the ranking with these values."""
    table = ranking.rank(runs)
    for name, value in names.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_interval_is_students_t():
    errors = [0.010, 0.013, 0.011, 0.018]
    found = row([make(seed=seed, error=error) for seed, error in enumerate(errors)])
    low, high = stats.t.interval(0.95, len(errors) - 1, loc=np.mean(errors), scale=stats.sem(errors))
    assert found.last_step_mse == pytest.approx(0.013)
    assert found.last_step_mse - found.interval == pytest.approx(low)
    assert found.last_step_mse + found.interval == pytest.approx(high)
    # 3 degrees of freedom: t = 3.1824 (any table); standard deviation of these four 0.0035590, over sqrt(4)
    assert found.interval == pytest.approx(3.18245 * 0.00355903 / 2, rel=1e-5)
    assert found.seeds == 4


def test_one_seed_has_no_interval():
    found = row([make()])
    assert np.isnan(found.interval)
    assert found.seeds == 1


def test_ranks_by_mean_and_shares_equal_ranks():
    errors = {"a": [0.01, 0.03], "b": [0.02, 0.02], "c": [0.005, 0.009], "d": [0.5, 0.5]}
    runs = [make(method, seed=seed, error=error) for method, pair in errors.items() for seed, error in enumerate(pair)]
    table = ranking.rank(runs)
    assert list(table["method"]) == ["c", "a", "b", "d"]
    assert list(table["rank"]) == [1, 2, 2, 4]


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
    printed = notes.figures()["ten-step"]["gru"].last_step_mse
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
    runs = [make("fast", fit=1.0, error=0.001, timing_valid=False), make("slow", fit=9.0)]
    assert row(runs, method="fast").fit_seconds == 1
    assert not row(runs, method="fast").timing_valid
    assert not row(runs, method="fast").pareto
    assert row(runs, method="slow").pareto


def test_pareto_front():
    points = {"quick": (1, 0.3), "dominated": (2, 0.4), "middle": (3, 0.1), "as_good": (4, 0.1), "best": (9, 0.05)}
    table = ranking.rank([make(method, fit=fit, error=error) for method, (fit, error) in points.items()])
    assert set(table.loc[table["pareto"], "method"]) == {"quick", "middle", "best"}


def test_pareto_agrees_with_the_definition():
    table = ranking.rank(campaign())
    for candidate in table.itertuples():
        as_fast = table["fit_seconds"] <= candidate.fit_seconds
        as_good = table["last_step_mse"] <= candidate.last_step_mse
        assert candidate.pareto == ((as_fast & as_good).sum() == 1)  # itself alone


def test_only_ok_runs_enter():
    runs = [make(seed=1), failed(make(seed=2)), failed(make("lstm"))]
    assert list(ranking.rank(runs)["method"]) == ["gru"]
    assert (row(runs).seeds, row(runs).seeds_tried) == (1, 2)


def test_changed_settings_are_rows_of_their_own():
    wide = {"epochs": 20, "units": 32, "learning_rate": 0.01}
    runs = [make(error=0.01), make(error=0.001, settings=wide, changed=["learning_rate", "units"])]
    table = ranking.rank(runs)
    assert list(table["changed"]) == ["", "learning_rate=0.01, units=32"]
    assert list(table["rank"]) == [1, 1]
    assert list(table["tuned"]) == [False, True]
    assert list(table["last_step_mse"]) == [0.01, 0.001]
    assert np.isnan(table["notes"][1])


def test_quick_runs_are_ranked_apart():
    table = ranking.rank([make(error=0.02), make(error=0.001, quick=True)])
    assert list(table["quick"]) == [False, True]
    assert list(table["last_step_mse"]) == [0.02, 0.001]
    assert list(table["rank"]) == [1, 1]
    assert np.isnan(table["notes"][1])


def test_a_seed_counts_once_by_its_newest_record():
    old = make(error=0.5, key="a", started_at="2026-01-01T00:00:00+00:00")
    new = make(error=0.01, key="b", started_at="2026-02-01T00:00:00+00:00")
    for runs in ([old, new], [new, old]):
        assert row(runs).last_step_mse == 0.01
        assert row(runs).seeds == 1
        _, left_out = ranking.select(ranking.frame(runs))
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
    counted, left_out = ranking.select(ranking.frame([make(seed=1), make(seed=2), stray]))
    assert set(counted["method"]) == {"gru"}
    assert list(left_out["why"]) == ["other data than most records of this task"]


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
    assert ranking.by_method(table).empty


def test_methods_are_ranked_by_the_mean_over_backends():
    errors = {("even", "keras"): 0.02, ("even", "torch"): 0.02, ("lucky", "keras"): 0.01, ("lucky", "torch"): 0.05}
    table = ranking.rank([make(method, backend, error=error) for (method, backend), error in errors.items()])
    methods = ranking.by_method(table)
    assert list(methods["method"]) == ["even", "lucky"]
    assert list(methods["error"]) == pytest.approx([0.02, 0.03])


def test_every_figure_of_the_notes_is_there():
    figures = notes.figures()
    assert len(figures["one-step"]) == 5
    assert len(figures["ten-step"]) == 13
    assert notes.figure("one-step", "last_value").val_mse == 0.020211367
    assert notes.figure("ten-step", "last_value") is None
    for methods in figures.values():
        for figure in methods.values():
            assert all(len(curve) == 20 for curve in figure.curve.values())
            if figure.curve:
                assert figure.curve["val_loss"][-1] == pytest.approx(figure.val_mse, abs=1e-4)

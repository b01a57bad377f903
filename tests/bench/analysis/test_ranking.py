"""The ranking's arithmetic, by hand; what counts, and what is kept apart."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import campaign, failed, make

from bench.analysis import across_tasks, ranking, reference, statistics
from bench.analysis.table import frame, select


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


def ranks(errors):
    """method -> rank, of methods with these errors by seed; None where a seed is missing."""
    runs = [
        make(method, seed=seed, error=error)
        for method, row in errors.items()
        for seed, error in enumerate(row)
        if error is not None
    ]
    table = ranking.rank(runs)
    return dict(zip(table["method"], table["rank"], strict=True))


def test_one_seed_ranks_by_error_and_shares_equal_ranks():
    assert ranks({"a": [0.02], "b": [0.02], "c": [0.007], "d": [0.5]}) == {"c": 1, "a": 2, "b": 2, "d": 4}


def test_rows_that_cannot_be_told_apart_share_a_rank():
    noisy = {"a": [0.011, 0.013, 0.009, 0.012, 0.010], "b": [0.012, 0.010, 0.011, 0.009, 0.0131]}
    assert ranks({**noisy, "far": [0.50, 0.52, 0.49, 0.51, 0.53]}) == {"a": 1, "b": 1, "far": 3}


def test_pairing_by_seed_tells_apart_what_the_spread_hides():
    """Each seed is worse in b by the same little, which is less than the seeds are apart."""
    a = [0.010, 0.020, 0.015, 0.012, 0.018]
    b = [error + 0.001 + 0.00001 * seed for seed, error in enumerate(a)]
    assert ranks({"a": a, "b": b}) == {"a": 1, "b": 2}
    assert ranks({"a": a, "b": b[1:] + b[:1]}) == {"a": 1, "b": 1}


def test_holm_corrects_for_the_number_of_pairs():
    """A difference at p = 0.02 counts on a board of two; among six rows it is to be expected by chance."""
    a, b = [0.010, 0.012, 0.011, 0.013, 0.0115], [0.011, 0.0145, 0.0115, 0.0150, 0.0125]
    assert 0.01 < stats.ttest_rel(a, b).pvalue < 0.03
    assert ranks({"a": a, "b": b})["b"] == 2
    others = {f"other{place}": [0.012 + 0.001 * ((place + seed) % 5) for seed in range(5)] for place in range(4)}
    assert ranks({"a": a, "b": b, **others})["b"] == 1


def test_methods_without_chance_are_told_apart():
    assert ranks({"a": [0.01] * 5, "b": [0.0101] * 5, "c": [0.01] * 5}) == {"a": 1, "c": 1, "b": 3}


def test_too_few_common_seeds_are_ranked_by_mean():
    assert ranks({"a": [0.010, 0.011, 0.012, None], "b": [None, None, 0.0111, 0.0112]}) == {"a": 1, "b": 2}


def test_ranks_never_fall_below_a_better_row():
    """`wild` cannot be told apart from the best, but `second`, which has a smaller mean, can."""
    found = ranks(
        {
            "best": [0.0100, 0.0101, 0.0102, 0.0101, 0.0100],
            "second": [0.0110, 0.0111, 0.0112, 0.0111, 0.0110],
            "wild": [0.0300, 0.0050, 0.0150, 0.0080, 0.0100],
        }
    )
    assert found == {"best": 1, "second": 2, "wild": 2}


def test_p_values_are_scipys():
    random = np.random.default_rng(1)
    errors = random.normal(1, 0.1, (8, 5))
    errors[2, 1] = errors[5, :3] = np.nan
    found = statistics.paired_t(errors[:-1] - errors[1:])
    expected = [stats.ttest_rel(*pair, nan_policy="omit").pvalue for pair in zip(errors[:-1], errors[1:], strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_holms_correction_by_hand():
    """The smallest of m p-values times m, the next times m - 1, and so on; none below one that was smaller."""
    np.testing.assert_allclose(statistics.holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])
    assert len(statistics.holm(np.array([]))) == 0


def test_an_interval_over_tasks_is_around_the_mean_and_of_no_width_for_equal_values():
    values = np.array([[0.1, 0.4, 0.2, 0.9], [0.3, 0.3, 0.3, 0.3]])
    mean, low, high = across_tasks.mean_over_tasks(values)
    np.testing.assert_allclose(mean, [0.4, 0.3])
    assert 0.1 <= low[0] < 0.25 and 0.55 < high[0] <= 0.9
    np.testing.assert_allclose([low[1], high[1]], 0.3)


BOARDS = 200


def board(random, levels, seeds=5):
    """Errors [R, seeds] of methods with these true errors: a tenth of chance, half of it shared by a seed's runs."""
    noise = random.normal(0, 0.07, seeds) + random.normal(0, 0.07, (len(levels), seeds))
    return np.array(levels)[:, None] * np.exp(noise)


def ranks_of(errors):
    return statistics.ranks(errors.mean(axis=1), errors)


@pytest.mark.parametrize("seeds", [3, 5])
def test_one_method_under_two_names_is_told_apart_no_more_often_than_the_level(seeds):
    """A/A: on a board of seven others, at most 5 % of 200 boards tell it from itself."""
    random, false = np.random.default_rng(0), 0
    levels = [0.010, 0.010, 0.006, 0.008, 0.0101, 0.012, 0.02, 0.05, 0.2]
    for _ in range(BOARDS):
        apart = statistics.told_apart(board(random, levels, seeds))[1]
        false += apart[0, 1]
    assert false <= statistics.LEVEL * BOARDS


@pytest.mark.parametrize("names", [2, 6, 20])
def test_a_board_of_one_method_shows_a_difference_no_more_often_than_the_level(names):
    """The level is that of the whole board, however many pairs it has: here it is all used up."""
    random = np.random.default_rng(0)
    false = sum(len(set(ranks_of(board(random, [0.01] * names)))) > 1 for _ in range(BOARDS))
    assert stats.binomtest(false, BOARDS, statistics.LEVEL, alternative="greater").pvalue > 0.05


def test_methods_that_differ_are_told_apart():
    """30 % worse, with a tenth of chance: five seeds tell two methods apart on most boards."""
    random = np.random.default_rng(0)
    found = sum(list(ranks_of(board(random, [0.01, 0.013]))) == [1, 2] for _ in range(BOARDS))
    assert found > 0.9 * BOARDS


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
    assert table["rank"]["ten-step", "gru"] == 1 and table["pareto"]["ten-step", "gru"]


def test_skill_and_win_rate_over_tasks():
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
    assert table["win_rate"]["good"] == pytest.approx(5.5 / 6)  # of three tasks and two rivals, one tie
    assert table["win_rate"]["mixed"] == pytest.approx(2.5 / 6)
    for row in table.itertuples():
        assert row.skill_low <= row.skill <= row.skill_high and row.win_rate_low <= row.win_rate <= row.win_rate_high
    assert 50 <= table["skill_low"]["good"] < table["skill_high"]["good"] <= 75


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
    assert list(table["changed"]) == [(), ("learning_rate=0.01", "units=32")]
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

"""The data to the last digit, its cut, and the errors computed from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import implementations
from bench import metrics
from bench.data import datasets, generators, windows
from bench.tasks import ALL, TASKS

ONE, TEN = TASKS["one-step"], TASKS["ten-step"]


def test_one_step_scores_the_notes_figure_for_repeating_the_last_value():
    history, future = windows.cut(generators.load(ONE), ONE).validation
    assert metrics.mse(history[:, -1:], future) == pytest.approx(0.020211367, abs=1e-8)


def test_ten_step_baseline_honest_and_leaking_on_the_notes_draw():
    random = np.random.RandomState(43)
    generators.generate_time_series(1, 60, random)
    validation = generators.generate_time_series(10_000, 60, random)[7000:9000]
    future = validation[:, 50:]
    honest, leaking = (np.repeat(validation[:, step : step + 1], 10, axis=1) for step in (49, 59))
    assert metrics.mse(honest, future) == pytest.approx(0.26649, abs=5e-6)
    assert metrics.mse(leaking, future) == pytest.approx(0.21193963, abs=1e-8)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("quick", [False, True])
def test_cut_gives_every_series_to_one_set_in_order(task, quick):
    task = task.quick() if quick else task
    series = generators.load(task)
    split = windows.cut(series, task)
    assert [len(pair.history) for pair in split] == [task.train, task.validation, task.test]
    joined = np.concatenate([np.concatenate(pair, axis=1) for pair in split])
    np.testing.assert_array_equal(joined, series)
    assert joined.dtype == np.float32 and series.shape == (task.count, task.history + task.ahead, 1)


def test_the_further_test_series_come_after_the_references_draw():
    random = np.random.RandomState(43)
    first, further = (generators.generate_time_series(count, 60, random) for count in (10_000, 20_000))
    data = datasets.GeneratedData(TEN)
    assert data.digest == datasets.digest(first), "keys stay as they are"
    np.testing.assert_array_equal(np.concatenate(data.split.test, axis=1), np.concatenate([first[9_000:], further]))
    assert (data.test_series, datasets.GeneratedData(TEN.quick()).test_series) == (21_000, 100)
    assert not data.split.test.future.flags.writeable


def test_windows_are_read_only_copies():
    series = generators.load(ONE.quick())
    history = windows.cut(series, ONE.quick()).train.history
    series[:] = 0
    assert history.any()
    with pytest.raises(ValueError, match="read-only"):
        history[0] = 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda series: series[:-1], r"got series \[899, 51, 1\] float32, needed \[900, 51, D\] float32"),
        (lambda series: series[:, :-1], r"\[900, 50, 1\]"),
        (lambda series: series[..., 0], r"\[900, 51\]"),
        (lambda series: series.astype(np.float64), "float64"),
        (
            lambda series: np.where(np.arange(900)[:, None, None] == 7, np.float32("nan"), series),
            "series 7 holds a NaN",
        ),
    ],
)
def test_cut_refuses_other_series(damage, message):
    task = ONE.quick()
    with pytest.raises(ValueError, match=message):
        windows.cut(damage(generators.load(task)), task)


def test_default_methods():
    assert ONE.runs("deep_rnn") and not ONE.runs("gru")
    assert TEN.runs("gru") and TEN.runs("a_method_that_is_new") and not TEN.runs("deep_rnn")


def test_a_long_horizon_tells_blocks_and_ways_of_feeding_back_apart():
    """On ten steps a block of ten is all of the horizon, so that two methods are one."""
    sequence, blocks = (implementations.class_of(name).strategy for name in ("rnn_sequence", "rnn_sequence_blocks"))
    assert [one.block(TEN.ahead) for one in (sequence, blocks)] == [10, 10]
    assert [one.block(ALL["forty-step"].ahead) for one in (sequence, blocks)] == [40, 10]
    sliding, growing = (implementations.class_of(f"deep_rnn_{way}").strategy for way in ("sliding", "growing"))
    assert (sliding.growing, growing.growing) == (False, True) and sliding.block(40) == growing.block(40) == 1
    ways = ("rnn_sequence", "rnn_sequence_blocks", "deep_rnn_sliding", "deep_rnn_growing", "rnn_multi_output")
    assert all(map(ALL["forty-step"].runs, ways))


def test_digest_tells_values_shapes_and_types_apart():
    array = np.arange(6, dtype=np.float32)
    others = array.reshape(2, 3), array.view(np.int32), array + 1
    assert len({datasets.digest(other) for other in (array, *others)}) == 4
    assert datasets.digest(array.reshape(2, 3).T) == datasets.digest(np.ascontiguousarray(array.reshape(2, 3).T))


def test_data_depends_on_the_seed():
    assert datasets.digest(generators.load(ONE)) != datasets.digest(generators.load(replace(ONE, seed=7)))


def test_metrics_by_hand():
    truth = np.array([[[1.0], [2.0]], [[3.0], [0.0]]], np.float32)
    forecast = np.array([[[2.0], [2.0]], [[1.0], [0.0]]], np.float32)
    assert metrics.mse(forecast, truth) == 1.25
    assert metrics.mae(forecast, truth) == 0.75
    assert metrics.mse_by_step(forecast, truth) == [2.5, 0.0]
    assert metrics.smape(forecast, truth) == pytest.approx(200 / 4 * (1 / 3 + 2 / 4))


def test_metrics_work_in_float64():
    truth = np.full((1, 1, 1), 1e30, np.float32)
    assert metrics.mse(-truth, truth) == pytest.approx(4e60)


def test_metrics_refuse_to_broadcast():
    with pytest.raises(ValueError, match=r"got forecasts \[2, 1, 1\], needed the truth's shape \[2, 3, 1\]"):
        metrics.mse(np.zeros((2, 1, 1)), np.zeros((2, 3, 1)))

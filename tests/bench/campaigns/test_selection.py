"""From a selection to specs, and from specs to the jobs that are left."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from conftest import make_run, make_spec

import implementations
from bench import tasks
from bench.campaigns import run, selection
from bench.campaigns.request import Selection, parse_seeds
from bench.campaigns.settings import parse_settings
from bench.cli import render
from bench.errors import UsageError
from bench.execution import jobs
from bench.execution.jobs import Job
from bench.records import codec, repository


def names(**asked: Any) -> set[tuple[str, str, str]]:
    """Task, method and backend of what a selection runs."""
    return {(spec.task, spec.method, spec.backend) for spec in selection.specs(Selection(**asked))}


def test_a_backend_brings_the_baselines_along():
    found = names(backends=["keras"])
    assert {
        ("ten-step", "last_value", "numpy"),
        ("ten-step", "gru", "keras"),
        ("one-step", "deep_rnn", "keras"),
    } <= found
    assert {backend for _, _, backend in found} == {"numpy", "keras"}


def test_numpy_alone_runs_the_methods_without_a_network():
    assert {backend for _, _, backend in names(backends=["numpy"])} == {"numpy"}


def test_default_sets_of_the_tasks():
    methods = {task: {name for of, name, _ in names() if of == task} for task in ("one-step", "ten-step")}
    baselines = {"last_value", "moving_average", "arima", "linear"}
    one_step = {"simple_rnn", "deep_rnn_recurrent_head", "deep_rnn"}
    assert methods["one-step"] == baselines | one_step | set(tasks.REFERENCES)
    others = one_step.union(tasks.CLASSICAL, tasks.WITHOUT_NETWORK, tasks.BEYOND, tasks.ON_REQUEST)
    assert methods["ten-step"] == set(implementations.METHODS) - others


def test_an_old_name_stands_for_the_method_and_its_settings():
    asked = {"methods": ["least_squares_oracle"], "tasks": ["ten-step"]}
    (spec,) = selection.specs(Selection(**asked, settings=parse_settings(["oracle.starts=2"])))
    assert (spec.method, spec.settings) == ("least_squares_oracle", {"starts": 2})


def test_a_named_method_runs_on_every_task_and_only_there_it_is():
    found = names(methods=["lstm*"], backends=["keras"])
    assert {task for task, _, _ in found} == {"one-step", "ten-step"}
    assert {"lstm", "lstm_cell"} <= {method for _, method, _ in found} <= set(implementations.METHODS)
    assert all(method.startswith("lstm") for _, method, _ in found)


def test_epochs_and_settings_are_resolved_and_named():
    (spec,) = selection.specs(
        Selection(methods=["gru"], tasks=["ten-step"], backends=["torch"], epochs=5, settings={"gru": {"units": 32}})
    )
    defaults = implementations.default_settings("gru")
    assert spec.settings == {**defaults, "epochs": 5, "units": 32}
    assert spec.changed == ("epochs", "units")


def test_asking_for_the_default_changes_nothing():
    asked = {"methods": ["gru"], "tasks": ["ten-step"], "backends": ["torch"]}
    plain, same = (
        selection.specs(Selection(**asked, **more))
        for more in ({}, {"epochs": 20, "settings": {"gru": {"learning_rate": 1e-3}}})
    )
    assert [codec.key_of(spec) for spec in plain] == [codec.key_of(spec) for spec in same]


def test_set_alone_runs_the_methods_that_it_names():
    assert {method for _, method, _ in names(settings={"gru": {"units": 32}, "lstm": {"epochs": 3}})} == {"gru", "lstm"}


def test_epochs_leave_methods_without_epochs_alone():
    specs = selection.specs(Selection(methods=["last_value"], epochs=3))
    assert {spec.changed for spec in specs} == {()}


def test_quick_runs_few_methods_unless_they_are_named():
    assert ("ten-step", "gru", "keras") in names(quick=True) and len(names(quick=True, backends=["torch"])) < 10
    assert ("ten-step", "wavenet", "torch") in names(quick=True, backends=["torch"], methods=["*"])


def test_quick_is_marked_smaller_and_short():
    full, quick = (
        selection.specs(Selection(methods=["gru"], tasks=["ten-step"], quick=quick))[0] for quick in (False, True)
    )
    assert quick.quick and quick.settings["epochs"] == 2 and quick.changed == ()
    assert quick.data_sha256 != full.data_sha256 and codec.key_of(quick) != codec.key_of(full)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gru.units=32", 32),
        ("gru.learning_rate=1", 1.0),
        ("gru.optimizer=sgd", "sgd"),
        ("gru.clip_norm=2", 2.0),
        ("gru.clip_norm=none", None),
    ],
)
def test_settings_are_typed_as_the_method_states(text, value):
    ((parsed,),) = (found.values() for found in parse_settings([text]).values())
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"methods": ["gruu"]}, "unknown method 'gruu': did you mean gru"),
        ({"methods": ["zzz"]}, "unknown method 'zzz': choose from last_value"),
        ({"tasks": ["two-step"]}, "unknown task 'two-step': did you mean"),
        ({"backends": ["tensorflow"]}, "unknown backend 'tensorflow': did you mean keras?"),
        ({"backends": ["numpy"], "methods": ["gru"]}, "nothing to run on numpy: gru has keras, keras-jax, torch"),
        ({"backends": ["jax"]}, "unknown backend 'jax': did you mean keras-jax?"),
        ({"seeds": (1, 2, 1)}, "1 is given twice"),
        ({"seeds": (-1,)}, "-1 is not a whole number"),
        ({"seeds": (2**32,)}, "4294967296 is not a whole number"),
        ({"epochs": 0}, "--epochs 0: needed 1 or more"),
        ({"epochs": 10**9}, "needed 1000000 or fewer"),
        ({"settings": {"gru": {"units": 0}}}, "units: got 0"),
        ({"settings": {"gru": {"epochs": 0}}}, "epochs: got 0"),
        ({"settings": {"gru": {"units": 3}}, "methods": ["lstm"]}, "gru is not among the methods of this run"),
        *(
            ({"settings": {method: {name: value}}, "tasks": ["ten-step"]}, f"{method}.{name}{words}")
            for method, name, value, words in [
                ("gru", "shift", 60, "=60: needed at most 49, as a window has 50 steps"),
                ("patchtst", "patch", 51, "=51: needed at most 50, as a window has 50 steps"),
                ("patchtst", "stride", 0, ": got 0, needed at least 1"),
                ("patchtst", "stride", 51, "=51: needed at most 50"),
                ("patchtst", "heads", 3, ": got 3, needed a divisor of the 64 units"),
                ("ssa", "rank", 50, "=50: needed at most 49"),
                ("esprit", "window", 50, "=50: needed at most 49"),
                ("tcn", "filters", 0, ": got 0, needed at least 1"),
                ("tcn", "layers", 40, "=40: needs at least 8,589,934,592 MiB of memory"),
                ("wavenet", "layers", 300_000, "=300000: needs at least "),
                ("tide", "width", 0, ": got 0, needed at least 1"),
                ("tsmixer", "hidden", 0, ": got 0, needed at least 1"),
                ("mingru", "units", -4, ": got -4, needed at least 1"),
                ("nlinear", "normalise", "max", ": got 'max', allowed: none, last, mean, revin"),
                ("s4d", "dt_min", 0.7, ": got dt_min 0.7, dt_max "),
                ("nbeats", "basis", "fourier", ": got 'fourier'"),
                ("encoder_decoder", "teacher_forcing", True, ": got True, needed with it"),
                ("sinusoids", "norm", 3, ": got 3"),
                ("kernel_ridge", "width", 0.0, ": got 0.0, needed more than 0, or none"),
            ]
        ),
    ],
)
def test_bad_selections(asked, message):
    with pytest.raises(UsageError) as caught:
        selection.specs(Selection(**asked))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gru.unit=3", "unknown setting of gru 'unit': did you mean units"),
        ("gruu.units=3", "unknown method 'gruu': did you mean gru"),
        ("gru.units", "needed METHOD.NAME=VALUE"),
        ("gru.units=many", "--set gru.units=many: 'many' is not a whole number"),
        ("gru.units=2.5", "'2.5' is not a whole number"),
        ("gru.units=none", "'none' is not a whole number"),
        ("gru.learning_rate=nan", "'nan' is not a number"),
    ],
)
def test_bad_settings(text, message):
    with pytest.raises(UsageError) as caught:
        parse_settings([text])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_setting_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="--set gru.units: got 16 and 32, needed one value in a run"):
        parse_settings(["gru.units=16", "lstm.units=8", "gru.units=32"])
    with pytest.raises(UsageError, match="--set patchtst.patch: got 8 and 25, needed one value"):
        parse_settings(["transformer.patch=8", "patchtst.patch=25"])


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("42", (42,)), ("0, 4294967295", (0, 2**32 - 1)), ("42-46", (42, 43, 44, 45, 46)), ("7,1-2", (7, 1, 2))],
)
def test_seeds_are_numbers_and_ranges(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,x", "'x' is not a whole number in 0..4294967295"),
        ("-1", "'-1' is not a whole number"),
        ("4294967296", "'4294967296' is not a whole number"),
        ("1.0", "'1.0' is not a whole number"),
        ("", "'' is not a whole number"),
        ("²", "'²' is not a whole number"),
        ("1-", "'1-' is not a whole number"),
        ("5-2", "5-2 must go upwards"),
        ("0-4294967295", "at most 10000 seeds"),
        ("1,2,1", "1 is given twice"),
        ("1,01", "1 is given twice"),
        ("1-3,2", "2 is given twice"),
    ],
)
def test_bad_seeds(text, message):
    with pytest.raises(UsageError) as caught:
        parse_seeds(text)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_capitals_do_not_matter():
    assert names(methods=["GRU"], tasks=["Ten-Step"], backends=["torch"]) == {("ten-step", "gru", "torch")}


def test_a_missing_backend_names_its_extra(monkeypatch):
    monkeypatch.setattr("implementations.backends.installed", lambda name: name != "torch")
    with pytest.raises(UsageError, match=r"backend 'torch' is not installed: pip install 'aheadbench\[torch\]'"):
        selection.choose_backends(["torch"])
    assert selection.choose_backends([]) == ["numpy", "keras", "keras-jax"]


def test_finished_runs_are_skipped_and_failed_ones_repeated():
    specs = [make_spec(seed=seed) for seed in range(6)]
    ends = ["ok", "diverged", "failed", "timeout", "oom"]
    runs = [make_run(spec, status=end, metrics=None) for spec, end in zip(specs, ends, strict=False)]
    assert {job.spec.seed for job in jobs.jobs(specs, runs, force=False)} == {2, 3, 4, 5}
    assert len(jobs.jobs(specs, runs, force=True)) == 6


def test_a_record_that_was_tested_on_fewer_series_is_stale(tmp_path):
    asked = Selection(methods=("last_value",), tasks=("one-step",))
    (spec,) = selection.specs(asked)
    blocks = {"test": [0.1, 0.2]}
    for size, found, jobs_left in ((1_000, blocks, 1), (21_000, msgspec.UNSET, 1), (21_000, blocks, 0)):
        repository.write(tmp_path, make_run(spec, test_series=size, blocks=found))
        made = run.make([asked], tmp_path), run.make([asked], tmp_path, run.Again(stale=True))
        assert [len(plan.jobs) for plan in made] == [0, jobs_left]
        words = "1 scored on fewer test series or without blocks (--force-stale runs them again)"
        assert (words in render.describe(made[0])) == bool(jobs_left)


def test_disturbed_runs_are_timed_again_until_a_row_has_three(tmp_path):
    asked = Selection(
        methods=("last_value", "moving_average"), tasks=("one-step",), seeds_of={"numpy": (1, 2, 3, 4, 5)}
    )
    specs = {(spec.method, spec.seed): spec for spec in selection.specs(asked)}

    def record(method, seed, undisturbed):
        new = {"test_series": 21_000, "blocks": {"test": [0.1, 0.2]}}
        repository.write(tmp_path, make_run(specs[method, seed], timing_valid=undisturbed, **new))

    def left(plan):
        return {(job.spec.method, job.spec.seed) for job in plan.jobs}

    for seed in (1, 2, 3, 4):
        record("last_value", seed, seed < 4)
        record("moving_average", seed, seed == 2)
    plans = run.plans([asked], tmp_path, run.Again(disturbed=True))
    new = {("last_value", 5), ("moving_average", 5)}
    assert left(next(plans)) == new | {("moving_average", 1)}, "with seed 5, one more is enough"
    for method, seed in (*new, ("moving_average", 1)):
        record(method, seed, seed == 1)
    assert left(next(plans)) == {("moving_average", 3)}
    record("moving_average", 3, True)
    assert not list(plans) and not run.make([asked], tmp_path).jobs


def test_predictions_come_from_earlier_records():
    keras = make_run(make_spec(), seconds={"fit": 20.0, "total": 30.0})
    torch = make_run(make_spec(backend="torch"), seconds={"fit": 2.0, "total": 3.0})
    assert jobs.DurationEstimator([keras, torch]).estimate(make_spec(seed=1))[0] == 30
    assert jobs.DurationEstimator([torch]).estimate(make_spec(seed=1))[0] == 3
    assert jobs.DurationEstimator([keras]).estimate(make_spec(settings={"epochs": 40}))[0] == 50
    assert jobs.DurationEstimator([keras]).estimate(make_spec(quick=True))[0] is None
    assert jobs.DurationEstimator([keras]).estimate(make_spec(method="lstm"))[0] is None


def test_baselines_and_fast_methods_go_first():
    slow, fast = make_spec(method="slow"), make_spec(method="fast")
    baseline, unknown = make_spec(method="baseline", backend="numpy"), make_spec(method="unknown")
    runs = [make_run(slow), make_run(fast, seconds={"fit": 1.0, "total": 2.0})]
    ordered = jobs.jobs([slow, fast, baseline, unknown], runs, force=True)
    assert [job.spec.method for job in ordered] == ["baseline", "unknown", "fast", "slow"]


def test_after_a_few_fast_ones_the_longest_go_first():
    specs = [make_spec(method=f"takes_{seconds}") for seconds in range(1, 9)]
    runs = [make_run(spec, seconds={"fit": 0.1, "total": float(spec.method[6:])}) for spec in specs]
    ordered = [int(job.spec.method[6:]) for job in jobs.jobs(specs, runs, force=True)]
    assert ordered == [1, 2, 3, 4, 8, 7, 6, 5]


def test_every_row_gets_its_first_seed_before_one_gets_its_second():
    """The second and third follow, the longest first; of the others the shortest, so that most rows get all."""
    specs = [make_spec(method=f"takes_{seconds}", seed=seed) for seconds in (1, 2) for seed in range(5)]
    runs = [make_run(spec, seconds={"fit": 0.1, "total": float(spec.method[6:])}) for spec in specs]
    ordered = [(int(job.spec.method[6:]), job.spec.seed) for job in jobs.jobs(specs, runs, force=True)]
    assert ordered[:4] == [(1, 0), (2, 0), (1, 1), (1, 2)], "a few fast ones of the first rounds"
    assert ordered[4:] == [(2, 1), (2, 2), (1, 3), (1, 4), (2, 3), (2, 4)]


def test_a_prediction_is_for_a_core_of_its_own_and_knows_what_a_used_worker_is_spared():
    seconds = {"start": 1.0, "import": 3.0, "first_step": 4.0, "fit": 40.0, "total": 48.0}
    shared = make_run(make_spec(backend="keras-jax"), seconds=seconds, environment={"fit_cores": 0.25})
    assert jobs.DurationEstimator([shared]).estimate(make_spec(backend="keras-jax", seed=1)) == (12.0, 2.0)
    planned = [Job(make_spec(seed=seed), 12.0, 2.0) for seed in range(3)]
    assert (jobs.makespan(planned, 1), jobs.makespan(planned, 1, reuse=True)) == (36.0, 32.0)


def test_makespan():
    planned = [Job(make_spec(seed=seed), seconds) for seed, seconds in enumerate([10.0, 20.0, 30.0])]
    assert jobs.makespan(planned, 1) == 60
    assert jobs.makespan(planned, 2) == 40
    assert jobs.makespan([*planned, Job(make_spec())], 2) == 40, "one of unknown time counts nothing"
    assert jobs.makespan([], 2) == 0

"""TASKS: the whole benchmark on one screen."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from bench.data.bundled import PREFIX
from bench.schema.series import Preparation

if TYPE_CHECKING:
    from bench.records.repository import Spec

#: methods that know how a data set was made: they show where the limit is and stand outside the ranking
REFERENCES = {"oracle": "sines"}


@dataclass(frozen=True, kw_only=True)
class Task:
    """From the last T values of a series, forecast the next H: on which data, split how, with which methods."""

    name: str
    dataset: str = "sines"
    seed: int  # of the data, not of the training
    history: int = 50  # T
    ahead: int  # H
    train: int = 7_000  # series; of a task on real series its windows, which tests count again
    validation: int = 2_000
    test: int = 1_000
    methods: tuple[str, ...] | None = None  # what runs unless methods are named; None: all but `when_named`
    when_named: tuple[str, ...] = ()
    series: Preparation | None = None  # how a file's series become windows; None: made by `dataset`
    quick_methods: tuple[str, ...] = ()  # the default set of a quick run: one of each kind, for its 90 s
    within: Task | None = None  # the task whose training series these are: drawn with its others, which stay unseen

    @property
    def count(self) -> int:
        """How many series N are drawn."""
        return self.train + self.validation + self.test

    def runs(self, method: str) -> bool:
        """Whether the method belongs to the task's default set."""
        if self.methods is not None:
            return method in self.methods
        return method not in self.when_named and REFERENCES.get(method, self.dataset) == self.dataset

    def quick(self) -> Task:
        """The task on few series: as many for validation as for the test, so that one compiled shape serves both."""
        if self.series:
            tenth = msgspec.structs.replace(self.series, stride=10 * self.series.stride)
            return replace(self, series=tenth, methods=self.quick_methods)
        few, within = self.test // 10, self.within.quick() if self.within else None
        return replace(
            self, train=self.train // 10, validation=few, test=few, methods=self.quick_methods, within=within
        )


CLASSICAL = (
    "seasonal_naive",
    "auto_arima",
    "auto_ets",
    "theta",
)  # baselines for series with a season: the notes' sines share none
#: networks that the notes do not have, and training that they do not do
BEYOND = ("mlp", "mlp_ensemble", "dlinear", "nbeats", "nhits", "tcn", "transformer", "s4d", "gru_tuned")
ONE_STEP = ("simple_rnn", "deep_rnn_recurrent_head", "deep_rnn")  # the notes train them to forecast one step

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="one-step",
            seed=42,
            ahead=1,
            methods=("last_value", "moving_average", "arima", "linear", *ONE_STEP),
            quick_methods=("last_value", "linear", "deep_rnn"),
        ),
        Task(
            name="ten-step",
            seed=43,
            ahead=10,
            when_named=ONE_STEP + CLASSICAL + BEYOND,
            quick_methods=("last_value", "moving_average", "linear", "rnn_sequence", "gru"),
        ),
    )
}


def search(task: Task) -> Task:
    """The task on which settings are chosen for another: a fifth of its training series is split off to score on."""
    fifth = task.train // 5
    test = fifth // 4
    return replace(
        task, name=f"{task.name}-search", train=task.train - fifth, validation=fifth - test, test=test, within=task
    )


#: run by `tune`, and on no board: what is chosen there is shown with the task that it is chosen for
SEARCHES: dict[str, Task] = {one.name: one for one in map(search, TASKS.values())}

#: what runs on real series unless methods are named: the baselines, and one network of each kind
ON_REAL = (
    "last_value", "seasonal_naive", "moving_average", "arima", "auto_arima", "auto_ets", "theta", "linear",
    "rnn_multi_output", "lstm", "gru", "conv_gru", "wavenet_simple",
)  # fmt: skip


def real(name: str, *target: str, history: int, ahead: int, windows: tuple[int, int, int], **how: Any) -> Task:
    """A task on series of statsmodels (`bench.data.bundled`); windows to train on, to validate and to test."""
    series = Preparation(file=f"{PREFIX}{name}", target=target, history=history, ahead=ahead, **how)
    train, validation, test = windows
    return replace(task_on(series, name), methods=ON_REAL, train=train, validation=validation, test=test)


def task_of(spec: Spec) -> Task | None:
    """The task of a spec, on as much data as it runs on; None when this version of the benchmark no longer has it."""
    if spec.series:
        return task_on(spec.series, spec.task)
    task = ALL.get(spec.task) or SEARCHES.get(spec.task)
    return task.quick() if task and spec.quick else task


def task_on(series: Preparation, name: str) -> Task:
    """A task on the series of a file."""
    return Task(
        name=name,
        dataset=series.file,
        seed=0,
        history=series.history,
        ahead=series.ahead,
        when_named=ONE_STEP + BEYOND,
        series=series,
        quick_methods=TASKS["ten-step"].quick_methods,
    )


def name_of(series: Preparation, data: str) -> str:
    """What a file's task is called: the file, the first target, and a digest of the data and how it is read."""
    stem = re.sub(r"\.(csv|tsv|txt|parquet|pq)$", "", series.file, flags=re.IGNORECASE)
    words = [re.sub(r"\W+", "_", word, flags=re.ASCII).strip("_") for word in (stem, *series.target[:1])]
    told_apart = hashlib.sha256(msgspec.json.encode([series, data], order="sorted")).hexdigest()[:6]
    return "-".join([*(word[:30] for word in words if word), told_apart])


#: tasks on real series: run when they are named, as in --task sunspots
REAL: dict[str, Task] = {
    task.name: task
    for task in (
        real("sunspots", "SUNACTIVITY", history=44, ahead=11, windows=(163, 36, 36)),
        real("co2", "co2", history=48, ahead=12, windows=(297, 68, 68), season=12, impute="linear"),
        real("elnino", "temperature", history=48, ahead=12, windows=(441, 99, 99), season=12),
        real("nile", "volume", history=20, ahead=5, windows=(46, 11, 11)),
        real("macro", "realgdp", "realcons", "realinv", "realdpi", history=20, ahead=4, windows=(119, 27, 27),
             difference=True),
    )
}  # fmt: skip
ALL: dict[str, Task] = {**TASKS, **REAL}

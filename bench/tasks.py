"""TASKS: the whole benchmark on one screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bench.schema.series import Preparation
from implementations.kinds import CLASSIFY, FORECAST, IMPUTE

#: methods that know how a data set was made, and are not ranked; the error of the first is the limit
REFERENCES = {"bayes": "sines", "least_squares_oracle": "sines"}


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of windows of T steps: on which data, split how, with which methods.

    kind: the next H values, one of H classes, or H hidden values, see `implementations.kinds`.
    """

    name: str
    kind: str = FORECAST
    dataset: str = "sines"
    seed: int  # of the data, not of the training
    history: int = 50  # T
    ahead: int  # H: steps to forecast, classes, or steps that are hidden
    train: int = 7_000  # series; of a task on real series its windows, which tests count again
    validation: int = 2_000
    test: int = 1_000
    further_test: int = 0  # series more to test on, drawn after all others: the reference's draws stay as they are
    methods: tuple[str, ...] | None = None  # what runs unless methods are named; None: all but `when_named`
    when_named: tuple[str, ...] = ()
    series: Preparation | None = None  # how a file's series become windows; None: made by `dataset`
    quick_methods: tuple[str, ...] = ()  # the default set of a quick run: one of each kind, for its 90 s
    within: Task | None = None  # the task whose training series these are: drawn with its others, which stay unseen

    @classmethod
    def of_series(cls, series: Preparation, **fields: Any) -> Task:
        """A task on a file's series, which say how long the history is and how many steps are forecast."""
        return cls(dataset=series.file, seed=0, history=series.history, ahead=series.ahead, series=series, **fields)

    @property
    def count(self) -> int:
        """How many series N are drawn before the further ones to test on."""
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
            self, train=self.train // 10, validation=few, test=few, further_test=0, methods=self.quick_methods,
            within=within,
        )  # fmt: skip


CLASSICAL = (
    "seasonal_naive",
    "auto_arima",
    "auto_ets",
    "theta",
)  # baselines for series with a season: the notes' sines share none
#: networks that the notes do not have, and training that they do not do
BEYOND = (
    "mlp", "mlp_ensemble", "dlinear", "nlinear", "tide", "tsmixer", "nbeats", "nhits", "tcn", "patchtst", "s4d",
    "mingru", "gru_tuned", "bptt_rnn",
)  # fmt: skip
#: methods without a network that the reference does not have
WITHOUT_NETWORK = ("sinusoids", "ssa", "esprit", "least_squares", "kernel_ridge")
ONE_STEP = ("simple_rnn", "deep_rnn_recurrent_head", "deep_rnn")  # the notes train them to forecast one step
FURTHER_TEST = 20_000  # the draw of 1,000 test series alone makes an error uncertain by 1 to 2 %

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="one-step",
            seed=42,
            ahead=1,
            further_test=FURTHER_TEST,
            methods=(*REFERENCES, "last_value", "moving_average", "arima", "linear", *ONE_STEP),
            quick_methods=("last_value", "linear", "deep_rnn"),
        ),
        Task(
            name="ten-step",
            seed=43,
            ahead=10,
            further_test=FURTHER_TEST,
            when_named=ONE_STEP + CLASSICAL + WITHOUT_NETWORK + BEYOND,
            quick_methods=("last_value", "moving_average", "linear", "rnn_sequence", "gru"),
        ),
    )
}


def search(task: Task) -> Task:
    """The task on which settings are chosen for another: a fifth of its training series is split off to score on."""
    fifth = task.train // 5
    test = fifth // 4
    return replace(
        task, name=f"{task.name}-search", train=task.train - fifth, validation=fifth - test, test=test,
        further_test=0, within=task,
    )  # fmt: skip


#: run by `tune`, and on no board: what is chosen there is shown with the task that it is chosen for
SEARCHES: dict[str, Task] = {one.name: one for one in map(search, TASKS.values())}

#: what runs on real series unless methods are named: the baselines, and one network of each kind
ON_REAL = (
    "last_value", "seasonal_naive", "moving_average", "arima", "auto_arima", "auto_ets", "theta", "linear",
    "rnn_multi_output", "lstm", "gru", "conv_gru", "wavenet_simple",
)  # fmt: skip
#: the sets of methods of a task on series from a file: what runs when methods are named alone, and what runs quickly
ON_SERIES: dict[str, Any] = {
    "when_named": ONE_STEP + WITHOUT_NETWORK + BEYOND,
    "quick_methods": TASKS["ten-step"].quick_methods,
}
REAL_SETS: dict[str, Any] = {**ON_SERIES, "methods": ON_REAL}

#: tasks on real series that come with statsmodels (`bench.data.bundled`): run when they are named, as in --task nile
REAL: dict[str, Task] = {
    task.name: task
    for task in (
        Task.of_series(
            Preparation(file="statsmodels:sunspots", target=("SUNACTIVITY",), history=44, ahead=11),
            name="sunspots", train=163, validation=36, test=36, **REAL_SETS,
        ),
        Task.of_series(
            Preparation(file="statsmodels:co2", target=("co2",), history=48, ahead=12, season=12, impute="linear"),
            name="co2", train=297, validation=68, test=68, **REAL_SETS,
        ),
        Task.of_series(
            Preparation(file="statsmodels:elnino", target=("temperature",), history=48, ahead=12, season=12),
            name="elnino", train=441, validation=99, test=99, **REAL_SETS,
        ),
        Task.of_series(
            Preparation(file="statsmodels:nile", target=("volume",), history=20, ahead=5),
            name="nile", train=46, validation=11, test=11, **REAL_SETS,
        ),
        Task.of_series(
            Preparation(file="statsmodels:macro", target=("realgdp", "realcons", "realinv", "realdpi"), history=20,
                        ahead=4, difference=True),
            name="macro", train=119, validation=27, test=27, **REAL_SETS,
        ),
    )
}  # fmt: skip
#: methods that a long horizon tells apart, and what they are compared with
LONG = (*REFERENCES, "last_value", "arima", "linear", "deep_rnn_sliding", "deep_rnn_growing", "rnn_multi_output",
        "rnn_sequence", "rnn_sequence_blocks", "mlp")  # fmt: skip
#: what runs on tasks that ask something else: one of each kind of network
READERS = ("rnn_sequence", "gru", "lstm", "conv_gru", "linear", "mlp")

#: further tasks on drawn series, run when they are named, as in --task which-generator
FURTHER: dict[str, Task] = {
    task.name: task
    for task in (
        Task(name="forty-step", seed=44, ahead=40, methods=LONG,
             quick_methods=("last_value", "linear", "rnn_sequence")),
        Task(name="which-generator", kind=CLASSIFY, dataset="generators", seed=45, ahead=4, train=3_500,
             validation=1_000, methods=READERS, quick_methods=("linear", "gru")),
        Task(name="hidden-stretch", kind=IMPUTE, dataset="gaps", seed=46, ahead=10, train=3_500,
             validation=1_000, methods=READERS, quick_methods=("linear", "gru")),
    )
}  # fmt: skip
ALL: dict[str, Task] = {**TASKS, **FURTHER, **REAL}


def kind_of(task: str) -> str:
    """Return the kind of question that a task asks; a file's series are forecast."""
    return ALL[task].kind if task in ALL else FORECAST

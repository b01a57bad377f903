"""TASKS: the whole benchmark on one screen; tasks on real series are files (`bench.tasks.files`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.tasks.files import read_bundled
from bench.tasks.task import REFERENCES as REFERENCES
from bench.tasks.task import Task as Task
from implementations.kinds import CLASSIFY, FORECAST, IMPUTE

CLASSICAL = (
    "seasonal_naive",
    "auto_arima",
    "auto_ets",
    "theta",
)  # baselines for series with a season: the notes' sines share none
#: networks that the notes do not have, and training that they do not do
BEYOND = (
    "mlp", "mlp_ensemble", "mlp_bootstrap", "dlinear", "nlinear", "tide", "tsmixer", "nbeats", "nhits", "tcn",
    "patchtst", "s4d", "mingru", "gru_tuned", "bptt_rnn",
)  # fmt: skip
#: methods without a network that the reference does not have
WITHOUT_NETWORK = ("sinusoids", "ssa", "esprit", "least_squares", "kernel_ridge")
ON_REQUEST = ("checkpoint",)  # on no board of ours: a model of the user's
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
            when_named=ONE_STEP + CLASSICAL + WITHOUT_NETWORK + BEYOND + ON_REQUEST,
            quick_methods=("last_value", "moving_average", "linear", "rnn_sequence", "gru"),
        ),
    )
}


def search(task: Task) -> Task:
    """Return the task to choose another's settings on: a fifth of its training series is split off for scores."""
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
    "when_named": ONE_STEP + WITHOUT_NETWORK + BEYOND + ON_REQUEST,
    "quick_methods": TASKS["ten-step"].quick_methods,
}

FIRST = ("sunspots", "co2", "elnino", "nile", "macro")  # on the board; the others by name


def place_of(task: Task) -> int:
    """Return where a task on real series comes among them."""
    return FIRST.index(task.name) if task.name in FIRST else len(FIRST)


#: tasks on real series, each a file: run when they are named, as in --task nile
REAL: dict[str, Task] = {
    task.name: task
    for task in sorted(read_bundled(Path(__file__).parent / "bundled", {**ON_SERIES, "methods": ON_REAL}), key=place_of)
}
#: methods that a long horizon tells apart, and what they are compared with
LONG = (*REFERENCES, "last_value", "arima", "sinusoids", "ssa", "esprit", "least_squares", "linear", "deep_rnn_sliding",
        "deep_rnn_growing", "rnn_multi_output", "rnn_sequence", "rnn_sequence_blocks", "mlp")  # fmt: skip
#: what runs on tasks that ask something else: one of each kind of network
READERS = ("rnn_sequence", "gru", "lstm", "conv_gru", "linear", "mlp")

#: further tasks on drawn series, run when they are named, as in --task which-generator
FURTHER: dict[str, Task] = {
    task.name: task
    for task in (
        Task(name="forty-step", seed=44, ahead=40, further_test=FURTHER_TEST, methods=LONG,
             quick_methods=("last_value", "linear", "rnn_sequence")),
        Task(name="which-generator", kind=CLASSIFY, dataset="generators", seed=45, ahead=4, train=3_500,
             validation=1_000, methods=READERS, quick_methods=("linear", "gru")),
        Task(name="hidden-stretch", kind=IMPUTE, dataset="gaps", seed=46, ahead=10, train=3_500,
             validation=1_000, methods=READERS, quick_methods=("linear", "gru")),
    )
}  # fmt: skip
ALL: dict[str, Task] = {**TASKS, **FURTHER, **REAL}
#: sets of tasks, named as a task is: --task small
SETS: dict[str, tuple[str, ...]] = {
    name: tuple(task.name for task in REAL.values() if name in task.sets) for name in ("small", "full")
}


def dataset_of(task: str) -> str | None:
    """Return what a task's series are made by, or which file they are in; None for a file of a user's."""
    return ALL[task].dataset if task in ALL else None


def kind_of(task: str) -> str:
    """Return the kind of question that a task asks; a file's series are forecast."""
    return ALL[task].kind if task in ALL else FORECAST

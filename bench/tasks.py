"""TASKS: the whole benchmark on one screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    train: int = 7_000  # series
    validation: int = 2_000
    test: int = 1_000
    methods: tuple[str, ...] | None = None  # what runs unless methods are named; None: all but `when_named`
    when_named: tuple[str, ...] = ()
    quick_methods: tuple[str, ...] = ()  # the default set of a quick run: one of each kind, for its 90 s

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
        few = self.test // 10
        return replace(self, train=self.train // 10, validation=few, test=few, methods=self.quick_methods)


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
            when_named=ONE_STEP,
            quick_methods=("last_value", "moving_average", "linear", "rnn_sequence", "gru"),
        ),
    )
}

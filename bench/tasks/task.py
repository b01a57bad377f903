"""Task: which data, split how, forecast how far, by which methods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bench.schema.series import Preparation
from implementations.kinds import FORECAST

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
    #: metrics that published figures of the task are in: the first ranks it
    metrics: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()  # the sets of tasks that it belongs to, as in --task small
    about: str = ""
    within: Task | None = None  # the task whose training series these are: drawn with its others, which stay unseen

    @classmethod
    def of_series(cls, series: Preparation, **fields: Any) -> Task:
        """Return a task on a file's series, which say how long the history is and how many steps are forecast."""
        return cls(dataset=series.file, seed=0, history=series.history, ahead=series.ahead, series=series, **fields)

    @property
    def count(self) -> int:
        """How many series N are drawn before the further ones to test on."""
        return self.train + self.validation + self.test

    def runs(self, method: str) -> bool:
        """Return whether the method belongs to the task's default set."""
        if self.methods is not None:
            return method in self.methods
        return method not in self.when_named and REFERENCES.get(method, self.dataset) == self.dataset

    def quick(self) -> Task:
        """Return the task on few series, as many to validate as to test: one compiled shape serves both."""
        if self.series:
            tenth = msgspec.structs.replace(self.series, stride=10 * self.series.stride)
            return replace(self, series=tenth, methods=self.quick_methods)
        few, within = self.test // 10, self.within.quick() if self.within else None
        return replace(
            self, train=self.train // 10, validation=few, test=few, further_test=0, methods=self.quick_methods,
            within=within,
        )  # fmt: skip

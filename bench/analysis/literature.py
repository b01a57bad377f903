"""Published figures and ours: each with its source, our records of the same task and method, and a verdict.

A closed form has to be equal to three digits, a library's model within 1 %, a network within 3 % or inside the interval
in which another run of ours would lie, from several seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import implementations
from bench import toml
from bench.analysis.reproduction import prediction_interval
from bench.analysis.table import changed_of, full
from bench.schema.record import Run
from bench.tasks import ALL

PATH = Path(__file__).parent / "literature.toml"
CLOSED_FORM, LIBRARY, NETWORK = 0.001, 0.01, 0.03  # shares that ours may differ by
NAIVE = ("last_value", "seasonal_naive")


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table's figures of a method: a value for each task."""

    source: str
    method: str
    metric: str
    values: dict[str, float]
    gate: bool = False
    other: str = ""  # what theirs is, where it is another model than ours
    settings: dict[str, Any] = {}  # ours that make theirs, where they are not the defaults
    batch: int = 1  # theirs count whole batches of so many windows, and drop the last windows


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    sources: dict[str, str]
    figures: list[Figures]


@dataclass(frozen=True)
class Published:
    """A published figure."""

    task: str
    method: str
    metric: str
    value: float
    source: str
    gate: bool
    other: str = ""
    changed: tuple[str, ...] = ()  # settings of ours that are not the defaults, as in patch=16
    batch: int = 1  # of windows: theirs are of whole ones alone

    @property
    def tolerance(self) -> float:
        """The share that ours may differ by."""
        if self.method in NAIVE:
            return CLOSED_FORM
        return LIBRARY if implementations.backends_of(self.method) == ("numpy",) else NETWORK

    def agrees(self, ours: float) -> bool:
        """Tell whether ours is within the tolerance; of a closed form, half a unit of the last digit is rounding."""
        rounding = 0.5 * 10.0 ** -len(f"{self.value:g}".partition(".")[2]) if self.method in NAIVE else 0.0
        return abs(ours - self.value) <= self.tolerance * self.value + rounding


@dataclass(frozen=True)
class Evidence:
    """A published figure and ours."""

    published: Published
    runs: Sequence[Run]

    @property
    def values(self) -> list[float]:
        """Ours, one for each run that has the metric."""
        found = ((run.metrics or {}).get(self.published.metric) for run in self.runs)
        return [value for value in found if value is not None]

    @property
    def ratio(self) -> float:
        """Ours over theirs, of the geometric mean of ours; NaN without runs."""
        logs = [math.log(value) for value in self.values if value > 0]
        return math.exp(math.fsum(logs) / len(logs)) / self.published.value if logs else math.nan

    def verdict(self) -> str:
        """Return it in words."""
        if not self.values:
            return "not run"
        off = f"ours {abs(self.ratio - 1):.1%} {'above' if self.ratio > 1 else 'below'}"
        if self.published.other:
            return f"another model: {off}"
        if self.published.agrees(self.ratio * self.published.value):
            return "equal" if self.published.method in NAIVE else "reproduced"
        if self.published.gate and self.published.batch > 1 and abs(self.ratio - 1) <= LIBRARY:
            return f"equal on their windows; {off} on all"
        low, high = prediction_interval([self.values])
        if len(self.values) > 1 and low <= self.published.value <= high:
            return f"reproduced: inside the interval of {len(self.values)} seeds"
        return f"not reproduced: {off}"


@cache
def content() -> Content:
    """Read the file."""
    return toml.parse(PATH.read_bytes(), PATH.name).convert(Content)


def figures() -> list[Published]:
    """Return every published figure, by task in the benchmark's order."""
    found = [
        Published(
            task, one.method, one.metric, value, one.source, one.gate, one.other, changed_by(one.settings), one.batch
        )
        for one in content().figures
        for task, value in one.values.items()
    ]
    order = list(ALL)
    return sorted(found, key=lambda one: (order.index(one.task), not one.gate))


def changed_by(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return settings as a table of runs names those that are not the defaults."""
    return tuple(f"{name}={settings[name]}" for name in sorted(settings))


def evidence(runs: Iterable[Run]) -> list[Evidence]:
    """Return every published figure with the runs that count: full ones, at default settings or those it names."""
    by_row: dict[Any, list[Run]] = {}
    for run in full(list(runs)):
        by_row.setdefault((run.spec.task, run.spec.method, changed_of(run.spec)), []).append(run)
    return [Evidence(one, by_row.get((one.task, one.method, one.changed), [])) for one in figures()]


def closed(found: Iterable[Evidence]) -> set[str]:
    """Return the tasks whose gate is closed: a naive row that was run differs from the published one."""
    return {one.published.task for one in found if one.published.gate and one.verdict().startswith("not reproduced")}

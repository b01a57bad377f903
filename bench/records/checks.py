"""What a record must hold beyond its schema: readers rely on it, so that none of them meets a case it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from bench.metrics import REQUIRED
from bench.schema.record import Run

PHASES = ("fit", "predict", "total")  # without these, a time says nothing that could be compared
LARGEST = 1e150  # of a number: its square, and a sum of such squares, is still finite
INTEGER = 2**63  # what a table's column of whole numbers holds


def check(run: Run) -> None:
    """Raise ValueError for a record whose parts do not fit each other, or whose numbers no reader can count with."""
    check_spec(run)
    if (run.status == "ok") != (run.metrics is not None):
        raise ValueError(f"status {run.status} {'without' if run.metrics is None else 'with'} metrics")
    if run.metrics is not None:
        check_metrics(run.metrics)
        if run.seconds is None:
            raise ValueError("status ok without seconds")
    if run.seconds is not None:
        for phase in PHASES:
            check_number(run.seconds.get(phase), f"seconds: {phase}")
    if run.parameters is not None:
        check_number(run.parameters, "parameters", INTEGER)


def check_spec(run: Run) -> None:
    """Raise ValueError for unknown settings and for a seed out of range."""
    spec = run.spec
    if unknown := [name for name in spec.changed if name not in spec.settings]:
        raise ValueError(f"changed: the method has no setting {unknown[0][:64]!r}")
    check_number(spec.seed, "seed", INTEGER)


def check_metrics(metrics: dict[str, float]) -> None:
    """Raise ValueError where a metric that ranks is missing, and for numbers out of range."""
    for name in REQUIRED:
        check_number(metrics.get(name), f"metrics: {name}")
    for name, value in metrics.items():
        if abs(value) > LARGEST:
            raise ValueError(f"metrics: {name[:64]} is {value}: at most {LARGEST:g} is read")


def check_number(value: float | None, what: str, largest: float = LARGEST) -> None:
    """Raise ValueError unless there is a number from 0 to the largest."""
    if value is None or not 0.0 <= value <= largest:
        raise ValueError(f"{what}: got {value}, needed 0 to {largest:g}")


def check_shapes(run: Run) -> None:
    """Raise ValueError for examples and their truth that are ragged, or of different shapes."""
    if run.examples:
        check_table(run.examples, "examples")
    if not run.truth:
        return
    check_table(run.truth.history, "truth: history")
    check_table(run.truth.future, "truth: future")
    if len(run.truth.history) != len(run.truth.future):
        raise ValueError(f"truth: {len(run.truth.history)} histories of {len(run.truth.future)} futures")


def check_table(rows: Sequence[Sequence[float]], what: str) -> None:
    """Raise ValueError unless the rows, one at least, are of one length, one at least, and their numbers in range."""
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{what}: got rows of lengths {sorted(lengths)[:5]}, needed one length")
    if any(max(row) > LARGEST or min(row) < -LARGEST for row in rows):  # JSON has no infinity and no NaN
        raise ValueError(f"{what}: needed numbers of at most {LARGEST:g}")

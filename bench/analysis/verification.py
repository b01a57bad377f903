"""Whether a second run of a record came out as the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench import metrics
from bench.schema.record import Run

EXACT, CLOSE, OTHER = "bit-exact", "within tolerance", "not reproduced"
FACTOR = 3.0  # so much larger an error on new series is no chance: draws of 100 series differ by a tenth or two
#: a share: errors of equal forecasts differ by this much at most where sums are taken in another order
ROUNDING = 1e-12


@dataclass(frozen=True)
class Verdict:
    """What a second run says about a record."""

    word: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.detail}" if self.detail else self.word


def judge(record: Run, again: Run, tolerance: float) -> Verdict:
    """Return whether a second run of a record's spec came out as the first, and if not, how far it is off."""
    if again.status != record.status:
        return Verdict(
            OTHER, f"{again.status} now, {record.status} in the record" + (f": {again.reason}" if again.reason else "")
        )
    if record.metrics is None or again.metrics is None:
        return Verdict(EXACT if again.reason == record.reason else CLOSE, f"{record.status} again")
    name, off = furthest(*(scored_alike(one, record.test_series == again.test_series) for one in (record, again)))
    if record.digest and again.digest == record.digest and off <= ROUNDING:
        return Verdict(EXACT)
    if record.digest and again.digest == record.digest:
        return Verdict(OTHER, f"equal digests, but {name} {off:.2g} off: the record does not fit its own forecasts")
    elsewhere = where(record, again)
    detail = f"{name} {100 * off:.3g} % off" + (f" ({elsewhere})" if elsewhere else "")
    return Verdict(CLOSE if off <= tolerance else OTHER, detail)


def judge_fresh(record: Run, again: Run) -> Verdict:
    """Return whether a run on series drawn just now has about the error of the record, which is on the public ones."""
    if record.metrics is None or again.metrics is None:
        return judge(record, again, 0.0)
    known, new = record.metrics["last_step_mse"], again.metrics["last_step_mse"]
    detail = f"last-step MSE {new:.4g} on series drawn just now, {known:.4g} in the record"
    return Verdict(OTHER if new > FACTOR * known else CLOSE, detail)


def scored_alike(run: Run, same_test: bool) -> dict[str, float]:
    """Return a run's metrics; without those of the test part where the other run was scored on another one."""
    return {
        name: value
        for name, value in (run.metrics or {}).items()
        if same_test or name not in metrics.METRICS or metrics.METRICS[name].part != "test"
    }


def furthest(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[str, float]:
    """Return the measure that differs most, and by which share."""
    names = [metric.name for metric in metrics.shown("verify") if metric.name in first and metric.name in second]
    shares = {name: share(first[name], second[name]) for name in names}
    name = max(shares, key=lambda name: shares[name])
    return name, shares[name]


def share(first: float, second: float) -> float:
    """Return how far the second is from the first, as a share of it."""
    return 0.0 if first == second else abs(second - first) / abs(first) if first else float("inf")


def where(record: Run, again: Run) -> str:
    """Return what differs between the two runs' machines: a reason for other roundings; empty where nothing does."""
    then, now = record.environment, again.environment
    old, new = then.get("packages"), now.get("packages")
    changed = [("CPU", then.get("cpu"), now.get("cpu"))]
    if isinstance(old, dict) and isinstance(new, dict):
        changed += [(name, old[name], new[name]) for name in new if name in old]
    return ", ".join(f"{name} {one} then, {other} now" for name, one, other in changed if one != other)

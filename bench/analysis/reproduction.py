"""Do the reference's figures come out again? Each printed figure, our runs of the same method, and a verdict.

A figure counts as reproduced when it lies in our range over seeds and backends, widened by WIDER on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis import reference
from bench.analysis.reference import Figure
from bench.analysis.table import at_defaults
from bench.schema.record import Run

WIDER = 0.10

#: printed for ten-step, but it repeats the last value of what is to be forecast: no forecaster's figure
LEAKED = Figure(0.21193963, 0.21193963, {})

#: why a figure outside our range is not the same thing as ours; numbers are those of specification and docs/figures.md
ERRATA = {
    ("ten-step", "last_value"): "erratum 1: the printed figure repeats the last value that is to be forecast",
    ("ten-step", "deep_rnn_sliding"): "erratum 5: trained on another draw, at another sampling rate",
    ("ten-step", "deep_rnn_growing"): "erratum 5: trained on another draw, at another sampling rate",
}
#: what to know about a figure that is in our range
PRINTED = {
    ("ten-step", "layer_norm_rnn_as_printed"): "as printed, erratum 3",
    ("ten-step", "layer_norm_rnn_loop_as_printed"): "as printed, erratum 3",
    ("ten-step", "wavenet_as_printed"): "as printed, erratum 2",
}


@dataclass(frozen=True)
class Evidence:
    """A figure of the reference and our runs of the same method, task and settings."""

    task: str
    method: str
    printed: Figure
    runs: Sequence[Run]

    def range_of(self, measure: str) -> tuple[float, float]:
        """The smallest and the largest of our figures."""
        values = [run.metrics[measure] for run in self.runs if run.metrics]
        return min(values), max(values)

    def outside(self, measure: str) -> float:
        """How far the printed figure is outside our widened range, as a share of its nearer end; 0 when inside."""
        low, high = self.range_of(measure)
        value: float = getattr(self.printed, measure)
        if (1 - WIDER) * low <= value <= (1 + WIDER) * high:
            return 0.0
        return value / high - 1 if value > high else value / low - 1

    def verdict(self) -> str:
        """In words."""
        name = (self.task, self.method)
        if not self.runs:
            return "no runs"
        off = max((self.outside(measure) for measure in ("val_mse", "last_step_mse")), key=abs)
        if off == 0:
            return "reproduced" + (f" ({PRINTED[name]})" if name in PRINTED else "")
        if name in ERRATA:
            return ERRATA[name]
        side = "above the largest" if off > 0 else "below the smallest"
        return f"not reproduced: printed {abs(off):.0%} {side} of our {len(self.runs)} runs"


def evidence(runs: Sequence[Run]) -> list[Evidence]:
    """Every figure of the reference with the runs that count: full ones at default settings."""
    counted = at_defaults(runs)
    figures = {(task, method): one for task, methods in reference.figures().items() for method, one in methods.items()}
    figures["ten-step", "last_value"] = LEAKED
    return [
        Evidence(task, method, one, [run for run in counted if (run.spec.task, run.spec.method) == (task, method)])
        for (task, method), one in figures.items()
    ]

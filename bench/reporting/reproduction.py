"""Do the notes' figures come out again? From the records to docs/reproduction.md and the curves beside it.

results.read -> evidence -> text -> docs/reproduction.md
                         -> picture -> results/figures/reproduction.png

A figure counts as reproduced when it lies in our range over seeds and backends, widened by WIDER on both sides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.analysis import ranking, reference
from bench.analysis.reference import Figure
from bench.records import files, repository, stores
from bench.records.repository import Run
from bench.records.stores import FIGURES, Place
from bench.reporting.figures.catalogue import Picture, digest_of
from bench.reporting.leaderboard import make_folder
from bench.reporting.markdown import NOTHING, digits, table

if TYPE_CHECKING:
    import matplotlib.figure

WIDER = 0.10
PICTURE = "reproduction.png"

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

PAGE = """\
# Which figures of the notes come out again

Made from the records in [results](../results) by `python -m bench reproduction`; `--check` says whether it is current.

Each figure of the notes comes from one run of one version of one framework. Ours are ranges over all runs at the notes'
settings, in every framework. **Reproduced**: the printed figure lies in our range, widened by {wider:.0%} on both
sides, for validation MSE and for last-step MSE. **Erratum**: the printed figure is of something else. **Not
reproduced**: it is outside, by how much is said. More on single figures is in [figures.md](figures.md); that the
frameworks compute the same is shown by `python -m bench parity`."""


@dataclass(frozen=True)
class Evidence:
    """A figure of the notes and our runs of the same method, task and settings."""

    task: str
    method: str
    printed: Figure
    runs: Sequence[Run]

    def range_of(self, measure: str) -> tuple[float, float]:
        """The smallest and the largest of our figures."""
        values = [getattr(run.metrics, measure) for run in self.runs]
        return min(values), max(values)

    def outside(self, measure: str) -> float:
        """How far the printed figure is outside our widened range, as a share of its nearer end; 0 when inside."""
        low, high = self.range_of(measure)
        value = getattr(self.printed, measure)
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
    """Every figure of the notes with the runs that count: full ones at default settings."""
    counted = ranking.at_defaults(runs)
    figures = {(task, method): one for task, methods in reference.figures().items() for method, one in methods.items()}
    figures["ten-step", "last_value"] = LEAKED
    return [
        Evidence(task, method, one, [run for run in counted if (run.spec.task, run.spec.method) == (task, method)])
        for (task, method), one in figures.items()
    ]


def text(found: Sequence[Evidence], picture: str) -> str:
    """The whole page; `picture` is the path from it to the curves."""
    headers = ["task", "method", "printed", "ours", "printed, last step", "ours, last step", "runs", "verdict"]
    rows = table(headers, [_row(one) for one in found], left=[0, 1, 7])
    verdicts = [one.verdict() for one in found]
    counts = [
        sum(verdict.startswith(word) for verdict in verdicts) for word in ("reproduced", "erratum", "not reproduced")
    ]
    summary = (
        f"Of {len(found)} figures {counts[0]} are reproduced, {counts[1]} are errata, {counts[2]} are not reproduced."
    )
    shown = f"![The notes' learning curves, dashed, and ours]({picture})" if any(map(_drawn, found)) else ""
    return "\n\n".join(block for block in (PAGE.format(wider=WIDER), summary, rows, shown) if block) + "\n"


def _row(one: Evidence) -> list[str]:
    def ours(measure: str) -> str:
        if not one.runs:
            return NOTHING
        low, high = map(digits, one.range_of(measure))
        return low if low == high else f"{low} to {high}"

    printed = (digits(one.printed.val_mse), digits(one.printed.last_step_mse))
    seeds, backends = (len({getattr(run.spec, name) for run in one.runs}) for name in ("seed", "backend"))
    runs = f"{seeds} × {backends}" if seeds * backends == len(one.runs) else str(len(one.runs))
    cells = [one.task, one.method, printed[0], ours("val_mse"), printed[1], ours("last_step_mse"), runs]
    return [*cells, one.verdict()]


def _drawn(one: Evidence) -> bool:
    return bool(one.printed.curve) and any((run.curve or {}).get("val_loss") for run in one.runs)


def picture(found: Sequence[Evidence]) -> Picture | None:
    """The notes' validation losses and ours, epoch by epoch; None where no record has any."""
    curves = {
        f"{one.task}: {one.method}": (
            one.printed.curve["val_loss"],
            [(run.spec.backend, (run.curve or {}).get("val_loss", [])) for run in one.runs],
        )
        for one in found
        if _drawn(one)
    }
    return Picture("", PICTURE, "learning curves", digest_of(curves), partial(_figure, curves)) if curves else None


def _figure(curves: Mapping[str, Any]) -> matplotlib.figure.Figure:
    from bench.reporting.figures import drawing

    return drawing.reproduction_figure(curves)


def write(place: Place, page: Path) -> None:
    """Write the page and its picture. Raises UsageError where a file cannot be written."""
    folder, found = stores.of(place).beside, evidence(repository.read(place)[0])
    curves = picture(found)
    if curves and not curves.is_current(folder / FIGURES):
        make_folder(folder / FIGURES)
        curves.draw(folder / FIGURES)
    make_folder(page.parent)
    files.replace(page, text(found, _path(folder, page)).encode())


def stale(place: Place, page: Path) -> bool:
    """Whether the page or its picture is missing or was made from other records."""
    folder, found = stores.of(place).beside, evidence(repository.read(place)[0])
    if not page.is_file() or page.read_bytes() != text(found, _path(folder, page)).encode():
        return True
    curves = picture(found)
    return curves is not None and not curves.is_current(folder / FIGURES)


def _path(folder: Path, page: Path) -> str:
    return Path(os.path.relpath(folder / FIGURES / PICTURE, page.parent)).as_posix()

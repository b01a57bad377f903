"""The page on reproduction: the reference's figures compared with the records, and the learning curves.

results.read -> evidence -> text -> docs/reproduction.md
                         -> picture -> results/figures/reproduction.png
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.analysis.reproduction import LEVEL, Evidence, evidence
from bench.records import files, repository, stores
from bench.records.stores import FIGURES, Place
from bench.reporting.figures.catalogue import Picture, digest_of
from bench.reporting.leaderboard import make_folder
from bench.reporting.markdown import table
from bench.reporting.text import prose
from bench.text import NOTHING, digits

if TYPE_CHECKING:
    import matplotlib.figure

PICTURE = "reproduction.png"


def text(found: Sequence[Evidence], picture: str) -> str:
    """Return the whole page; `picture` is the path from it to the curves."""
    headers = ["task", "method", "printed", "ours", "printed, last step", "ours, last step", "runs", "verdict"]
    rows = table(headers, [_row(one) for one in found], left=[0, 1, 7])
    verdicts = [one.verdict() for one in found]
    counts = [
        sum(verdict.startswith(word) for verdict in verdicts) for word in ("reproduced", "erratum", "not reproduced")
    ]
    summary = (
        f"Of {len(found)} figures {counts[0]} are reproduced, {counts[1]} are errata, {counts[2]} are not reproduced."
    )
    shown = f"![The reference's learning curves, dashed, and ours]({picture})" if any(map(_drawn, found)) else ""
    return (
        "\n\n".join(block for block in (prose("reproduction").format(level=LEVEL), summary, rows, shown) if block)
        + "\n"
    )


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
    """Return the reference's validation losses and ours, epoch by epoch; None where no record has any."""
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
    """Return whether the page or its picture is missing or was made from other records."""
    folder, found = stores.of(place).beside, evidence(repository.read(place)[0])
    if not page.is_file() or page.read_bytes() != text(found, _path(folder, page)).encode():
        return True
    curves = picture(found)
    return curves is not None and not curves.is_current(folder / FIGURES)


def _path(folder: Path, page: Path) -> str:
    return Path(os.path.relpath(folder / FIGURES / PICTURE, page.parent)).as_posix()

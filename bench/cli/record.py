"""One record as text: what was run, what came out, where and how fast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.schema.record import Run

MACHINE = ("cpu", "gpu", "os", "python")  # of the environment, what times depend on
KEY = re.compile(r"[0-9a-f]{4,16}", re.ASCII)


def as_row(run: Run) -> dict[str, Any]:
    """Return a record as one row of plain values; samples, curves and forecasts stay in its file."""
    from bench.cli import listing

    seconds = {f"{phase}_seconds": value for phase, value in (run.seconds or {}).items()}
    more = {"settings": dict(run.spec.settings), "reason": run.reason, "timing_valid": run.timing_valid}
    return listing.run_row(run, list(run.metrics or {})) | seconds | more | {"parameters": run.parameters}


def as_text(run: Run) -> str:
    """Return a record in lines that fit a terminal; samples, curves and forecasts stay in its file."""
    from bench.metrics import METRICS
    from bench.records.codec import path_of
    from bench.text import clean, decimals, digits

    spec, titles = run.spec, {name: metric.title for name, metric in METRICS.items()}
    settings = [f"{name}={value}{' (changed)' * (name in spec.changed)}" for name, value in spec.settings.items()]
    marks = ["quick"] * spec.quick + ["native defaults"] * spec.native + ["on cuda"] * spec.cuda
    head = f"{spec.method} on {spec.task}, {spec.backend}, seed {spec.seed}"
    lines = [
        ("run", ", ".join([head, *marks])),
        ("record", str(path_of(spec))),
        ("status", run.status + (f": {run.reason}" if run.reason else "")),
        ("settings", ", ".join(settings) or "none"),
        *((titles.get(name, name), digits(value)) for name, value in (run.metrics or {}).items()),
        *((f"{phase} s", decimals(value, 2)) for phase, value in (run.seconds or {}).items()),
        ("timed", "undisturbed" if run.timing_valid else f"disturbed: {run.timing_reason}"),
        ("parameters", "" if run.parameters is None else f"{run.parameters:,}"),
        ("machine", ", ".join(str(run.environment[one]) for one in MACHINE if run.environment.get(one))),
        ("started", run.started_at),
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {clean(text, 1000)}" for name, text in lines if text)

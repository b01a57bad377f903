"""What to type to make rows of a board again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pandas as pd

from bench.reporting.columns import order
from bench.schema.record import Run
from bench.schema.series import Preparation
from bench.tasks import ALL
from bench.text import clean


def commands(
    task: str, quick: bool, rows: pd.DataFrame, seeds: Sequence[int], *,
    data: Sequence[str] = (), references: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """What to type to make the task's default rows again: methods outside the task's default set are named.

    data: the options that name series from a file; then every method is named. references: how to name methods from
    outside.
    """
    known = ALL.get(task)
    outsiders = references or {}
    own = {name for name in set(rows["method"]) if known is not None and known.runs(name) and name not in outsiders}
    extra = sorted(set(rows["method"]) - own) if known or data else []
    backends = [word for name in order(rows["backend"]) for word in ("--backend", name)]
    named = [word for name in extra for word in ("--method", outsiders.get(name, name))]
    start = ["python", "-m", "bench", "run", *(data or ["--task", task])]
    end = ["--seeds", ",".join(map(str, seeds)), *backends, *(["--quick"] if quick else [])]
    lines = ([[*start, *end]] if own or not extra else []) + ([[*start, *named, *end]] if extra else [])
    text = "\n".join(clean(shlex.join(words), 10_000) for words in [*lines, ["python", "-m", "bench", "leaderboard"]])
    return f"```sh\n{text}\n```"


def command_of(runs: Sequence[Run]) -> str:
    """What makes the row again."""
    spec = runs[0].spec
    line = ["python", "-m", "bench", "run", *(words(runs) or ["--task", spec.task])]
    line += ["--method", references(runs).get(spec.method, spec.method), "--backend", spec.backend]
    line += ["--seeds", ",".join(str(run.spec.seed) for run in runs)]
    for name in spec.changed:
        line += ["--set", f"{spec.method}.{name}={spec.settings[name]}"]
    line += ["--defaults", "native"] * spec.native + ["--device", "cuda"] * spec.cuda
    return clean(shlex.join([*line, *(["--quick"] if spec.quick else [])]), 2000)


def words(runs: Sequence[Run]) -> list[str]:
    """The options that name the series of these runs on a command line; none where they are not from a file."""
    series = runs[0].spec.series if runs else None
    if not isinstance(series, Preparation) or series.bundled:
        return []
    if runs[0].spec.quick:
        series = msgspec.structs.replace(series, stride=series.stride // 10)  # see Task.quick
    return ["--data", series.file, *series_words(series)]


def series_words(series: Preparation) -> list[str]:
    """The options that read and cut a file in this way."""
    found = [word for target in series.target for word in ("--target", target)]
    for field in msgspec.structs.fields(Preparation):
        value, option = getattr(series, field.name), f"--{field.name.replace('_', '-')}"
        if field.name == "season":
            found += [option, str(value or "none")]
            found += ["--deseasonalise"] if value and series.deseasonalise is not False else []
        elif field.name not in ("file", "target", "deseasonalise") and value != field.default:
            values = value if isinstance(value, tuple) else (value,)
            found += [option] if value is True else [word for one in values for word in (option, str(one))]
    return found


def references(runs: Iterable[Run]) -> dict[str, str]:
    """How the methods from outside among these runs are named on a command line."""
    return {
        run.spec.method: f"./{run.spec.source.reference}" if ".py:" in run.spec.source.reference else run.spec.method
        for run in runs
        if run.spec.source
    }

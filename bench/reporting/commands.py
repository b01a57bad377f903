"""What to type to make rows of a board again."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pandas as pd

from bench.analysis.table import CPU
from bench.reporting.columns import order
from bench.schema.record import Run
from bench.schema.series import Preparation
from bench.tasks import ALL
from bench.text import clean


def commands(
    task: str, quick: bool, rows: pd.DataFrame, seeds: Mapping[str, Sequence[int]], *,
    data: Sequence[str] = (), references: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Return what to type to make the task's default rows again: methods outside the task's default set are named.

    seeds: by backend; where they differ, a campaign file says them. data: the options that name series from a file;
    then every method is named. references: how to name methods from outside.
    """
    known = ALL.get(task)
    outsiders = references or {}
    cuda = bool((rows["device"] != CPU).any())
    if known and not outsiders and len(set(map(tuple, seeds.values()))) > 1:
        return campaign(task, quick, sorted(set(rows["method"])), seeds, cuda)
    own = {name for name in set(rows["method"]) if known is not None and known.runs(name) and name not in outsiders}
    extra = sorted(set(rows["method"]) - own) if known or data else []
    backends = [word for name in order(rows["backend"]) for word in ("--backend", name)]
    named = [word for name in extra for word in ("--method", outsiders.get(name, name))]
    start = ["python", "-m", "bench", "run", *(data or ["--task", task])]
    end = ["--seeds", ranges(set().union(*seeds.values())), *backends]
    end += ["--quick"] * quick + ["--device", "cuda"] * cuda
    lines = ([[*start, *end]] if own or not extra else []) + ([[*start, *named, *end]] if extra else [])
    text = "\n".join(clean(shlex.join(words), 10_000) for words in [*lines, ["python", "-m", "bench", "leaderboard"]])
    return f"```sh\n{text}\n```"


def campaign(
    task: str, quick: bool, methods: Sequence[str], seeds: Mapping[str, Sequence[int]], cuda: bool
) -> str:  # fmt: skip
    """Return a campaign file whose backends have different seeds, and the command that runs it."""
    names = textwrap.fill(", ".join(f'"{name}"' for name in methods), 110, initial_indent="  ", subsequent_indent="  ")
    lines = [f'tasks = ["{task}"]', f"methods = [\n{names},\n]", *(["quick = true"] if quick else [])]
    lines += [*(['device = "cuda"'] if cuda else []), "", "[seeds]"]
    lines += [f'{name} = "{ranges(seeds[name])}"' for name in order(seeds)]
    return "```toml\n{}\n```\n\n```sh\npython -m bench run --config campaign.toml\n```".format("\n".join(lines))


def ranges(seeds: Iterable[int]) -> str:
    """Write seeds as on the command line: 42-46,50."""
    found: list[list[int]] = []
    for seed in sorted(seeds):
        if found and seed == found[-1][-1] + 1:
            found[-1].append(seed)
        else:
            found.append([seed])
    return ",".join(f"{one[0]}-{one[-1]}" if len(one) > 2 else ",".join(map(str, one)) for one in found)


def command_of(runs: Sequence[Run]) -> str:
    """Return what makes the row again."""
    spec = runs[0].spec
    line = ["python", "-m", "bench", "run", *(words(runs) or ["--task", spec.task])]
    line += ["--method", references(runs).get(spec.method, spec.method), "--backend", spec.backend]
    line += ["--seeds", ranges(run.spec.seed for run in runs)]
    for name in spec.changed:
        line += ["--set", f"{spec.method}.{name}={spec.settings[name]}"]
    line += ["--defaults", "native"] * spec.native + ["--device", "cuda"] * spec.cuda
    return clean(shlex.join([*line, *(["--quick"] if spec.quick else [])]), 2000)


def words(runs: Sequence[Run]) -> list[str]:
    """Return the options that name the series of these runs on a command line; none where they are not from a file."""
    series = runs[0].spec.series if runs else None
    if not isinstance(series, Preparation) or series.bundled:
        return []
    if runs[0].spec.quick:
        series = msgspec.structs.replace(series, stride=series.stride // 10)  # see Task.quick
    return ["--data", series.file, *series_words(series)]


def series_words(series: Preparation) -> list[str]:
    """Return the options that read and cut a file in this way."""
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
    """Return how the methods from outside among these runs are named on a command line."""
    return {
        run.spec.method: f"./{run.spec.source.reference}" if ".py:" in run.spec.source.reference else run.spec.method
        for run in runs
        if run.spec.source
    }

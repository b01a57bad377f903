"""Options that several commands share, in groups, and what they are made into. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from bench.cli import parsing
from bench.cli.parsing import place, seconds, whole
from bench.cli.series_options import SeriesOptions
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.campaigns.request import Selection
    from bench.execution.limits import Limits
    from bench.schema.series import Preparation

RESULTS = Path("results")
TUNED_SEEDS = "42-46"


def example(*commands: str) -> str:
    """Return what the help of a command ends with; tests run the first one."""
    return "\n\n".join(f"Example: python -m bench {command}" for command in commands)


Names = list[str] | None

Results = Annotated[
    Any,
    typer.Option(
        "--results", metavar="DIR", parser=place, help="Keep records in this folder, or in s3://bucket/prefix."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects instead of a table.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values instead of a table.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when something is stale.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the jobs and their predicted minutes; run nothing.")]

Backends = Annotated[
    Names,
    typer.Option(
        "--backend",
        metavar="NAME",
        autocompletion=parsing.backends,
        show_default="every installed one",
        help="Choose numpy, keras, keras-jax or torch; may be repeated.",
    ),
]
Methods = Annotated[
    Names,
    typer.Option(
        "--method",
        metavar="NAME",
        autocompletion=parsing.methods,
        show_default="each task's set",
        help="Choose a method by name, pattern or ./mine.py:Class; may be repeated.",
    ),
]
Tasks = Annotated[
    Names,
    typer.Option(
        "--task",
        metavar="NAME",
        autocompletion=parsing.tasks,
        show_default="one-step and ten-step",
        help="Choose a task by name, pattern, set (small, full) or ./mine.toml; may be repeated.",
    ),
]
Seeds = Annotated[str, typer.Option(metavar="N,N-M", help="Set the seeds of weights and batches, as in 42-46.")]
Quick = Annotated[bool, typer.Option("--quick", help="Run a smoke test: few series, 2 epochs; never ranked.")]
Epochs = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        show_default="each method's",
        help="Train for so many passes over the training data.",
    ),
]
Settings = Annotated[
    Names,
    typer.Option(
        "--set",
        metavar="METHOD.NAME=VALUE",
        help="Override a setting; the result is a separate row. Without --method, the methods named here run.",
    ),
]


@dataclass(kw_only=True)
class WhatOptions:
    """What `run` runs."""

    panel: ClassVar[str] = "What to run"

    task: Tasks = None
    method: Methods = None
    backend: Backends = None
    seeds: Annotated[
        str | None,
        typer.Option(metavar="N,N-M", show_default="42", help="Set the seeds of weights and batches, as in 42-46."),
    ] = None
    epochs: Epochs = None
    set: Settings = None
    defaults: Annotated[
        str | None,
        typer.Option(
            metavar="equal|native",
            show_default="equal",
            help="Use equal defaults in all frameworks, or each framework's native ones.",
        ),
    ] = None
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|cuda",
            show_default="cpu",
            help="Compute torch and keras-jax on a GPU; the results are separate rows.",
        ),
    ] = None
    select: Annotated[
        str | None,
        typer.Option(
            metavar="last|validation",
            show_default="last",
            help="Keep a network's weights of the last epoch, or of the best on the validation part: a separate row.",
        ),
    ] = None
    quick: Quick = False
    config: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Read what to run from a TOML file, or from all in a folder; may be repeated."
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return what a campaign file would decide."""
        return {name: value for name, value in asdict(self).items() if name != "config"}


Jobs = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="N", show_default="one for each core", help="Run so many at once."),
]
Timeout = Annotated[float, typer.Option(parser=seconds, metavar="SECONDS", help="Kill a run after so many seconds.")]
Memory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", show_default="no limit", help="Kill a run that holds more memory, as in 2G or 500M."),
]


@dataclass(kw_only=True)
class LimitOptions:
    """How many runs go at once, and what each may take."""

    panel: ClassVar[str] = "How to run it"

    jobs: Jobs = None
    timeout: Timeout = 1800.0
    memory: Memory = None

    def limits(self) -> Limits:
        """Return the limits, checked."""
        from bench.execution import limits

        workers = limits.check_workers(self.jobs)
        limits.check_timeout(self.timeout)
        return limits.Limits(workers, self.timeout, limits.check_memory(self.memory))


@dataclass(kw_only=True)
class ClusterOptions(LimitOptions):
    """The same, here or on a cluster."""

    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Run on the nodes of a Dask cluster; local:4 starts four nodes on this machine.",
        ),
    ] = None

    reuse_workers: Annotated[
        bool,
        typer.Option(
            "--reuse-workers",
            help="Let a worker serve several runs of a method and backend: one start of the framework.",
        ),
    ] = False

    pack_seeds: Annotated[
        bool,
        typer.Option(
            "--pack-seeds", help="Train all seeds of a keras-jax network at once on a GPU; their times do not rank."
        ),
    ] = False

    def limits(self) -> Limits:
        """Return the limits, checked; with a cluster the nodes say how many run at once."""
        from bench.execution import limits

        if self.pack_seeds:
            return self.packed()
        if self.cluster is None:
            return replace(super().limits(), reuse=self.reuse_workers)
        if self.reuse_workers:
            raise UsageError("--reuse-workers: got --cluster, needed runs on this machine alone")
        workers = limits.check_cluster(self.cluster, self.jobs)
        limits.check_timeout(self.timeout)
        return limits.Limits(workers or 1, self.timeout, limits.check_memory(self.memory), self.cluster)

    def packed(self) -> Limits:
        """Return the limits of a campaign that trains seeds side by side."""
        others = {"--cluster": self.cluster is not None, "--reuse-workers": self.reuse_workers}
        others |= {f"--jobs {self.jobs}": self.jobs not in (None, 1)}
        if given := [name for name, holds in others.items() if holds]:
            raise UsageError(f"--pack-seeds: got {given[0]}, needed none: one worker of this machine trains all seeds")
        return replace(super().limits(), workers=1, pack=True)


@dataclass(kw_only=True)
class PlanOptions:
    """Whether to run, and what."""

    panel: ClassVar[str] = "How to run it"

    dry_run: DryRun = False
    force: Annotated[bool, typer.Option("--force", help="Rerun jobs that already have a record.")] = False
    force_stale: Annotated[
        bool,
        typer.Option(
            "--force-stale", help="Rerun jobs whose record was made by other code, or scored in an older way."
        ),
    ] = False
    retime: Annotated[
        bool,
        typer.Option(
            "--retime", help="Rerun disturbed jobs of rows with fewer than 3 undisturbed times, at most three times."
        ),
    ] = False


@dataclass(kw_only=True)
class DataOptions:
    """A file to run on."""

    panel: ClassVar[str] = "Your series"

    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run on the series of a CSV or Parquet file instead of tasks.")
    ] = None


def selection(asked: WhatOptions, data: Path | None, series: SeriesOptions) -> Selection:
    """Return what `run` was asked for. Raises UsageError for methods and options that cannot be."""
    from bench.campaigns.request import Selection, parse_seeds
    from bench.campaigns.settings import parse_settings
    from bench.execution import user_methods

    if data and asked.task:
        raise UsageError("--task and --data: a run is on tasks of the benchmark, or on your series")
    methods, outsiders = user_methods.register(asked.method or ())
    return Selection(
        methods=tuple(methods),
        tasks=tuple(asked.task or ()),
        backends=tuple(asked.backend or ()),
        seeds=parse_seeds(asked.seeds if asked.seeds is not None else "42"),
        epochs=asked.epochs,
        settings=parse_settings(asked.set or ()),
        select=asked.select or "last",
        quick=asked.quick,
        defaults=asked.defaults or "equal",
        device={"gpu": "cuda"}.get(asked.device or "cpu", asked.device or "cpu"),
        series=of_data(data, series),
        sources=outsiders.sources,
        files=outsiders.files | ({"series": str(data)} if data else {}),
    )


def of_data(file: Path | None, series: SeriesOptions) -> Preparation | None:
    """Return how a file's series are read; None without one. Raises UsageError for options that then mean nothing."""
    if file:
        return series.preparation(file)
    refuse(series.given(), "needed together with --data")
    return None


def refuse(given: dict[str, Any], why: str) -> None:
    """Raise UsageError for the first option that was given."""
    for name, value in given.items():
        if value or (value is not None and value is not False and not isinstance(value, list)):
            text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is True else str(value)
            raise UsageError(f"--{name.replace('_', '-')} {text}".rstrip() + f": {why}")

"""Commands that make runs: `run`, `verify`, and the studies `tune`, `repeat` and `parity`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import options
from bench.cli.options import (
    RESULTS,
    AsCsv,
    AsJson,
    Backends,
    ClusterOptions,
    DataOptions,
    DryRun,
    LimitOptions,
    Methods,
    Names,
    PlanOptions,
    Quick,
    Results,
    Seeds,
    Tasks,
    WhatOptions,
)
from bench.cli.parsing import folder, share
from bench.cli.series_options import SeriesOptions
from bench.cli.shared import (
    Row,
    check_format,
    outliving_reader,
    print_line,
    print_nothing,
    print_rows,
    warn,
    warn_of,
)

if TYPE_CHECKING:
    from bench.campaigns.request import Selection
    from bench.campaigns.verify import Plan
    from bench.execution.coordination import Stopped
    from bench.execution.limits import Limits


def run(
    what: WhatOptions,
    how: ClusterOptions,
    plan: PlanOptions,
    file: DataOptions,
    series: SeriesOptions,
    results: Results = RESULTS,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Run methods that have no record yet, then write the leaderboard."""
    from bench.campaigns import run as campaigns
    from bench.cli import campaign

    check_format(as_json, as_csv)
    selections = selections_of(what, file.data, series)
    if not (what.backend or what.config):
        warn_of_missing()
    limits = how.limits()
    again = campaigns.Again(plan.force, plan.force_stale, plan.retime)
    if how.pack_seeds:
        for line in pack_notes(selections):
            warn(line)
    if plan.dry_run:
        campaign.show([campaigns.make(selections, results, again)], limits, as_json, as_csv)
        return 0
    return campaign.carry_out(campaigns.plans(selections, results, again), limits, results, as_json, as_csv)


def selections_of(what: WhatOptions, data: Path | None, series: SeriesOptions) -> list[Selection]:
    """Return what is to be run, by options or by a file. Raises UsageError."""
    if not what.config:
        return [options.selection(what, data, series)]
    from bench.campaigns import config

    names = ", ".join(path.name for path in what.config)
    options.refuse({**what.given(), "data": data, **series.given()}, f"{names} says what runs")
    return [one for path in what.config for file in config.files_of(path) for one in config.selections(file)]


def pack_notes(selections: list[Selection]) -> list[str]:
    """Return what to know before seeds are packed. Raises UsageError where none can be."""
    from bench.campaigns.selection import specs
    from bench.execution import packs

    found = [spec for selection in selections for spec in specs(selection)]
    slow = "--pack-seeds: a processor gains little from seeds side by side; --device cuda is what it is for"
    return [*([] if any(spec.cuda for spec in found) else [slow]), *packs.notes(found)]


def warn_of_missing() -> None:
    """Say which frameworks are not installed, and how to get one."""
    from implementations.backends import BACKENDS, extra, installed

    missing = [name for name in BACKENDS if not installed(name)]
    if missing:
        there = ", ".join(name for name in BACKENDS if name not in missing)
        extras = ",".join(dict.fromkeys(map(extra, missing)))
        warn(f"runs on {there}; not installed: {', '.join(missing)} (pip install 'aheadbench[{extras}]')")


def tune(
    how: LimitOptions,
    task: Tasks = None,
    method: Methods = None,
    backend: Backends = None,
    seeds: Seeds = options.TUNED_SEEDS,
    quick: Quick = False,
    dry_run: DryRun = False,
    results: Results = RESULTS,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Search settings for each network, with the same budget for all, and score them on the test series."""
    from bench.campaigns import tune as tuning
    from bench.cli import campaign

    check_format(as_json, as_csv)
    limits = how.limits()
    selected = selection_of(task, method, backend, seeds, quick)
    plans = tuning.plans(selected, results)
    if dry_run:
        campaign.show(plans, limits, as_json, as_csv)
        if not (as_json or as_csv):
            print("The search:", *tuning.budgets(tuning.chosen(selected)), sep="\n")
        return 0
    return campaign.carry_out(plans, limits, results, as_json, as_csv)


def selection_of(task: Names, method: Names, backend: Names, seeds: str, quick: bool) -> Selection:
    """Return what a study was asked for."""
    return options.selection(
        WhatOptions(task=task, method=method, backend=backend, seeds=seeds, quick=quick), None, SeriesOptions()
    )


def repeat(
    how: LimitOptions,
    place: Annotated[Any, typer.Argument(metavar="DIR", parser=folder, help="Keep both campaigns' records there.")],
    task: Tasks = None,
    method: Methods = None,
    backend: Backends = None,
    seeds: Seeds = "42",
    quick: Quick = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Run every job twice and report how much fit times vary."""
    from bench.analysis import repeatability
    from bench.campaigns import repeatability as campaigns
    from bench.cli import render
    from bench.cli.progress import Progress

    check_format(as_json, as_csv)
    limits = how.limits()
    plan = campaigns.plan(selection_of(task, method, backend, seeds, quick), place)
    with outliving_reader():
        with Progress(plan.jobs, as_json or as_csv, limits.workers) as display:
            outcome = campaigns.run(plan, limits, place, display.show, display.activities)
        if outcome.signal:
            warn(render.stopped(outcome))
            return outcome.status
        pairs = campaigns.pairs(place, plan.wanted)
        print_rows(render.pair_rows(pairs), as_json, as_csv, render.pair_table)
        if not (as_json or as_csv):
            print(f"\n{repeatability.summary(pairs)}")
    return 0


def parity(
    methods: Annotated[
        Names,
        typer.Argument(metavar="[METHOD]...", show_default="every network", help="Compare these: names or patterns."),
    ] = None,
    backend: Backends = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Give the frameworks equal weights and batches, and compare outputs, losses, gradients and ten steps."""
    from bench.cli import render
    from bench.parity import run as parity

    found = parity.run(parity.choose_methods(methods or ()), parity.choose_engines(backend or ()))
    if as_json:
        print(json.dumps([verdict.row() for verdict in found], indent=1))
    elif as_csv:
        print_rows([verdict.row() for verdict in found], as_json, as_csv)
    else:
        print(f"{render.parity_table(found)}\n\n{render.parity_summary(found)}")
    return 1 if any(verdict.problem for verdict in found) else 0


def verify(
    how: LimitOptions,
    names: Annotated[
        Names,
        typer.Argument(metavar="[KEY|METHOD]...", show_default="every record", help="Run these records again."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Allow errors to differ by this share.")
    ] = 0.01,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Name the file of records on your series.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run on series drawn just now, and compare the error with the record's.")
    ] = False,
    results: Results = RESULTS,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Rerun records: bit-exact, within tolerance, or not reproduced (exit status 1). Writes nothing."""
    from bench.analysis.verification import OTHER
    from bench.campaigns import verify as verification
    from bench.cli import render

    check_format(as_json, as_csv)
    limits = how.limits()
    verification.check_tolerance(tolerance)
    plan = verification.plan(results, names or (), data, fresh)
    warn_of(plan.problems)
    tell = print_nothing if as_json or as_csv else print_line
    with outliving_reader():
        rows, stop = run_again(plan, limits, tolerance, tell)
        if stop is not None:
            warn(f"stopped by {stop} after {len(rows)} of {len(plan.jobs)} records")
            return 128 + stop.number
        counts = Counter(str(row["verdict"]) for row in rows)
        print_rows(rows, as_json, as_csv, lambda _: render.verdict_counts(counts))
    return 1 if counts[OTHER] else 0


def run_again(
    plan: Plan, limits: Limits, tolerance: float, tell: Callable[[str], None]
) -> tuple[list[Row], Stopped | None]:
    """Run a plan's records again, tell each verdict, and return them all, and the signal that stopped it, if any."""
    from bench.campaigns import verify as verification
    from bench.cli import render
    from bench.cli.progress import name_of
    from bench.execution.coordination import Stopped
    from bench.execution.jobs import makespan

    minutes = makespan(plan.jobs, limits.workers) / 60
    tell(f"{render.count(len(plan.jobs), 'record')} to run again, in about {minutes:.1f} minutes")
    rows: list[Row] = []
    try:
        for again, verdict in verification.run(plan, limits, tolerance):
            rows.append(render.verdict_row(again, verdict))
            tell(f"{name_of(again.spec)}  {again.key}  {verdict}")
    except Stopped as stop:
        return rows, stop
    return rows, None

"""Two rows, or two sets of records, and what differs beyond noise.

Errors: Student's t over the differences of common seeds; with one, on series from a file, of common blocks of
validation windows. Times: Mann-Whitney over the raw seconds of epochs and forecasts, where both were measured
undisturbed on one kind of machine. Holm's correction over all tests of one comparison. The same forecasts, bit for bit,
need no test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from bench import metrics
from bench.analysis.hardware import machine_kind
from bench.analysis.paired import blocks_of, paired
from bench.analysis.statistics import LEVEL, holm, paired_t
from bench.analysis.table import under_current_names, variant_of
from bench.analysis.times import timing_of
from bench.data.series_tasks import test_series_of
from bench.errors import UsageError, unknown
from bench.schema.record import Run
from bench.tasks import kind_of
from bench.tasks.main_metric import main_of, ranked_by

Verdict = Literal["same", "differs", "within noise", "unknown"]
FEWEST = 5  # raw seconds on each side that a test of times needs
FEW_SEEDS = 5  # fewer common ones show large differences alone
Row = tuple[str, bool, str, str, str]  # task, quick, method, changed, backend


class Outcome(NamedTuple):
    """What is known of a difference: a p-value, or a verdict that needs none."""

    why: str
    p: float = math.nan
    verdict: Verdict = "unknown"


OTHER_TEST = Outcome("tested on different series: run the older ones again with --force-stale")


class Difference(NamedTuple):
    """One measure of two rows."""

    measure: str
    first: float
    second: float
    outcome: Outcome


def compare_rows(runs: Iterable[Run], first: str, second: str, task: str | None = None) -> list[dict[str, Any]]:
    """Return the differences of two rows on every board that has both. Raises UsageError for what is no row."""
    one, other = both_rows(runs, first, second, task)
    found = []
    for board in shared(one, other, first, second):
        a, b = one[board], other[board]
        found += [as_row(board[0], f"{label(a)} / {label(b)}", one_of) for one_of in differences(a, b)]
    return corrected(found)


def compared_runs(runs: Iterable[Run], first: str, second: str, task: str | None = None) -> list[Run]:
    """Return the runs of two rows on every board that has both. Raises UsageError for what is no row."""
    one, other = both_rows(runs, first, second, task)
    return [run for board in shared(one, other, first, second) for run in (*one[board], *other[board])]


def both_rows(
    runs: Iterable[Run], first: str, second: str, task: str | None
) -> list[dict[tuple[str, bool], list[Run]]]:
    """Return the runs of two rows by board. Raises UsageError for what is no row."""
    known = rows_of(runs)
    return [find(name, known, task) for name in (first, second)]


def compare_folders(first: Iterable[Run], second: Iterable[Run]) -> list[dict[str, Any]]:
    """Return the differences of all rows of two sets of records."""
    return corrected(folders(rows_of(first), rows_of(second)))


def rows_of(runs: Iterable[Run]) -> dict[Row, list[Run]]:
    """Return the finished runs by row, newest first of each seed."""
    rows: dict[Row, dict[int, Run]] = {}
    for run in sorted(under_current_names(runs), key=lambda run: run.started_at):
        if run.metrics:
            rows.setdefault(row(run), {})[run.spec.seed] = run
    return {name: on_largest_test(list(seeds.values())) for name, seeds in rows.items()}


def on_largest_test(runs: list[Run]) -> list[Run]:
    """Return the runs that were tested on the most series: a row is no mean over two test parts, see table.select."""
    most = max(map(test_series_of, runs))
    return [run for run in runs if test_series_of(run) == most]


def row(run: Run) -> Row:
    """Return what a run is a row of."""
    return run.spec.task, run.spec.quick, run.spec.method, variant_of(run.spec), run.spec.backend


def label(runs: Sequence[Run]) -> str:
    """Return a row's name."""
    _, _, method, changed, backend = row(runs[0])
    return f"{method}{f' ({changed})' if changed else ''}:{backend}"


def find(name: str, rows: dict[Row, list[Run]], task: str | None) -> dict[tuple[str, bool], list[Run]]:
    """Return the row of that name on each board: METHOD, METHOD:BACKEND, or the key of one of its runs."""
    method, _, backend = name.partition(":")
    by_key = [place for place, runs in rows.items() if any(run.key.startswith(name) for run in runs)]
    if task and task not in {place[0] for place in rows}:
        raise unknown("task with records", task, sorted({place[0] for place in rows}))
    found: dict[tuple[str, bool], list[Run]] = {}
    for place in by_key or [one for one in rows if one[2] == method and not one[3] and backend in ("", one[4])]:
        if task in (None, place[0]):
            if place[:2] in found:
                several = sorted({f"{one[2]}:{one[4]}" for one in rows if one[2] == method})
                raise UsageError(f"{name!r} has rows in several backends: {', '.join(several)}")
            found[place[:2]] = rows[place]
    if not found:
        offered = {one[2] for one in rows} | {f"{one[2]}:{one[4]}" for one in rows if not one[3]}
        raise unknown("row", name, sorted(offered))
    return found


def shared(one: Iterable[Any], other: Iterable[Any], first: str, second: str) -> list[Any]:
    """Return the boards that both rows are on. Raises UsageError when there is none."""
    boards = sorted(set(one) & set(other))
    if not boards:
        raise UsageError(f"{first!r} and {second!r} have no task in common")
    return boards


def folders(one: dict[Row, list[Run]], other: dict[Row, list[Run]]) -> list[dict[str, Any]]:
    """Return every row of either folder: those in both by their differences, others as missing."""
    found = []
    for place in sorted(one.keys() | other.keys()):
        name = label(one.get(place) or other[place])
        if place in one and place in other:
            found += [as_row(place[0], name, difference) for difference in differences(one[place], other[place])]
        else:
            where = "first" if place in one else "second"
            missing = Difference("last-step MSE", math.nan, math.nan, Outcome(f"only in the {where} folder"))
            found.append(as_row(place[0], name, missing))
    return found


def as_row(task: str, name: str, difference: Difference) -> dict[str, Any]:
    """Return a difference as a line of the answer; its `p` is that of one test alone."""
    first, second, outcome = difference.first, difference.second, difference.outcome
    return {
        "task": task,
        "row": name,
        "measure": difference.measure,
        "first": None if math.isnan(first) else first,
        "second": None if math.isnan(second) else second,
        "percent": 100 * (second / first - 1) if first and not math.isnan(first) else None,
        "p": None if math.isnan(outcome.p) else outcome.p,
        "verdict": outcome.verdict,
        "why": outcome.why,
    }


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with a verdict on each that was tested: Holm's correction over all of them (Holm 1979).

    The chance of any false difference in the whole answer is at most LEVEL, however many rows it has.
    """
    tested = [row for row in rows if row["p"] is not None]
    for row, p in zip(tested, holm(np.array([row["p"] for row in tested])).tolist(), strict=True):
        row |= {"p": p, "verdict": "differs" if p < LEVEL else "within noise"}
    return rows


def differences(one: Sequence[Run], other: Sequence[Run]) -> list[Difference]:
    """Return all measures of two rows on one board, errors of the seeds that both have."""
    if {run.spec.data_sha256 for run in (*one, *other)} != {one[0].spec.data_sha256}:
        return [Difference("last-step MSE", math.nan, math.nan, Outcome("other data"))]
    same_test = len({test_series_of(run) for run in (*one, *other)}) == 1
    a, b = on_common_seeds(one, other)
    found = [
        Difference(metric.label, mean(a, metric.name), mean(b, metric.name),
                   errors(a, b, metric.name) if same_test or metric.part != "test" else OTHER_TEST)
        for metric in measured(ranked_by([*one, *other])[one[0].spec.task])
        if all(run.metrics and metric.name in run.metrics for run in (*a, *b))
    ]  # fmt: skip
    for measure, phase, sample in (("fit s", "fit", "epochs"), ("predict s", "predict", "predict")):
        first, second = (timing_of(runs, phase).median for runs in (one, other))
        found.append(Difference(measure, first, second, times(one, other, sample)))
    return found


def on_common_seeds(one: Sequence[Run], other: Sequence[Run]) -> tuple[Sequence[Run], Sequence[Run]]:
    """Return the runs of the seeds that both rows have, which are compared in pairs; all of them below two such seeds.

    Other seeds have other starting weights: a mean over more of them differs for that alone.
    """
    both = {run.spec.seed for run in one} & {run.spec.seed for run in other}
    if len(both) < 2:
        return one, other
    return [run for run in one if run.spec.seed in both], [run for run in other if run.spec.seed in both]


def measured(main: metrics.Main) -> list[metrics.Metric]:
    """Return the metrics that rows are compared by: those of every task, and what ranks this one."""
    shown = metrics.shown("compare")
    return [*shown, *(one for name in main if (one := metrics.METRICS[name]) not in shown)]


def mean(runs: Sequence[Run], name: str) -> float:
    """Return a measure's mean over seeds."""
    return float(np.mean([run.metrics[name] for run in runs if run.metrics]))


def value(run: Run, name: str) -> float:
    """Return a finished run's metric; NaN where it has none of that name."""
    return (run.metrics or {}).get(name, math.nan)


def errors(one: Sequence[Run], other: Sequence[Run], name: str = "") -> Outcome:
    """Return whether two rows' errors differ by more than chance: paired by seed, which fixes batches and starting
    weights.

    name: of the metric; the one that ranks the task, on the validation part, unless given.
    """
    task = one[0].spec.task
    name = name or main_of(one[0].spec).validation
    first, second = ({run.spec.seed: run for run in runs} for runs in (one, other))
    both = sorted(first.keys() & second.keys())
    if both and all(forecasts(first[seed]) == forecasts(second[seed]) is not None for seed in both):
        return Outcome("the same forecasts, bit for bit", verdict="same")
    if len(both) >= 2:
        differences = [value(first[seed], name) - value(second[seed], name) for seed in both]
        few = ": few, more can show smaller differences" if len(both) < FEW_SEEDS else ""
        return Outcome(f"{len(both)} common seeds{few}", float(paired_t(np.array([differences]))[0]))
    blocks = blocks_of(one[0]), blocks_of(other[0])
    if name == metrics.MAIN[kind_of(task)].validation and len(blocks[0]) == len(blocks[1]) >= 2:
        return Outcome(f"one seed, {len(blocks[0])} blocks of validation windows", paired(*blocks))
    return Outcome(f"{'one' if both else 'no'} common seed says nothing about noise: run both with --seeds 42,43,44")


def forecasts(run: Run) -> str | None:
    """Return the digest of a run's forecasts."""
    return (run.digest or {}).get("forecasts")


def times(one: Sequence[Run], other: Sequence[Run], sample: str) -> Outcome:
    """Return whether two rows' times differ by more than chance, and how that is known."""
    from scipy import stats

    if {machine_kind(run) for run in (*one, *other)} != {machine_kind(one[0])}:
        return Outcome("measured on several kinds of machines")
    a, b = ([value for run in runs if run.timing_valid for value in (run.samples or {}).get(sample, [])]
            for runs in (one, other))  # fmt: skip
    if min(len(a), len(b)) < FEWEST:
        return Outcome("too few undisturbed measurements")
    return Outcome(f"{len(a)} and {len(b)} measurements", float(stats.mannwhitneyu(a, b).pvalue))

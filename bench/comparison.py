"""`python -m bench compare`: two rows, or two folders of records, and what differs beyond noise.

Errors: Welch's t test over seeds; with one seed each, on series from a file, a paired t test over blocks of validation
windows. Times: Mann-Whitney over the raw seconds of epochs and forecasts, where both were measured undisturbed on one
kind of machine. The same forecasts, bit for bit, need no test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from bench import kinds, results, stores
from bench.errors import UsageError, unknown
from bench.markdown import digits
from bench.race import CONFIDENCE, blocks_of, paired
from bench.ranking import changes
from bench.results import Run
from bench.stores import Place, Remote

Verdict = Literal["same", "differs", "within noise", "unknown"]
FEWEST = 5  # raw seconds on each side that a test of times needs
Row = tuple[str, bool, str, str, str]  # task, quick, method, changed, backend


class Difference(NamedTuple):
    """One measure of two rows."""

    measure: str
    first: float
    second: float
    verdict: Verdict
    why: str


def compare(first: str, second: str, task: str | None, folder: Place) -> list[dict[str, Any]]:
    """The differences as rows of one shape. Raises UsageError for what is neither a folder nor a row."""
    places = [stores.place(name) for name in (first, second)]
    if any(isinstance(place, Remote) for place in places) or all(stores.of(place).exists() for place in places):
        return folders(*map(rows_of, places))
    known = rows_of(folder)
    one, other = (find(name, known, task) for name in (first, second))
    found = []
    for board in shared(one, other, first, second):
        a, b = one[board], other[board]
        found += [as_row(board[0], f"{label(a)} / {label(b)}", one_of) for one_of in differences(a, b)]
    return found


def rows_of(folder: Place) -> dict[Row, list[Run]]:
    """The finished runs of a folder by row, newest first of each seed. Raises UsageError where there is none."""
    if not stores.of(folder).exists():
        raise UsageError(f"no results folder {str(folder)!r}")
    rows: dict[Row, dict[int, Run]] = {}
    for run in sorted(results.read(folder)[0], key=lambda run: run.started_at):
        if run.metrics:
            rows.setdefault(row(run), {})[run.spec.seed] = run
    return {name: list(seeds.values()) for name, seeds in rows.items()}


def row(run: Run) -> Row:
    """What a run is a row of."""
    return run.spec.task, run.spec.quick, run.spec.method, changes(run), run.spec.backend


def label(runs: Sequence[Run]) -> str:
    """A row's name."""
    _, _, method, changed, backend = row(runs[0])
    return f"{method}{f' ({changed})' if changed else ''}:{backend}"


def find(name: str, rows: dict[Row, list[Run]], task: str | None) -> dict[tuple[str, bool], list[Run]]:
    """The row of that name on each board: METHOD, METHOD:BACKEND, or the key of one of its runs."""
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
    """The boards that both rows are on. Raises UsageError when there is none."""
    boards = sorted(set(one) & set(other))
    if not boards:
        raise UsageError(f"{first!r} and {second!r} have no task in common")
    return boards


def folders(one: dict[Row, list[Run]], other: dict[Row, list[Run]]) -> list[dict[str, Any]]:
    """Every row of either folder: those in both by their differences, others as missing."""
    found = []
    for place in sorted(one.keys() | other.keys()):
        name = label(one.get(place) or other[place])
        if place in one and place in other:
            found += [as_row(place[0], name, difference) for difference in differences(one[place], other[place])]
        else:
            where = "first" if place in one else "second"
            missing = Difference("last-step MSE", math.nan, math.nan, "unknown", f"only in the {where} folder")
            found.append(as_row(place[0], name, missing))
    return found


def as_row(task: str, name: str, difference: Difference) -> dict[str, Any]:
    """A difference as a line of the answer."""
    first, second = difference.first, difference.second
    return {
        "task": task,
        "row": name,
        "measure": difference.measure,
        "first": None if math.isnan(first) else first,
        "second": None if math.isnan(second) else second,
        "percent": 100 * (second / first - 1) if first and not math.isnan(first) else None,
        "verdict": difference.verdict,
        "why": difference.why,
    }


def differences(one: Sequence[Run], other: Sequence[Run]) -> list[Difference]:
    """All measures of two rows on one board."""
    if {run.spec.data_sha256 for run in (*one, *other)} != {one[0].spec.data_sha256}:
        return [Difference("last-step MSE", math.nan, math.nan, "unknown", "other data")]
    verdict, why = errors(one, other)
    found = [Difference("last-step MSE", mean(one, "last_step_mse"), mean(other, "last_step_mse"), verdict, why)]
    found += [Difference("test MSE", mean(one, "test_mse"), mean(other, "test_mse"), *errors(one, other, "test_mse"))]
    for measure, phase, sample in (("fit s", "fit", "epochs"), ("predict s", "predict", "predict")):
        first, second = (median(run.seconds[phase] for run in runs if run.seconds) for runs in (one, other))
        found.append(Difference(measure, first, second, *times(one, other, sample)))
    return found


def mean(runs: Sequence[Run], name: str) -> float:
    """A measure's mean over seeds."""
    return float(np.mean([getattr(run.metrics, name) for run in runs]))


def median(values: Iterable[float]) -> float:
    """The median; NaN of nothing."""
    found = list(values)
    return float(np.median(found)) if found else math.nan


def errors(one: Sequence[Run], other: Sequence[Run], name: str = "last_step_mse") -> tuple[Verdict, str]:
    """Whether two rows' errors differ by more than chance, and how that is known."""
    from scipy import stats

    first, second = ({run.spec.seed: run for run in runs} for runs in (one, other))
    both = sorted(first.keys() & second.keys())
    if both and all(forecasts(first[seed]) == forecasts(second[seed]) is not None for seed in both):
        return "same", "the same forecasts, bit for bit"
    a, b = ([getattr(run.metrics, name) for run in runs] for runs in (one, other))
    if min(len(a), len(b)) >= 2:
        p = float(stats.ttest_ind(a, b, equal_var=False).pvalue) if np.ptp(a) + np.ptp(b) > 0 else float(a[0] == b[0])
        return decided(p), f"{len(a)} and {len(b)} seeds, p = {p:.3g}"
    blocks = blocks_of(one[0]), blocks_of(other[0])
    if name == "last_step_mse" and len(blocks[0]) == len(blocks[1]) >= 2:
        p = paired(*blocks)
        return decided(p), f"{len(blocks[0])} blocks of validation windows, p = {p:.3g}"
    return "unknown", "one seed says nothing about noise: run both with --seeds 42,43,44"


def forecasts(run: Run) -> str | None:
    """The digest of a run's forecasts."""
    return (run.digest or {}).get("forecasts")


def times(one: Sequence[Run], other: Sequence[Run], sample: str) -> tuple[Verdict, str]:
    """Whether two rows' times differ by more than chance, and how that is known."""
    from scipy import stats

    if {kinds.kind(run) for run in (*one, *other)} != {kinds.kind(one[0])}:
        return "unknown", "measured on several kinds of machines"
    a, b = ([value for run in runs if run.timing_valid for value in (run.samples or {}).get(sample, [])]
            for runs in (one, other))  # fmt: skip
    if min(len(a), len(b)) < FEWEST:
        return "unknown", "too few undisturbed measurements"
    p = float(stats.mannwhitneyu(a, b).pvalue)
    return decided(p), f"{len(a)} and {len(b)} measurements, p = {p:.3g}"


def decided(p: float) -> Verdict:
    """What a p-value says."""
    return "differs" if p < 1 - CONFIDENCE else "within noise"


def printed(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table, those that differ first of all counted."""
    from tabulate import tabulate

    lines = [
        [row["task"], row["row"], row["measure"], *(figure(row[name]) for name in ("first", "second")),
         "" if row["percent"] is None else f"{row['percent']:+.1f}", row["verdict"], row["why"]]
        for row in rows
    ]  # fmt: skip
    header = ["task", "row", "measure", "first", "second", "%", "verdict", "why"]
    align = ["left"] * 3 + ["right"] * 3 + ["left"] * 2
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in dict.fromkeys(
        ("differs", "within noise", "same", "unknown"))}  # fmt: skip
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"{tabulate(lines, header, disable_numparse=True, colalign=align)}\n\n{summary or 'nothing to compare'}"


def figure(value: float | None) -> str:
    """A measure as a person reads it."""
    return "" if value is None else digits(value)

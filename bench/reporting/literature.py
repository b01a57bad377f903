"""docs/published.md: published figures and ours, from the records in results/published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bench.analysis.literature import Evidence, closed, content, evidence
from bench.analysis.ranking import by_method, rank
from bench.analysis.table import changed_of, each
from bench.metrics import METRICS
from bench.records import files, repository
from bench.records.stores import Place
from bench.reporting.columns import rank_text
from bench.reporting.markdown import table
from bench.reporting.text import prose
from bench.schema.record import Run
from bench.tasks import ALL
from bench.text import NOTHING, decimals, digits

RANKS = (
    "Ranks are the board's, of rows at default settings, by the first measure; in brackets those that are possible.\n"
    "One seed says nothing of a network's noise, so that its rank stays open."
)
HEADERS = ["task", "method", "measure", "published", "source", "ours", "ratio", "runs", "verdict"]


def text(runs: Sequence[Run]) -> str:
    """Return the whole page."""
    found = evidence(runs)
    shut = closed(found)
    run = [one for one in found if one.values and (one.published.gate or one.published.task not in shut)]
    blocks = [prose("published"), summary(run), table(HEADERS, [row(one) for one in run], left=[0, 1, 2, 4, 8])]
    blocks += [remarks(run)]
    blocks += [f"**{task}** ranks nothing: its naive row differs from the published one." for task in sorted(shut)]
    blocks += ["## Ours on each task", RANKS, *of_tasks(runs, shut), "## Sources"]
    blocks += ["\n".join(f"- **{name}**: {source}" for name, source in content().sources.items())]
    blocks += ["## What is missing", missing([one for one in found if not one.values]), prose("published_missing")]
    return "\n\n".join(block for block in blocks if block) + "\n"


def of_task(runs: Sequence[Run]) -> list[str]:
    """Return the published figures and ours of one task's runs, for its board; nothing where there are none."""
    found = [one for one in evidence(runs) if one.values]
    if not found:
        return []
    title = "**Published figures and ours**"
    if shut := closed(found):
        title = f"**{min(shut)} ranks nothing**: its naive row differs from the published one."
    return [f"{title}\n\n{table(HEADERS[1:], [row(one)[1:] for one in found], left=[0, 1, 3, 7])}"]


def summary(found: Sequence[Evidence]) -> str:
    """Count the verdicts."""
    words = ("equal", "reproduced", "another model", "not reproduced")
    counts = [sum(one.verdict().startswith(word) for one in found) for word in words]
    parts = [f"{count} {word}" for word, count in zip(words, counts, strict=True) if count]
    return f"Of {len(found)} published figures: {', '.join(parts)}." if found else "No records yet."


def remarks(found: Sequence[Evidence]) -> str:
    """Say what another model is, and which settings of ours make theirs."""
    lines = [f"- {one.published.source}, {one.published.method}*: {one.published.other}" for one in found
             if one.published.other]  # fmt: skip
    lines += [f"- {one.published.method}†: {', '.join(one.published.changed)}" for one in found
              if one.published.changed]  # fmt: skip
    return "\n".join(dict.fromkeys(lines))


def row(one: Evidence) -> list[str]:
    """Return a figure and ours."""
    theirs = one.published
    method = f"{theirs.method}{'*' if theirs.other else '†' if theirs.changed else ''}"
    ours = digits(one.ratio * theirs.value) if one.values else NOTHING
    label = METRICS[theirs.metric].label.removeprefix("test ")
    ratio = NOTHING if math.isnan(one.ratio) else decimals(one.ratio, 4)
    printed = f"{theirs.value:.5g}"
    return [theirs.task, method, label, printed, theirs.source, ours, ratio, str(len(one.values)), one.verdict()]


def of_tasks(runs: Sequence[Run], shut: set[str]) -> list[str]:
    """Return a table of our methods for each task, in the measures that it is published in, the best first."""
    blocks, ranks = [], places(runs)
    for task in ALL.values():
        mine = [run for run in runs if run.spec.task == task.name and run.metrics and not run.spec.quick]
        names = [name for name in task.metrics if any(name in (run.metrics or {}) for run in mine)]
        if not mine or not names or task.name in shut:
            continue
        found: dict[tuple[str, ...], list[Run]] = {}
        for run in mine:
            found.setdefault((run.spec.method, run.spec.backend, *changed_of(run.spec)), []).append(run)
        ranked = sorted(found.items(), key=lambda one: (mean(one[1], names[0]), one[0]))
        rows = [["" if changed else ranks.get((task.name, method), ""), f"{method}{'†' if changed else ''}", backend,
                 str(len(some)), *(figure(some, name) for name in names)]
                for (method, backend, *changed), some in ranked]  # fmt: skip
        headers = ["rank", "method", "backend", "runs", *(METRICS[name].title.removeprefix("test ") for name in names)]
        blocks += [f"**{task.name}**: {task.about}", table(headers, rows, left=[1, 2])]
    return blocks


def places(runs: Sequence[Run]) -> dict[tuple[str, str], str]:
    """Return the rank and the possible ranks of each method at default settings, by task and method."""
    methods = by_method(rank(runs))
    return {(row.task, row.method): rank_text(row) for row in each(methods[~methods["apart"] & ~methods["quick"]])}


def mean(runs: Sequence[Run], name: str) -> float:
    """Return the mean of a metric over the runs of a row; infinity where one lacks it."""
    values = [(run.metrics or {}).get(name, math.inf) for run in runs]
    return math.fsum(values) / len(values)


def figure(runs: Sequence[Run], name: str) -> str:
    """Return a metric of a row's runs as text."""
    value = mean(runs, name)
    return digits(value) if math.isfinite(value) else NOTHING


def missing(found: Sequence[Evidence]) -> str:
    """List the published figures that have no record of ours."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in found:
        rows.setdefault((one.published.source, one.published.method), []).append(one.published.task)
    return "\n".join(f"- {source}, {method}: {', '.join(dict.fromkeys(tasks))}"
                     for (source, method), tasks in rows.items())  # fmt: skip


def records(place: Place) -> list[Run]:
    """Return the records of a folder; none where it is not there."""
    return list(repository.read(place).runs)


def write(place: Place, page: Path) -> None:
    """Write the page. Raises UsageError where it cannot be written."""
    files.replace(page, text(records(place)).encode())


def stale(place: Place, page: Path) -> bool:
    """Tell whether the page is missing or was made from other records."""
    return not page.is_file() or page.read_bytes() != text(records(place)).encode()

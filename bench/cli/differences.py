"""`bench compare`: two rows of the board, or two folders of records, read, compared and shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.analysis import comparison
from bench.analysis.statistics import LEVEL
from bench.campaigns.selection import SPOKEN
from bench.cli.shared import known
from bench.errors import UsageError
from bench.records import repository, stores
from bench.records.stores import Place, Remote
from bench.schema.record import Run
from bench.text import digits
from implementations import METHODS, current_name


def find(first: str, second: str, task: str | None, folder: Place) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the differences of two folders, or of two rows of one, and lines about what is compared.

    Raises UsageError for what is neither.
    """
    places = [stores.place(name) for name in (first, second)]
    if any(isinstance(place, Remote) for place in places) or all(stores.of(place).exists() for place in places):
        both = [_runs(place) for place in places]
        return comparison.compare_folders(*both), [line for runs in both for line in of_other_code(runs)]
    there = known(folder)
    first, second = as_spelled(first), as_spelled(second)
    in_mine = {run.spec.method for run in there.mine} | {run.key for run in there.mine}
    named = (name.partition(":")[0] for name in (first, second))
    runs = list(there.mine) if all(any(one.startswith(name) for one in in_mine) for name in named) else there.all
    chosen = choose_backends(runs, first, second)
    notes = []
    if chosen != (first, second):
        notes.append(f"compared: {chosen[0]} and {chosen[1]}; METHOD:BACKEND chooses another backend")
    compared = comparison.compared_runs(runs, *chosen, task)
    return comparison.compare_rows(runs, *chosen, task), notes + of_other_code(compared)


def of_other_code(runs: Sequence[Run]) -> list[str]:
    """Return a line for each row made by several versions of the code, or by another than today's."""
    from bench.campaigns.run import is_of_other_code
    from bench.execution import provenance

    lines, code_now = [], provenance.codes_of({})
    for row in comparison.rows_of(runs).values():
        name = f"{row[0].spec.task}, {comparison.label(row)}"
        if (codes := len({run.code for run in row if run.code})) > 1:
            lines.append(f"mixed code: {name}: {codes} versions of the code or of packages made its records")
        elif not row[0].spec.source and any(is_of_other_code(run, code_now) for run in row):
            lines.append(f"other code: {name}: its records were made by other code or packages than are here now")
    return lines


def as_spelled(row: str) -> str:
    """Return METHOD or METHOD:BACKEND as they are spelled: capitals do not count, and tensorflow is keras."""
    method, colon, backend = row.partition(":")
    if current_name(method) not in METHODS:
        return row
    return f"{current_name(method)}{colon}{SPOKEN.get(backend.lower(), backend.lower())}"


def choose_backends(runs: Sequence[Run], first: str, second: str) -> tuple[str, str]:
    """Return both names, a method that was run in several backends with one of them: the other's, where it can be.

    Of several, the one with the most runs; for two rows of one method, another one.
    """
    one, other = offered(runs, first), offered(runs, second)
    same = first.partition(":")[0] == second.partition(":")[0]

    def chosen(name: str, mine: Counter[str], yours: Counter[str]) -> str:
        among = (mine - yours if same else mine & yours) or mine
        return f"{name}:{max(sorted(among), key=among.__getitem__)}" if len(mine) > 1 else name

    return chosen(first, one, other), chosen(second, other, one)


def offered(runs: Sequence[Run], name: str) -> Counter[str]:
    """Count the runs at default settings by backend, of METHOD or METHOD:BACKEND; none of a key."""
    method, _, backend = name.partition(":")
    return Counter(
        run.spec.backend
        for run in runs
        if run.spec.method == method and backend in ("", run.spec.backend) and run.spec.plain and run.metrics
    )


def _runs(folder: Place) -> list[Run]:
    if not stores.of(folder).exists():
        raise UsageError(f"no results folder {str(folder)!r}")
    return repository.read(folder)[0]


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a table, those that differ first of all counted."""
    from tabulate import tabulate

    reasons = list(dict.fromkeys(row["why"] for row in rows if row["why"]))
    one_row = len({row["row"] for row in rows}) == 1
    lines = [
        [row["task"], *([] if one_row else [row["row"]]), row["measure"],
         *(figure(row[name]) for name in ("first", "second")),
         "" if row["percent"] is None else f"{row['percent']:+.1f}", row["verdict"], likelihood(row["p"]),
         f"({reasons.index(row['why']) + 1})" if row["why"] else ""]
        for row in rows
    ]  # fmt: skip
    header = ["task", *([] if one_row else ["row"]), "measure", "first", "second", "%", "verdict", "p", ""]
    align = ["left"] * (2 if one_row else 3) + ["right"] * 3 + ["left"] * 3
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in dict.fromkeys(
        ("differs", "within noise", "same", "unknown"))}  # fmt: skip
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    tests = sum(row["p"] is not None for row in rows)
    note = f"\np: of no difference, Holm's correction over the {tests} tests made here, {LEVEL:.0%} for all of them"
    answer = f"{summary or 'nothing to compare'}{note if tests else ''}"
    notes = "".join(f"\n({number}) {reason}" for number, reason in enumerate(reasons, 1))
    title = f"{rows[0]['row']}\n\n" if one_row else ""
    return f"{title}{tabulate(lines, header, disable_numparse=True, colalign=align)}{notes}\n\n{answer}"


def likelihood(p: float | None) -> str:
    """Return a p-value as a person reads it."""
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def figure(value: float | None) -> str:
    """Return a measure as a person reads it."""
    return "" if value is None else digits(value)

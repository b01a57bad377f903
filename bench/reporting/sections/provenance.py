"""The machines that made it, and records that do not count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from bench.analysis.table import each
from bench.reporting.markdown import escape
from bench.schema.record import Run

LISTED = 10  # records of a task that are left out for one reason, and are listed: more are counted
SHOWN = 20  # records left out, and files that are none, that are named one by one


def machines(runs: Iterable[Run]) -> str:
    """Return the machines, package versions and commits of these runs, each once, with how many runs they made."""
    computers: Counter[str] = Counter()
    versions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    commits: Counter[str] = Counter()
    loose = 0
    for run in runs:
        environment = run.environment
        loose += environment.get("pinned") is False
        computers[_computer(environment)] += 1
        commits[_commit(environment)] += 1
        packages = environment.get("packages")
        for name, version in packages.items() if isinstance(packages, dict) else ():
            versions[name][version] += 1
    lines = [f"- {escape(name)}: {count} runs" for name, count in sorted(computers.items())]
    lines += [f"- packages: {', '.join(f'{escape(name)} {_all(found)}' for name, found in sorted(versions.items()))}"]
    if loose:
        lines.append(f"- times, of {loose} of the runs: their system keeps no run on one core, so they vary more")
    return "\n".join([*lines, f"- commit: {_all(commits)}"])


def _computer(environment: dict[str, Any]) -> str:
    known = {name: value for name, value in environment.items() if value is not None}
    memory = f"{known['memory_gib']} GiB" if "memory_gib" in known else None
    cores = f"{known['cores']} cores" if "cores" in known else None
    threads = f"{known['threads']} thread per run" if "threads" in known else None
    system = " ".join(str(known[name]) for name in ("os", "architecture") if name in known)
    python = f"Python {known['python']}" if "python" in known else None
    parts = [known.get("cpu"), cores, memory, known.get("gpu"), system, python, threads]
    return ", ".join(str(part) for part in parts if part) or "unknown machine"


def _commit(environment: dict[str, Any]) -> str:
    commit = environment.get("commit")
    return f"{str(commit)[:12]}{' with changes' if environment.get('dirty') else ''}" if commit else "not in a checkout"


def _all(found: Counter[str]) -> str:
    if len(found) == 1:
        return escape(next(iter(found)))
    return " / ".join(f"{escape(name)} ({count} runs)" for name, count in sorted(found.items()))


def left_out(records: pd.DataFrame, problems: Sequence[str]) -> str:
    """Return the records that do not count and the invalid files, with reasons; empty without any."""
    counts = Counter(zip(records["task"], records["why"], strict=True))
    lines = [f"{task}, {count:,} records: {why}" for (task, why), count in sorted(counts.items()) if count > LISTED]
    few = [counts[row.task, row.why] <= LISTED for row in each(records)]
    records = records[few]
    lines += [
        f"{row.task}, {row.method}, {row.backend}, seed {row.seed}, key {row.key}: {row.why}"
        for row in each(records.head(SHOWN))
    ]
    lines += list(problems)[:SHOWN]
    more = max(len(records) - SHOWN, 0) + max(len(problems) - SHOWN, 0)
    listed = [f"- {escape(line, 300)}" for line in lines] + ([f"- and {more} more"] if more else [])
    return "\n".join(["## Left out", "", *listed]) if listed else ""

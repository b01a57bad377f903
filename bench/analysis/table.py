"""From runs to a table: one row per record, and which records count.

    runs -> frame (one row per record) -> select (one record per seed)

Everything is sorted before it is summed, so the order in which records are read changes no digit.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from bench import metrics
from bench.analysis import hardware
from bench.analysis.times import seconds_of
from bench.data.series_tasks import test_series_of
from bench.metrics import Main
from bench.schema.record import Run, Spec
from bench.tasks import SEARCHES
from bench.tasks.main_metric import by_mse, has_blocks, label, ranked_by
from implementations import all_settings, complete, current_name

#: runs that share these are one row of the board; they differ in nothing but the seed
ROW = ["task", "quick", "changed", "native", "device", "method", "backend"]
#: rows that share these are ranked against each other
BOARD = ["task", "quick", "apart"]
#: what a competitor is: a method with its settings, whatever the backend
METHOD = ["method", "changed", "native", "device"]
CPU = "cpu"
#: methods whose defaults are others than in the first records of them
CHANGED_DEFAULTS = {"patchtst", "s4d", "tcn"}
#: settings that a method adapts to the series of a file
ADAPTED = {"flip", "reverse", "resample"}

_TEXT = ["key", "task", "ranked_by", "changed", "device", "method", "backend", "settings", "data", "code", "started_at"]
_TEXT += ["status", "reason"]
ERRORS = [metric.name for metric in metrics.METRICS.values() if {"board", "page"} & set(metric.shown)]
_OTHER = ["seed", "members", "chance", "blocks", "test_series"]
_FLAGS = ["native", "quick", "timing_valid"]
_NUMBERS = [*ERRORS, "fit_seconds", "predict_ms", "parameters"]


def changed_of(spec: Spec) -> tuple[str, ...]:
    """Return the settings that differ from the method's defaults, as ("layers=3", "units=32")."""
    return tuple(f"{name}={spec.settings.get(name)}" for name in spec.changed)


def device_of(spec: Spec) -> str:
    """Return what the run was computed on: cpu or cuda."""
    return "cuda" if spec.cuda else CPU


def members_of(spec: Spec) -> int:
    """Return how many networks an ensemble trains; 1 for any other method."""
    members = spec.settings.get("members")
    return members if isinstance(members, int) and members > 0 else 1


def chance_of(run: Run, main: Main) -> float:
    """Return 1 where seeds show an error's noise, 0 where there is no noise, NaN where it is unknown.

    No method of this repository without a network draws random numbers. A file's series have few windows: without
    errors by block, nothing says how much of an error is their accident.
    """
    if run.spec.series and blocks_of_test(run, main) is None:
        return np.nan
    return 1.0 if run.spec.backend != "numpy" or run.spec.source else 0.0


def blocks_of_test(run: Run, main: Main) -> np.ndarray | None:
    """Return the run's mean errors over blocks of test series; None where its record has none, or of another metric."""
    blocks = (run.blocks or {}).get("test") if has_blocks(run, main) else None
    return np.array(blocks, dtype=float) if blocks else None


def variant(changed: Sequence[str], native: bool = False, device: str = CPU) -> str:
    """Say what sets a row apart from a default one: `native defaults, on cuda, units=32`; empty for a default row."""
    marks = (("native defaults", native), (f"on {device}", device != CPU))
    return ", ".join([*(mark for mark, holds in marks if holds), *changed])


def variant_of(spec: Spec) -> str:
    """Say what sets a spec apart from a default one."""
    return variant(changed_of(spec), spec.native, device_of(spec))


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows one by one, columns as attributes."""
    yield from rows.itertuples()


def of_board(table: pd.DataFrame, task: str, quick: bool) -> pd.DataFrame:
    """Return the rows of one task, of its full or of its quick runs."""
    return table[(table["task"] == task) & (table["quick"] == quick)]


def under_current_names(runs: Iterable[Run]) -> list[Run]:
    """Return the runs, each with the name that its method has now, and with what differs from its defaults now.

    Keys stay those of the records.
    """
    return [
        run if (spec := up_to_date(run.spec)) is run.spec else msgspec.structs.replace(run, spec=spec) for run in runs
    ]


def up_to_date(spec: Spec) -> Spec:
    """Return the spec under its method's name now; one at defaults that have changed since is not at defaults."""
    if (name := current_name(spec.method)) != spec.method:
        spec = msgspec.structs.replace(spec, method=name)
    if spec.changed or name not in CHANGED_DEFAULTS:
        return spec
    settings = complete(name, spec.settings)
    now = {**all_settings(name), **{one: settings[one] for one in ADAPTED & settings.keys()}}
    epochs = {"epochs"} if spec.quick else set()
    changed = tuple(sorted(one for one in settings if settings[one] != now[one] and one not in epochs))
    return msgspec.structs.replace(spec, settings=settings, changed=changed) if changed else spec


def frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row per record, sorted: what it is, how it ended, its errors (NaN unless ok), seconds and parameters.

    Seconds are those that the run would have taken on the board's usual kind of machine; where that is unknown,
    `timing_valid` is False. Runs of searches are left out: they are no results (see `bench.analysis.tuning`).
    """
    runs = under_current_names(runs)
    factors = hardware.time_factors(runs)
    several = edited_methods(runs)
    mains = ranked_by(runs)
    rows = [
        _flat(run, factor, several, mains[run.spec.task])
        for run, factor in zip(runs, factors, strict=True)
        if run.spec.task not in SEARCHES
    ]
    table = pd.DataFrame(rows, columns=[*_TEXT, *_FLAGS, *_OTHER, *_NUMBERS])
    kinds = (
        dict.fromkeys([*_TEXT, "blocks"], "object") | dict.fromkeys(_FLAGS, "bool") | dict.fromkeys(_NUMBERS, "float64")
    )
    table = table.astype(kinds)
    return table.sort_values([*ROW, "seed", "started_at", "key"], kind="stable", ignore_index=True)


def edited_methods(runs: Iterable[Run]) -> set[str]:
    """Return the user methods that have records of several versions; each version gets separate rows.

    A method's code differs from backend to backend: versions are of one backend, or of the method's file.
    """
    versions: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        if run.spec.source:
            versions.setdefault((run.spec.method, run.spec.backend), set()).add(version_of(run))
            versions.setdefault((run.spec.method, ""), set()).add(run.spec.source.version)
    return {method for (method, _), found in versions.items() if len(found) > 1}


def version_of(run: Run) -> str:
    """Return what tells the code of a method from outside from another version of it."""
    return (run.code or run.spec.source.version) if run.spec.source else ""


def changed_in(run: Run, several: Collection[str]) -> tuple[str, ...]:
    """Return what is changed in a run's row: settings, and the version of a user method that has several."""
    version = (f"code={version_of(run)[:8]}",) if run.spec.method in several else ()
    packed = ("packed",) if "packed" in run.environment else ()  # its sums have another order, its times are no run's
    return (*changed_of(run.spec), *version, *packed)


def _flat(run: Run, factor: float, several: Collection[str], main: Main) -> tuple[Any, ...]:
    spec = run.spec
    ok = ranking_metrics(run, main) if run.status == "ok" else None
    errors = tuple(ok.get(name, np.nan) for name in ERRORS) if ok else (np.nan,) * len(ERRORS)
    status, reason = run.status, run.reason or ""
    if status == "ok" and not ok:
        status, reason = "failed", f"its record has no {label(main.test)}, which ranks the task"
    settings = sys.intern(msgspec.json.encode(spec.settings, order="deterministic").decode())
    apart = (changed_in(run, several), device_of(spec))
    text = (run.key, spec.task, main.test, *apart, spec.method, spec.backend, settings, spec.data_sha256)
    comparable = np.isfinite(factor)
    scale = factor if comparable else 1.0
    times = (scale * seconds_of(run, "fit"), 1000 * scale * seconds_of(run, "predict"))
    flags = (spec.native, spec.quick, run.timing_valid and comparable)
    other = (spec.seed, members_of(spec), chance_of(run, main), blocks_of_test(run, main), test_series_of(run))
    return (*text, run.code or None, run.started_at, status, reason, *flags, *other, *errors, *times, run.parameters)


def ranking_metrics(run: Run, main: Main) -> dict[str, float] | None:
    """Return a run's metrics; where another than the MSE ranks its task, that one takes the place of the MSE.

    None where the run has no such metric.
    """
    if run.metrics is None or by_mse(main.test):
        return run.metrics
    validation, test = run.metrics.get(main.validation), run.metrics.get(main.test)
    if validation is None or test is None:
        return None
    return {**run.metrics, "test_mse": test, "last_step_mse": validation, "val_mse": np.nan}


def select(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split `frame` into the records that count, one per seed, and those left out, with a column `why`.

    One task is ranked on one data set, that of most records. One row has one set of settings, those of its newest
    record: after a default is changed, records of the old one stop counting. It has one test part too, the largest. A
    seed counts once, by its newest record.
    """
    why = pd.Series("", index=table.index, dtype="object")
    sizes = table.groupby(["task", "quick", "data"], as_index=False).size()
    usual = sizes.sort_values(["size", "data"]).groupby(["task", "quick"])["data"].last().rename("usual")
    why[table["data"] != table.join(usual, on=["task", "quick"])["usual"]] = "other data than most records of this task"

    by_age = table[why == ""].sort_values(["started_at", "key"], kind="stable")
    newest = by_age.groupby(ROW)["settings"].transform("last")
    why[newest.index[by_age["settings"] != newest]] = "other settings than the newest record of this row"

    by_age = by_age[why[by_age.index] == ""]
    largest = by_age.groupby(ROW)["test_series"].transform("max")
    why[largest.index[by_age["test_series"] < largest]] = "tested on fewer series than other records of this row"

    by_age = by_age[why[by_age.index] == ""]
    why[by_age.index[by_age.duplicated([*ROW, "seed"], keep="last")]] = "a newer record has the same seed"
    return table[why == ""], table.assign(why=why)[why != ""]


def at_defaults(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that count and ended well, full ones at default settings, sorted by backend and seed."""
    return [run for run in full(runs) if not run.spec.changed]


def full(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that count and ended well, full ones on the processor, sorted by backend and seed.

    Their settings may be changed; each framework's native defaults are left out.
    """
    runs = under_current_names(runs)
    tried, _ = select(frame(runs))
    plain = ~tried["native"] & (tried["device"] == CPU) & ~tried["quick"]
    keys = set(tried.loc[(tried["status"] == "ok") & plain, "key"])
    return sorted((run for run in runs if run.key in keys), key=lambda run: (run.spec.backend, run.spec.seed))

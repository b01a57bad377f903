"""From the records that count to ranked rows: means, intervals, ranks, skill and the Pareto front.

table.select -> rank (one row per task, method, backend, changed settings) -> by_method (one row per method)
             -> across_tasks (one row per method with a result on every task)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.analysis import reference, statistics
from bench.analysis.statistics import half_width
from bench.analysis.table import BOARD, CPU, ERRORS, ROW, frame, select
from bench.schema.record import Run
from bench.tasks import REFERENCES

COLUMNS = [
    *BOARD, "rank", "method", "backend", "changed", "native", "device", *ERRORS, "interval", "skill", "fit_seconds",
    "predict_ms", "timing_valid", "parameters", "notes", "ratio", "seeds", "seeds_tried", "by_seed", "pareto",
    "to_limit",
]  # fmt: skip
#: the methods that skill is measured against: the first that has a result on a task's data
BASELINES = ("seasonal_naive", "last_value")


def is_default(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows at the method's and the benchmark's defaults, on the processor."""
    return (rows["changed"].map(len) == 0) & ~rows["native"] & (rows["device"] == CPU)


def rank(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per task, method, backend and changed settings, ranked by mean last-step MSE; only `ok` runs enter.

    Rows that cannot be told apart by the seeds that they share have one rank, see statistics.ranks.

    Columns: `task`, `quick`, `tuned` (settings changed: ranked apart from the default rows), `rank`, `method`,
    `backend`, `changed`, `last_step_mse` and `interval` (half width at 95 %, NaN with one seed), `val_mse`, `test_mse`,
    `skill` (percent against the naive forecast, see BASELINES), `fit_seconds` and `predict_ms` (medians),
    `timing_valid` (False: timed on disturbed machines only), `parameters`, `notes` (the notes' last-step MSE), `ratio`
    to it, `seeds` that count, `seeds_tried`, `by_seed` (seed -> last-step MSE), `pareto` (no faster row of the same
    board has an error as small), and `to_limit` (the ratio of its error to that of the first reference, see
    tasks.REFERENCES).
    """
    return rank_table(select(frame(runs))[0])


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """`rank` for records that are already in a table and selected."""
    limits = limit(table)
    table = table[~table["method"].isin(REFERENCES)]
    ok = table[table["status"] == "ok"]
    rows = ok.groupby(ROW).agg(**{name: (name, "mean") for name in ERRORS}, parameters=("parameters", "median"))
    rows = rows.join([_spread(ok), _by_seed(ok), _times(ok)]).join(
        table.groupby(ROW)["seed"].nunique().rename("seeds_tried")
    )
    rows = rows.reset_index()
    rows["tuned"] = ~is_default(rows)
    rows["skill"] = _skill(rows)
    rows["to_limit"] = rows["last_step_mse"] / rows.join(limits, on=["task", "quick"])["limit"]
    rows["notes"] = _notes(rows)
    rows["ratio"] = rows["last_step_mse"] / rows["notes"]
    rows["pareto"] = _pareto(rows)
    rows["rank"] = _ranks(rows, "last_step_mse")
    order = [*BOARD, "last_step_mse", "method", "backend", "native", "device", "changed"]
    ranked: pd.DataFrame = rows.sort_values(order, kind="stable", ignore_index=True)[COLUMNS]
    return ranked


def references(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the reference methods reach: `task`, `quick`, `method` and `error`, the mean last-step MSE.

    They have the order of tasks.REFERENCES: the first on a task is the limit that errors are compared with.
    """
    ok = table[(table["status"] == "ok") & is_default(table) & table["method"].isin(REFERENCES)]
    found = ok.groupby(["task", "quick", "method"], as_index=False).agg(error=("last_step_mse", "mean"))
    order = found["method"].map(list(REFERENCES).index)
    return found.assign(order=order).sort_values(["task", "quick", "order"], ignore_index=True).drop(columns="order")


def limit(table: pd.DataFrame) -> pd.Series:
    """Return the error of the first reference that ran, by task and quick."""
    error: pd.Series = references(table).groupby(["task", "quick"])["error"].first().rename("limit")
    return error


def _spread(ok: pd.DataFrame) -> pd.DataFrame:
    """Number of seeds and half width of Student's t interval of the mean: t(97.5 %, n - 1) s / sqrt(n)."""
    seeds = ok.groupby(ROW)["last_step_mse"].agg(seeds="count", deviation="std")
    return seeds.assign(interval=half_width(seeds["seeds"], seeds["deviation"])).drop(columns="deviation")


def _by_seed(ok: pd.DataFrame) -> pd.Series:
    """Each row's errors by seed."""
    errors = [dict(zip(rows["seed"], rows["last_step_mse"], strict=True)) for _, rows in ok.groupby(ROW)]
    return pd.Series(errors, index=ok.groupby(ROW).size().index, dtype="object", name="by_seed")


def _ranks(rows: pd.DataFrame, measure: str) -> pd.Series:
    """The ranks within each board, from the mean errors in a column and the errors by seed."""
    found = pd.Series(0, index=rows.index, dtype=int)
    for _, board in rows.groupby(BOARD):
        by_seed = pd.DataFrame(list(board["by_seed"])).to_numpy(dtype=float)
        found[board.index] = statistics.ranks(board[measure].to_numpy(), by_seed)
    return found


def _times(ok: pd.DataFrame) -> pd.DataFrame:
    """Median times over the undisturbed runs of a row; over all of them where every one was disturbed."""
    valid = ok.groupby(ROW)["timing_valid"].transform("any")
    counted = ok[ok["timing_valid"] | ~valid].groupby(ROW)
    return counted.agg(
        fit_seconds=("fit_seconds", "median"), predict_ms=("predict_ms", "median"), timing_valid=("timing_valid", "any")
    )


def _skill(rows: pd.DataFrame) -> pd.Series:
    """Percent of the baseline's error that a row saves: 100 (1 - mse / mse of the naive forecast), on the same data."""
    default = rows[~rows["tuned"]]
    errors = default.pivot_table(index=["task", "quick"], columns="method", values="last_step_mse")
    reference = rows.join(naive(errors).rename("baseline"), on=["task", "quick"])["baseline"]
    return 100 * (1 - rows["last_step_mse"] / reference)


def naive(errors: pd.DataFrame) -> pd.Series:
    """The error of the naive forecast on each task, from errors [tasks, methods]: NaN where no baseline has one."""
    return errors.reindex(columns=list(BASELINES)).bfill(axis=1)[BASELINES[0]].astype("float64")


def _notes(rows: pd.DataFrame) -> pd.Series:
    """The notes' last-step MSE, for full runs with default settings: only those repeat what the notes did."""
    printed = {
        (task, method): figure.last_step_mse
        for task, methods in reference.figures().items()
        for method, figure in methods.items()
    }
    named = pd.Series(list(zip(rows["task"], rows["method"], strict=True)), index=rows.index, dtype="object")
    return named.map(printed).astype("float64").where(~rows["quick"] & ~rows["tuned"])


def _pareto(rows: pd.DataFrame) -> pd.Series:
    """Whether no row of the same board is at least as fast and as good; rows timed on disturbed machines stay out."""
    timed = rows[rows["timing_valid"] & rows["fit_seconds"].notna()]
    timed = timed.sort_values([*BOARD, "fit_seconds", "last_step_mse", "method", "backend"], kind="stable")
    best_so_far = timed.groupby(BOARD)["last_step_mse"].cummin()
    faster_best = best_so_far.groupby([timed[name] for name in BOARD]).shift(fill_value=np.inf)
    front = timed["last_step_mse"] < faster_best
    return front.reindex(rows.index, fill_value=False)


def by_method(ranked: pd.DataFrame) -> pd.DataFrame:
    """One row per board, method and changes, ranked by the mean over its backends: `error`, `rank`, `notes`.

    The mean, not the best backend: a method gains nothing from having been run in more of them.
    """
    row = ["method", "changed", "native", "device"]
    columns = {"error": ("last_step_mse", "mean"), "notes": ("notes", "first"), "by_seed": ("by_seed", _mean_by_seed)}
    methods = ranked.groupby([*BOARD, *row], as_index=False).agg(**columns)
    methods["rank"] = _ranks(methods, "error")
    return methods.sort_values([*BOARD, "error", *row], kind="stable", ignore_index=True)


def _mean_by_seed(backends: pd.Series) -> dict[int, float]:
    """The mean over backends for every seed that all of them have."""
    seeds = sorted(set.intersection(*(set(errors) for errors in backends)))
    errors = np.array([[row[seed] for row in backends] for seed in seeds])
    return dict(zip(seeds, errors.mean(axis=1).tolist(), strict=True)) if seeds else {}


def cost_of_native(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per method and backend of one board that ran with native and with equal defaults, over common seeds.

    Columns: `method`, `backend`, `equal` and `native` (mean last-step MSE), `ratio` of native to equal, and `seeds`.
    """
    key = ["task", "quick", "method", "backend"]
    own = (rows["changed"].map(len) == 0) & (rows["device"] == CPU)
    equal, native = (rows[own & (rows["native"] == native)] for native in (False, True))
    pairs = equal.merge(native, on=key, suffixes=("_equal", "_native"))
    found = []
    for pair in pairs.to_dict("records"):
        equal, native = pair["by_seed_equal"], pair["by_seed_native"]
        if seeds := sorted(equal.keys() & native.keys()):
            means = [np.mean([errors[seed] for seed in seeds]) for errors in (equal, native)]
            found.append((pair["method"], pair["backend"], *means, means[1] / means[0], len(seeds)))
    table = pd.DataFrame(found, columns=["method", "backend", "equal", "native", "ratio", "seeds"])
    return table.sort_values(["equal", "method", "backend"], kind="stable", ignore_index=True)

"""Table in, table out: from the records to means, intervals, ranks, skill and the Pareto front.

    runs -> frame (one row per record) -> select (one record per seed)
         -> rank (one row per task, method, backend, changed settings) -> by_method (one row per method)
         -> over_tasks (one row per method with a result on every task)

Everything is sorted before it is summed, so the order in which records are read changes no digit.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import msgspec
import numpy as np
import pandas as pd
from scipy import special

from bench.analysis import reference as notes
from bench.analysis import statistics
from bench.records.repository import Run
from bench.tasks import REFERENCES, SEARCHES

#: runs that share these are one row of the board; they differ in nothing but the seed
ROW = ["task", "quick", "changed", "method", "backend"]
#: rows that share these are ranked against each other
BOARD = ["task", "quick", "tuned"]
CONFIDENCE = 0.95
COLUMNS = [
    *BOARD, "rank", "method", "backend", "changed", "last_step_mse", "interval", "val_mse", "test_mse", "skill",
    "fit_seconds", "predict_ms", "timing_valid", "parameters", "notes", "ratio", "seeds", "seeds_tried", "by_seed",
    "pareto", "to_limit",
]  # fmt: skip
#: the methods that skill is measured against: the first that has a result on a task's data
BASELINES = ("seasonal_naive", "last_value")
#: how rows of a framework's own defaults are marked
NATIVE = "native defaults"
#: how rows computed on an accelerator are marked
CUDA = "on cuda"
#: from so many tasks on a mean over tasks is shown: an interval from fewer would be none
LEAST_TASKS = 3

_TEXT = ["key", "task", "changed", "method", "backend", "settings", "data", "started_at", "status", "reason"]
_ERRORS = ["last_step_mse", "val_mse", "test_mse"]


def changes(run: Run) -> str:
    """What differs from the method's defaults, as `native defaults, layers=3, units=32`; empty for a default run."""
    return ", ".join({"native": NATIVE, "cuda": CUDA}.get(one, one) for one in run.spec.differences())


def frame(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per record, sorted: what it is, how it ended, its errors (NaN unless ok), seconds and parameters.

    Without those of searches: they are no results, and what comes of them is in `bench.campaigns.tune`.
    """
    flags, numbers = ["quick", "timing_valid"], [*_ERRORS, "fit_seconds", "predict_ms", "parameters"]
    table = pd.DataFrame(
        [_flat(run) for run in runs if run.spec.task not in SEARCHES], columns=[*_TEXT, *flags, "seed", *numbers]
    )
    kinds = dict.fromkeys(_TEXT, "object") | dict.fromkeys(flags, "bool") | dict.fromkeys(numbers, "float64")
    table = table.astype(kinds)
    return table.sort_values([*ROW, "seed", "started_at", "key"], kind="stable", ignore_index=True)


def _flat(run: Run) -> tuple:
    spec, seconds = run.spec, run.seconds or {}
    ok = run.metrics if run.status == "ok" else None
    errors = (ok.last_step_mse, ok.val_mse, ok.test_mse) if ok else (np.nan,) * 3
    settings = sys.intern(msgspec.json.encode(spec.settings, order="deterministic").decode())
    text = (run.key, spec.task, changes(run), spec.method, spec.backend, settings, spec.data_sha256, run.started_at)
    numbers = (*errors, seconds.get("fit", np.nan), 1000 * seconds.get("predict", np.nan), run.parameters)
    return (*text, run.status, run.reason or "", spec.quick, run.timing_valid, spec.seed, *numbers)


def select(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split `frame` into the records that count, one per seed, and those left out, with a column `why`.

    One task is ranked on one data set, that of most records. One row has one set of settings, those of its newest
    record: after a default is changed, records of the old one stop counting. A seed counts once, by its newest record.
    """
    why = pd.Series("", index=table.index, dtype="object")
    sizes = table.groupby(["task", "quick", "data"], as_index=False).size()
    usual = sizes.sort_values(["size", "data"]).groupby(["task", "quick"])["data"].last().rename("usual")
    why[table["data"] != table.join(usual, on=["task", "quick"])["usual"]] = "other data than most records of this task"

    by_age = table[why == ""].sort_values(["started_at", "key"], kind="stable")
    newest = by_age.groupby(ROW)["settings"].transform("last")
    why[newest.index[by_age["settings"] != newest]] = "other settings than the newest record of this row"

    by_age = by_age[why[by_age.index] == ""]
    why[by_age.index[by_age.duplicated([*ROW, "seed"], keep="last")]] = "a newer record has the same seed"
    return table[why == ""], table.assign(why=why)[why != ""]


def at_defaults(runs: Sequence[Run]) -> list[Run]:
    """The runs that count and ended well, full ones with default settings, sorted by backend and seed."""
    tried, _ = select(frame(runs))
    keys = set(tried.loc[(tried["status"] == "ok") & (tried["changed"] == "") & ~tried["quick"], "key"])
    counted = (run for run in runs if run.key in keys)
    return sorted(counted, key=lambda run: (run.spec.backend, run.spec.seed))


def rank(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per task, method, backend and changed settings, ranked by mean last-step MSE; only `ok` runs enter.

    Rows that cannot be told apart by the seeds that they share have one rank, see statistics.ranks.

    Columns: `task`, `quick`, `tuned` (settings changed: ranked apart from the default rows), `rank`, `method`,
    `backend`, `changed`, `last_step_mse` and `interval` (half width at 95 %, NaN with one seed), `val_mse`, `test_mse`,
    `skill` (percent against the naive forecast, see BASELINES), `fit_seconds` and `predict_ms` (medians),
    `timing_valid` (False: timed on disturbed machines only), `parameters`, `notes` (the notes' last-step MSE), `ratio`
    to it, `seeds` that count, `seeds_tried`, `by_seed` (seed -> last-step MSE), `pareto` (no faster row of the same
    board has an error as small), and `to_limit` (the ratio of its error to the reference method's, see
    tasks.REFERENCES).
    """
    return rank_table(select(frame(runs))[0])


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """`rank` for records that are already in a table and selected."""
    limits = limit(table)
    table = table[~table["method"].isin(REFERENCES)]
    ok = table[table["status"] == "ok"]
    rows = ok.groupby(ROW).agg(**{name: (name, "mean") for name in _ERRORS}, parameters=("parameters", "median"))
    rows = rows.join([_spread(ok), _by_seed(ok), _times(ok)]).join(
        table.groupby(ROW)["seed"].nunique().rename("seeds_tried")
    )
    rows = rows.reset_index()
    rows["tuned"] = rows["changed"] != ""
    rows["skill"] = _skill(rows)
    rows["to_limit"] = rows["last_step_mse"] / rows.join(limits["limit"], on=["task", "quick"])["limit"]
    rows["notes"] = _notes(rows)
    rows["ratio"] = rows["last_step_mse"] / rows["notes"]
    rows["pareto"] = _pareto(rows)
    rows["rank"] = _ranks(rows, "last_step_mse")
    order = [*BOARD, "last_step_mse", "method", "backend", "changed"]
    return rows.sort_values(order, kind="stable", ignore_index=True)[COLUMNS]


def limit(table: pd.DataFrame) -> pd.DataFrame:
    """What the reference method reaches, by task and quick: `limit` (mean last-step MSE), and its name `reference`."""
    ok = table[(table["status"] == "ok") & (table["changed"] == "") & table["method"].isin(REFERENCES)]
    return ok.groupby(["task", "quick"]).agg(limit=("last_step_mse", "mean"), reference=("method", "first"))


def _spread(ok: pd.DataFrame) -> pd.DataFrame:
    """Number of seeds and half width of Student's t interval of the mean: t(97.5 %, n - 1) s / sqrt(n)."""
    seeds = ok.groupby(ROW)["last_step_mse"].agg(seeds="count", deviation="std")
    return seeds.assign(interval=half_width(seeds["seeds"], seeds["deviation"])).drop(columns="deviation")


def half_width(count: pd.Series, deviation: pd.Series) -> pd.Series:
    """Half of the mean's 95 % interval, t(97.5 %, n - 1) s / sqrt(n); NaN for one value."""
    # Student's quantile without scipy.stats, which takes longer to import than a board to render
    quantile = special.stdtrit((count - 1).where(count > 1), (1 + CONFIDENCE) / 2)
    return quantile * deviation / np.sqrt(count)


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
        for task, methods in notes.figures().items()
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
    names = [*BOARD, "method", "changed"]
    columns = {"error": ("last_step_mse", "mean"), "notes": ("notes", "first"), "by_seed": ("by_seed", _mean_by_seed)}
    methods = ranked.groupby(names, as_index=False).agg(**columns)
    methods["rank"] = _ranks(methods, "error")
    return methods.sort_values([*BOARD, "error", "method", "changed"], kind="stable", ignore_index=True)


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
    pairs = rows[rows["changed"] == ""].merge(rows[rows["changed"] == NATIVE], on=key, suffixes=("_equal", "_native"))
    found = []
    for pair in pairs.to_dict("records"):
        equal, native = pair["by_seed_equal"], pair["by_seed_native"]
        if seeds := sorted(equal.keys() & native.keys()):
            means = [np.mean([errors[seed] for seed in seeds]) for errors in (equal, native)]
            found.append((pair["method"], pair["backend"], *means, means[1] / means[0], len(seeds)))
    table = pd.DataFrame(found, columns=["method", "backend", "equal", "native", "ratio", "seeds"])
    return table.sort_values(["equal", "method", "backend"], kind="stable", ignore_index=True)


def over_tasks(methods: pd.DataFrame, tasks: Collection[str] | None = None) -> pd.DataFrame:
    """From `by_method`: how methods with a result on every task do over all, default settings and full runs alone.

    tasks: the only ones that count; None: all that have results.
    Columns: `method`, `tasks`, `win_rate` (share of comparisons with the other methods that it wins, over all tasks)
    and `skill` (percent, from the geometric mean of its error over the naive forecast's), each with `_low` and `_high`,
    the bounds of a 95 % interval by bootstrap over tasks. Empty for less than LEAST_TASKS tasks.
    """
    columns = ["method", "tasks", *(name + end for name in ("win_rate", "skill") for end in ("", "_low", "_high"))]
    default = methods[~methods["quick"] & ~methods["tuned"]]
    if tasks is not None:
        default = default[default["task"].isin(tasks)]
    by_task = default.pivot(index="task", columns="method", values="error")
    errors, baseline = by_task.dropna(axis=1).T, naive(by_task)
    count = errors.shape[1]
    if count < LEAST_TASKS or len(errors) < 2 or baseline.isna().any():
        return pd.DataFrame(columns=columns)
    values = errors.to_numpy()
    wins = statistics.win_rates(values)
    skills = statistics.mean_skills(values, baseline.to_numpy())
    table = pd.DataFrame(dict(zip(columns, [errors.index, count, *wins, *skills], strict=True)))
    return table.sort_values(["skill", "method"], ascending=[False, True], kind="stable", ignore_index=True)

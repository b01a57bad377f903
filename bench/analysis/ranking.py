"""From the records that count to rows with errors, intervals and times, and to ranked competitors.

    table.select -> rank (one row per task, method, backend and settings; not ranked, but compared with the other
                    backends of its method)
                 -> by_method (one row per competitor, a method with its settings: place and rank interval)
                 -> across_tasks (one row per method with a result on every task)

Rows are ranked by the error on the test part, on which nothing was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis import frameworks, reference, statistics
from bench.analysis.matrices import log_errors_of, matrices
from bench.analysis.table import BOARD, CPU, ERRORS, METHOD, ROW, frame, select
from bench.analysis.times import FEWEST, timing
from bench.schema.record import Run
from bench.tasks import REFERENCES, dataset_of

#: the methods that skill is measured against: the first that has a result on a task's data
BASELINES = ("seasonal_naive", "last_value")
#: backends in the order in which one is taken for times, where several have as many rows
TIMED_FIRST = ("keras-jax", "torch", "keras", "numpy")
#: measures that rows have besides the error that ranks
_OTHERS = [name for name in ERRORS if name != "test_mse"]
_TIMES = ["fit_seconds", "fit_low", "fit_high", "predict_ms", "undisturbed", "timing_valid"]
COLUMNS = [
    *BOARD, "ranked_by", *METHOD, "backend", "test_mse", "low", "high", *_OTHERS, "skill", "to_limit",
    *frameworks.COLUMNS, *_TIMES, "parameters", "notes", "ratio", "seeds", "seeds_tried", "by_seed", "blocks", "keys",
    "pareto", "members", "chance", "test_series", "codes",
]  # fmt: skip
METHOD_COLUMNS = [
    *BOARD, "ranked_by", *METHOD, "place", "rank_low", "rank_high", "test_mse", "low", "high", *_OTHERS, "skill",
    "to_limit", "backend", *_TIMES, "parameters", "notes", "seeds", "by_seed", "blocks", "keys", "pareto", "members",
    "chance", "test_series", "codes",
]  # fmt: skip


def rank(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row per task, method, backend and settings, by mean error on the test part; only `ok` runs enter.

    Columns: `task`, `quick`, `apart` (settings, defaults or device changed: a board apart from the default rows),
    `ranked_by` (the test metric that takes the place of the MSE where a task has its own), `method`, `changed`,
    `native`, `device`, `backend`; `test_mse` (mean over seeds, last history step) with the ends
    `low` and `high` of its 95 % interval (NaN where nothing is known of it), `last_step_mse` and `val_mse`
    (validation), `skill` (percent of the naive forecast's error saved, see BASELINES), `to_limit` (ratio to the
    reference method's error, see tasks.REFERENCES); those of `frameworks.compare`; `fit_seconds` with the range
    `fit_low` to `fit_high` over `undisturbed` runs, `predict_ms`, `timing_valid` (False: every run was disturbed),
    `parameters`, `notes` (the reference's figure, on validation), the `ratio` of last_step_mse to it, `seeds` that
    count, `seeds_tried`, `by_seed` (seed -> test_mse), `blocks` (error by block of test series, or None), `keys`,
    `pareto` (no faster row of the board has an error as small; with at least times.FEWEST undisturbed runs),
    `members` (networks in an ensemble, else 1), `chance` (see table.chance_of), `test_series` (how many generated
    series the row was tested on; 0 on series of a file), and `codes` (how many versions of the code made its records,
    as far as they say so).
    """
    return rank_table(select(frame(runs))[0])


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return `rank` for records that are already in a table and selected."""
    limits = limit(table)
    table = table[~table["method"].isin(REFERENCES)]
    ok = table[table["status"] == "ok"]
    rows = ok.groupby(ROW).agg(
        **{name: (name, "mean") for name in ERRORS}, parameters=("parameters", "median"),
        keys=("key", list), members=("members", "first"), chance=("chance", "first"), seeds=("seed", "count"),
        test_series=("test_series", "first"), ranked_by=("ranked_by", "first"), codes=("code", "nunique"),
    )  # fmt: skip
    tried = table.groupby(ROW)["seed"].nunique().rename("seeds_tried")
    rows = rows.join([_by_seed(ok), _blocks(ok), _times(ok), tried]).reset_index()
    rows["apart"] = _apart(rows)
    rows["skill"] = _skill(rows)
    rows["to_limit"] = rows["test_mse"] / rows.join(limits, on=["task", "quick"])["limit"]
    rows["notes"] = _notes(rows)
    rows["ratio"] = rows["last_step_mse"] / rows["notes"]
    rows = _with_intervals(rows)
    rows = frameworks.compare(rows, [*BOARD, *METHOD, "test_series"])
    rows["pareto"] = _pareto(rows)
    order = [*BOARD, "test_mse", *METHOD, "backend"]
    ranked: pd.DataFrame = rows.sort_values(order, kind="stable", ignore_index=True)[COLUMNS]
    return ranked


def references(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the reference methods reach: `task`, `quick`, `method` and `error`, the mean error on the test part.

    Where some were tested on fewer series, only those on the most count; of series that they do not know, none.

    They have the order of tasks.REFERENCES: the first on a task is the limit that errors are compared with.
    """
    ok = table[(table["status"] == "ok") & unchanged(table) & table["method"].isin(REFERENCES)]
    ok = ok[ok["task"].map(dataset_of) == ok["method"].map(REFERENCES)]
    ok = ok[ok["test_series"] == ok.groupby(["task", "quick"])["test_series"].transform("max")]
    found = ok.groupby(["task", "quick", "method"], as_index=False).agg(error=("test_mse", "mean"))
    order = found["method"].map(list(REFERENCES).index)
    return found.assign(order=order).sort_values(["task", "quick", "order"], ignore_index=True).drop(columns="order")


def limit(table: pd.DataFrame) -> pd.Series:
    """Return the error of the first reference that ran, by task and quick."""
    error: pd.Series = references(table).groupby(["task", "quick"])["error"].first().rename("limit")
    return error


def unchanged(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows at the method's settings and the benchmark's defaults, on any device."""
    return (rows["changed"].map(len) == 0) & ~rows["native"]


def _apart(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows that are on a board apart: other settings, or another device where networks ran on the processor.

    A board on which no network ran on the processor has those of the accelerator as its rows.
    """
    default = unchanged(rows)
    on_cpu = rows[default & (rows["device"] == CPU) & (rows["backend"] != "numpy")]
    boards = set(on_cpu[["task", "quick"]].itertuples(index=False, name=None))
    shared = pd.Series([board in boards for board in zip(rows["task"], rows["quick"], strict=True)], index=rows.index)
    return ~default | ((rows["device"] != CPU) & shared.astype(bool))


def _by_seed(ok: pd.DataFrame) -> pd.Series:
    """Return each row's errors by seed."""
    errors = [dict(zip(rows["seed"], rows["test_mse"], strict=True)) for _, rows in ok.groupby(ROW)]
    return pd.Series(errors, index=ok.groupby(ROW).size().index, dtype="object", name="by_seed")


def _blocks(ok: pd.DataFrame) -> pd.Series:
    """Return each row's mean errors by block of test series over its seeds, None where a record has none."""
    found = [_mean_blocks(rows["blocks"]) for _, rows in ok.groupby(ROW)]
    return pd.Series(found, index=ok.groupby(ROW).size().index, dtype="object", name="blocks")


def _mean_blocks(blocks: Iterable[Any]) -> np.ndarray | None:
    known = [one for one in blocks if one is not None]
    counts = {len(one) for one in known}
    return np.mean(known, axis=0) if len(counts) == 1 and counts.pop() > 1 else None


def _times(ok: pd.DataFrame) -> pd.DataFrame:
    """Return the times of each row, see `times.timing`."""
    found = {}
    for name, rows in ok.groupby(ROW):
        fit = timing(rows["fit_seconds"].to_list(), rows["timing_valid"].to_list())
        predict = timing(rows["predict_ms"].to_list(), rows["timing_valid"].to_list())
        found[name] = (fit.median, fit.low, fit.high, predict.median, fit.undisturbed, fit.undisturbed > 0)
    index = ok.groupby(ROW).size().index
    table = pd.DataFrame([found[name] for name in index], index=index, columns=_TIMES)
    return table.astype(dict.fromkeys(_TIMES[:4], "float64") | {"undisturbed": int, "timing_valid": bool})


def _skill(rows: pd.DataFrame) -> pd.Series:
    """Return the percent of the baseline's error that a row saves: 100 (1 - mse / mse of the naive forecast)."""
    default = rows[~rows["apart"]]
    errors = default.pivot_table(index=["task", "quick"], columns="method", values="test_mse")
    baseline = rows.join(naive(errors).rename("baseline"), on=["task", "quick"])["baseline"]
    return 100 * (1 - rows["test_mse"] / baseline)


def naive(errors: pd.DataFrame) -> pd.Series:
    """Return the error of the naive forecast on each task, from errors [tasks, methods]: NaN without a baseline."""
    return errors.reindex(columns=list(BASELINES)).bfill(axis=1)[BASELINES[0]].astype("float64")


def _notes(rows: pd.DataFrame) -> pd.Series:
    """Return the reference's figure, for full runs at defaults: only those repeat what it did."""
    printed = {
        (task, method): figure.last_step_mse
        for task, methods in reference.figures().items()
        for method, figure in methods.items()
    }
    named = pd.Series(list(zip(rows["task"], rows["method"], strict=True)), index=rows.index, dtype="object")
    return named.map(printed).astype("float64").where(~rows["quick"] & ~rows["apart"])


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the ends `low` and `high` of the 95 % interval of the geometric mean error, from seeds and series."""
    rows = rows.assign(low=np.nan, high=np.nan)
    for _, board in rows.groupby(BOARD):
        log_errors, blocks, chance = matrices(board)
        means = statistics.means_over_seeds(log_errors, chance)
        half = statistics.half_widths(means, blocks)
        rows.loc[board.index, "low"] = np.exp(means.mean - half)
        rows.loc[board.index, "high"] = np.exp(means.mean + half)
    return rows


def _pareto(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows that no row of the same board is as fast and as good as; rows with too few times stay out."""
    timed = rows[(rows["undisturbed"] >= FEWEST) & rows["fit_seconds"].notna()]
    timed = timed.sort_values([*BOARD, "fit_seconds", "test_mse", "method", "backend"], kind="stable")
    best_so_far = timed.groupby(BOARD)["test_mse"].cummin()
    faster_best = best_so_far.groupby([timed[name] for name in BOARD]).shift(fill_value=np.inf)
    front = timed["test_mse"] < faster_best
    return front.reindex(rows.index, fill_value=False)


def by_method(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return one row per competitor of each board, a method with its settings, by place.

    Its error at a seed is the geometric mean over its backends: it gains nothing from having been run in more of them.
    `place` is by geometric mean over seeds, `rank_low` to `rank_high` the simultaneous interval of ranks (see
    statistics.places), `test_mse` with `low` and `high` that mean and its 95 % interval. Times, parameters and `pareto`
    are those in one `backend`, the board's (see `timed_backend`).
    """
    found = [
        _competitor(rows, backend)
        for _, board in ranked.groupby(BOARD)
        for backend in [timed_backend(board)]
        for _, rows in board.groupby(METHOD)
    ]
    methods = pd.DataFrame(found, columns=[*METHOD_COLUMNS, "mean_error"])
    for _, board in methods.groupby(BOARD):
        log_errors, blocks, chance = matrices(board)
        means = statistics.means_over_seeds(log_errors, chance)
        half = statistics.half_widths(means, blocks)
        columns = ["place", "rank_low", "rank_high"]
        methods.loc[board.index, columns] = np.stack(statistics.places(log_errors, blocks, chance), axis=1)
        ends = [np.exp(value) for value in (means.mean, means.mean - half, means.mean + half)]
        methods.loc[board.index, ["test_mse", "low", "high"]] = np.stack(ends, axis=1)
    scale = methods["test_mse"] / methods["mean_error"]
    methods["to_limit"] *= scale
    methods["skill"] = 100 - (100 - methods["skill"]) * scale
    kinds = dict.fromkeys(["place", "rank_low", "rank_high"], int)
    methods = methods.astype(kinds).drop(columns="mean_error")
    return methods.sort_values([*BOARD, "place", "test_mse", *METHOD], kind="stable", ignore_index=True)


def timed_backend(board: pd.DataFrame) -> str:
    """Return the backend that most networks of a board ran in, and of several the first of TIMED_FIRST."""
    networks = board[board["backend"] != "numpy"]
    counts = (networks if len(networks) else board)["backend"].value_counts()
    order = {name: place for place, name in enumerate(TIMED_FIRST)}
    return str(min(counts.index, key=lambda name: (-counts[name], order.get(name, len(order)), name)))


def _competitor(rows: pd.DataFrame, backend: str) -> dict[str, Any]:
    """Return the row of one method from its rows in the backends, of those that were tested on the most series."""
    rows = rows[rows["test_series"] == rows["test_series"].max()]
    chosen = rows[rows["backend"] == backend]
    timed = chosen.iloc[0] if len(chosen) else rows.sort_values(["fit_seconds", "backend"], kind="stable").iloc[0]
    taken = [*BOARD, "ranked_by", *METHOD, "backend", *_TIMES, "parameters", "notes", "pareto", "members", "chance"]
    taken.append("test_series")
    seeds, log_errors = log_errors_of(rows["by_seed"])
    errors = np.exp(np.nanmean(log_errors, axis=0))
    return {
        **{name: timed[name] for name in taken},
        **{name: 0 for name in ("place", "rank_low", "rank_high")},
        **{name: rows[name].mean() for name in (*_OTHERS, "skill", "to_limit")},
        "mean_error": rows["test_mse"].mean(),
        "test_mse": np.nan,
        "low": np.nan,
        "high": np.nan,
        "seeds": len(seeds),
        "codes": rows["codes"].max(),
        "by_seed": dict(zip(seeds, errors.tolist(), strict=True)),
        "blocks": _mean_blocks(rows["blocks"]),
        "keys": [key for keys in rows["keys"] for key in keys],
    }


def cost_of_native(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method and backend of one board that ran with native and equal defaults, over common seeds.

    Columns: `method`, `backend`, `equal` and `native` (mean error), `ratio` of native to equal, and `seeds`.
    """
    key = ["task", "quick", "method", "backend"]
    own = (rows["changed"].map(len) == 0) & (rows["device"] == CPU)
    equal, native = (rows[own & (rows["native"] == native)] for native in (False, True))
    found = []
    for pair in equal.merge(native, on=key, suffixes=("_equal", "_native")).to_dict("records"):
        by_seed, by_native = pair["by_seed_equal"], pair["by_seed_native"]
        if seeds := sorted(by_seed.keys() & by_native.keys()):
            means = [np.mean([errors[seed] for seed in seeds]) for errors in (by_seed, by_native)]
            found.append((pair["method"], pair["backend"], *means, means[1] / means[0], len(seeds)))
    table = pd.DataFrame(found, columns=["method", "backend", "equal", "native", "ratio", "seeds"])
    return table.sort_values(["equal", "method", "backend"], kind="stable", ignore_index=True)

"""How methods do over several tasks: skill and win rate, with intervals over tasks."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from bench.analysis.ranking import naive

#: from so many tasks on a mean over tasks is shown: an interval from fewer would be none
LEAST_TASKS = 3
RESAMPLES = 2000
CLIP = (0.01, 100.0)  # of an error over the baseline's: one task cannot decide a geometric mean


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
    wins = win_rates(values)
    skills = mean_skills(values, baseline.to_numpy())
    table = pd.DataFrame(dict(zip(columns, [errors.index, count, *wins, *skills], strict=True)))
    return table.sort_values(["skill", "method"], ascending=[False, True], kind="stable", ignore_index=True)


def win_rates(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The share of comparisons that each method wins, and the bounds of its 95 % interval [M]; errors [M, tasks].

    Every method is compared with every other on every task; a tie is half a win.
    """
    rivals = len(errors) - 1
    wins = (errors[:, None] < errors).sum(axis=1) + 0.5 * ((errors[:, None] == errors).sum(axis=1) - 1)  # [M, tasks]
    return mean_over_tasks(wins / rivals)


def mean_skills(errors: np.ndarray, baseline: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Percent of the baseline's error that each method saves, and the bounds of its 95 % interval [M].

    100 (1 - geometric mean of error / baseline) for errors [M, tasks], baseline [tasks].
    """
    mean, low, high = mean_over_tasks(np.log(np.clip(errors / baseline, *CLIP)))
    return tuple(100 * (1 - np.exp(value)) for value in (mean, high, low))


def mean_over_tasks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The means of values [M, tasks], and the bounds of their 95 % intervals: percentile bootstrap over tasks."""
    from scipy import stats

    drawn = stats.bootstrap((values,), np.mean, axis=1, n_resamples=RESAMPLES, method="percentile", rng=0)
    return values.mean(axis=1), drawn.confidence_interval.low, drawn.confidence_interval.high

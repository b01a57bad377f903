"""How methods do over several tasks: the share of the naive forecast's error that they save, with an interval."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import special

from bench.analysis.ranking import naive
from bench.analysis.statistics import LEVEL
from bench.text import ZERO

#: from so many tasks on a mean over tasks is shown: an interval from fewer would be none
LEAST_TASKS = 3
#: tasks that tell two methods with a ratio of errors of 1.5 apart with 80 % power (37 for 1.2); no places under it
TASKS_TO_RANK = 8
CLIP = (0.01, 100.0)  # of an error over the baseline's: one task cannot decide a geometric mean
COLUMNS = ["method", "members", "tasks", "skill", "skill_low", "skill_high"]


def over_tasks(methods: pd.DataFrame, tasks: Collection[str] | None = None) -> pd.DataFrame:
    """Return how methods with a result on every task do over all, default settings and full runs alone.

    methods: from `ranking.by_method`; tasks: the only ones that count; None: all that have results.
    Columns: `method`, `members` (networks in an ensemble), `tasks` and `skill` (percent, from the geometric mean over
    tasks of its test error over the naive forecast's) with `skill_low` and `skill_high`, the ends of a 95 % interval
    over tasks (Student's t: the percentile bootstrap covers 75 % from three tasks). Empty for less than LEAST_TASKS
    tasks.
    """
    default = methods[~methods["quick"] & ~methods["apart"]]
    if tasks is not None:
        default = default[default["task"].isin(tasks)]
    default = default[~default["task"].isin(without_error(default))]
    by_task = default.pivot(index="task", columns="method", values="test_mse")
    errors, baseline = by_task.dropna(axis=1).T, naive(by_task)
    count = errors.shape[1]
    if count < LEAST_TASKS or len(errors) < 2 or baseline.isna().any():
        return pd.DataFrame(columns=COLUMNS)
    skills = mean_skills(errors.to_numpy(), baseline.to_numpy())
    members = default.groupby("method")["members"].max()[errors.index].to_list()
    table = pd.DataFrame(dict(zip(COLUMNS, [errors.index, members, count, *skills], strict=True)))
    return table.sort_values(["skill", "method"], ascending=[False, True], kind="stable", ignore_index=True)


def without_error(methods: pd.DataFrame) -> list[str]:
    """Return the tasks on which the naive forecast makes no error, as on a series of zeros: nothing can be saved."""
    default = methods[~methods["quick"] & ~methods["apart"]]
    baseline = naive(default.pivot(index="task", columns="method", values="test_mse"))
    return list(baseline.index[baseline < ZERO])


def mean_skills(errors: np.ndarray, baseline: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the percent of the baseline's error that each method saves, and the ends of its 95 % interval [M].

    100 (1 - geometric mean of error / baseline) for errors [M, tasks], baseline [tasks].
    """
    mean, half = mean_over_tasks(np.log(np.clip(errors / baseline, *CLIP)))
    best, low, high = (100 * (1 - np.exp(value)) for value in (mean, mean + half, mean - half))
    return best, low, high


def mean_over_tasks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of values [M, tasks], and half of their 95 % intervals (Student's t)."""
    count = values.shape[1]
    quantile = special.stdtrit(count - 1, 1 - LEVEL / 2)
    return values.mean(axis=1), quantile * values.std(axis=1, ddof=1) / np.sqrt(count)

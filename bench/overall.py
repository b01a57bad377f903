"""The board's section over all tasks: how often a method wins, and how much error it saves, with intervals.

Tasks are the sample: intervals are percentiles of the same figures on tasks drawn anew, with replacement. Few tasks
make wide intervals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench import ranking
from bench.markdown import NOTHING, decimals, escape, table
from bench.sections import label
from bench.tasks import ALL, REAL

BASELINES = ("seasonal_naive", "last_value")  # the first that a task has
DRAWS = 2000
HEADERS = ["#", "method", "win rate (%)", "mean skill (%)", "tasks"]

MEANING = """\
**Win rate**: of all pairs of a task and another method that has a result on it, the share where the method's error
(mean over its backends) is smaller. **Skill**: the share of the seasonal naive forecast's error that it saves (of the
last value's where a task has no season), mean over tasks. In brackets 95 % intervals over tasks drawn anew. Methods
with results on few tasks have been asked few questions: compare rows with equal numbers of tasks."""


def section(ranked: pd.DataFrame) -> list[str]:
    """The section; nothing unless a real series is among at least two tasks."""
    errors = by_task(ranked)
    if len(errors.columns) < 2 or not set(errors.columns) & set(REAL):
        return []
    return ["## All tasks", summary(errors), MEANING]


def by_task(ranked: pd.DataFrame) -> pd.DataFrame:
    """Errors of full runs with default settings: a row for each method, a column for each task of the benchmark."""
    rows = ranked[~ranked["quick"] & ~ranked["tuned"] & ranked["task"].isin(list(ALL))]
    return ranking.by_method(rows).pivot(index="method", columns="task", values="error").sort_index(axis=1)


def summary(errors: pd.DataFrame) -> str:
    """One row per method, by win rate."""
    values = errors.to_numpy()
    draws = np.random.default_rng(0).integers(len(errors.columns), size=(DRAWS, len(errors.columns)))
    wins, skills = task_wins(values), task_skills(errors)
    rates = ratio(*wins)
    order = np.argsort(-np.nan_to_num(rates, nan=-1), kind="stable")
    lines = []
    for place, method in enumerate(order, 1):
        rate = with_interval(rates[method], [ratio(wins[0][method, draw], wins[1][method, draw]) for draw in draws])
        skill = with_interval(mean(skills[method]), [mean(skills[method, draw]) for draw in draws])
        tasks = int(np.isfinite(values[method]).sum())
        lines.append([str(place), escape(label(str(errors.index[method]))), rate, skill, str(tasks)])
    return table(HEADERS, lines, left=[1])


def task_wins(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per method and task, how many others it beats, ties half, and how many there are: two arrays [M, tasks]."""
    beaten = (values[:, None] < values[None]) + 0.5 * (values[:, None] == values[None])
    there = np.isfinite(values)
    present = there[:, None] & there[None] & ~np.eye(len(values), dtype=bool)[:, :, None]
    return (beaten * present).sum(axis=1), present.sum(axis=1)


def task_skills(errors: pd.DataFrame) -> np.ndarray:
    """Per method and task, percent of the baseline's error saved: [M, tasks]; NaN without a result or a baseline."""
    reference = np.full(len(errors.columns), np.nan)
    for name in reversed(BASELINES):
        if name in errors.index:
            reference = np.where(errors.loc[name].notna(), errors.loc[name], reference)
    skills: np.ndarray = 100 * (1 - errors.to_numpy() / reference)
    return skills


def ratio(won: np.ndarray, played: np.ndarray) -> np.ndarray:
    """Percent won over the last axis; NaN where nothing was played."""
    total = played.sum(axis=-1)
    return np.where(total > 0, 100 * won.sum(axis=-1) / np.maximum(total, 1), np.nan)


def mean(values: np.ndarray) -> float:
    """The mean of what is there; NaN of nothing."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float("nan")


def with_interval(value: float, drawn: list[float] | list[np.ndarray]) -> str:
    """A figure with the middle 95 % of its draws."""
    found = np.array([float(one) for one in drawn])
    found = found[np.isfinite(found)]
    if not np.isfinite(value) or not len(found):
        return NOTHING
    low, high = np.percentile(found, [2.5, 97.5])
    return f"{decimals(float(value), 0)} ({decimals(low, 0)} to {decimals(high, 0)})"

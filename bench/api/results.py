"""Runs to look at in Python: as a DataFrame, as a ranking, as a figure, in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.schema.record import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = ("task", "rank", "method", "backend", "test_mse", "fit_seconds", "parameters")  # of a notebook's table
SHOWN = 20  # rows of it
TALLEST = 40  # methods in a figure


class Results(Sequence[Run]):
    """Finished runs: a sequence of records."""

    def __init__(self, runs: Sequence[Run], problems: Sequence[str] = ()) -> None:
        self.runs, self.problems = tuple(runs), tuple(problems)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # int -> Run, slice -> tuple, as a tuple's
        return self.runs[place]

    def __repr__(self) -> str:
        tasks = ", ".join(sorted({run.spec.task for run in self.runs})) or "no task"
        return f"Results({len(self)} runs on {tasks})"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each run: what it was, how it ended, every metric, and its seconds."""
        import pandas as pd

        from bench.analysis.times import seconds_of

        rows = [
            {
                "key": run.key,
                "task": run.spec.task,
                "method": run.spec.method,
                "backend": run.spec.backend,
                "seed": run.spec.seed,
                "changed": ", ".join(run.spec.differences()),
                "quick": run.spec.quick,
                "status": run.status,
                "reason": run.reason,
                **(run.metrics or {}),
                "fit_seconds": seconds_of(run, "fit") if run.seconds else None,
                "total_seconds": (run.seconds or {}).get("total"),
                "timing_valid": run.timing_valid,
                "parameters": run.parameters,
            }
            for run in self.runs
        ]
        return pd.DataFrame(rows)

    def rank(self) -> pd.DataFrame:
        """Return one row for each task, method, backend and changed settings, ranked: see bench.analysis.ranking."""
        from bench.analysis import ranking

        return ranking.rank(self.runs)

    def plot(self) -> Figure:
        """Draw the test MSE of every method, the best on top, one panel for each task."""
        from matplotlib.figure import Figure

        ok = self.to_pandas()
        ok = ok[ok["status"] == "ok"] if len(ok) else ok
        tasks = list(dict.fromkeys(ok["task"])) if len(ok) else []
        figure = Figure(figsize=(7, 1 + 0.3 * min(len(ok), TALLEST)), layout="constrained")
        for axes, task in zip(figure.subplots(max(len(tasks), 1), 1, squeeze=False)[:, 0], tasks, strict=False):
            rows = ok[ok["task"] == task].assign(name=lambda rows: rows["method"] + ", " + rows["backend"])
            means = rows.groupby("name")["test_mse"].mean().sort_values(ascending=False).tail(TALLEST)
            axes.plot(means.to_numpy(), range(len(means)), "o")
            axes.set_yticks(range(len(means)), list(means.index))
            axes.set(title=task, xlabel="test MSE")
        return figure

    def _repr_html_(self) -> str:
        if not len(self):
            return f"<p>{self!r}</p>"
        table = self.rank()
        shown = table[[name for name in COLUMNS if name in table]].head(SHOWN)
        html: str = shown.to_html(index=False, escape=True, float_format=lambda value: f"{value:.4g}")
        return html


def load_results(folder: str | Path) -> Results:
    """Read a folder of records, or s3://bucket/prefix. Raises UsageError where there is none."""
    from bench.records import repository, stores

    return Results(*repository.read(stores.check_there(stores.place(str(folder)))))


def published() -> Results:
    """Return the runs that come with the benchmark."""
    from bench.records import published as installed

    return Results(installed.read())


def rank(runs: Sequence[Run]) -> pd.DataFrame:
    """Rank runs: one row for each task, method, backend and changed settings, see bench.analysis.ranking."""
    return Results(runs).rank()


def compare(first: str, second: str, runs: Sequence[Run] | None = None, task: str | None = None) -> pd.DataFrame:
    """Compare two rows, METHOD:BACKEND, of these runs (of the published ones, unless given): what differs beyond noise.

    Raises UsageError for rows that do not exist.
    """
    import pandas as pd

    from bench.analysis import comparison

    return pd.DataFrame(comparison.compare_rows(published() if runs is None else runs, first, second, task))


def leaderboard(runs: Sequence[Run] | None = None) -> str:
    """Return the leaderboard of these runs (of the published ones, unless given) as Markdown."""
    from bench.reporting import leaderboard as boards

    return boards.render(published() if runs is None else runs)

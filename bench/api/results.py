"""Runs to look at in Python: as a DataFrame, as a ranking, as a figure, in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from bench.schema.record import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PLACES = ["place", "rank_low", "rank_high"]  # of a method among those of its task
COLUMNS = ("task", *PLACES, "method", "backend", "test_mse", "fit_seconds", "parameters")  # of a notebook's table
SHOWN = 20  # rows of it


class Results(Sequence[Run]):
    """Finished runs: a sequence of records."""

    def __init__(self, runs: Sequence[Run], problems: Sequence[str] = ()) -> None:
        self.runs, self.problems = tuple(runs), tuple(problems)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    @overload
    def __getitem__(self, place: int) -> Run: ...

    @overload
    def __getitem__(self, place: slice) -> Results: ...

    def __getitem__(self, place: int | slice) -> Run | Results:
        return Results(self.runs[place], self.problems) if isinstance(place, slice) else self.runs[place]

    def __repr__(self) -> str:
        tasks = ", ".join(sorted({run.spec.task for run in self.runs})) or "no task"
        unfinished = sum(run.status != "ok" for run in self.runs)
        notes = f", {unfinished} not finished" if unfinished else ""
        notes += f", {len(self.problems)} invalid files" if self.problems else ""
        return f"Results({len(self)} run{'s' * (len(self) != 1)} on {tasks}{notes})"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each run: what it was, how it ended, every metric, and its seconds."""
        import pandas as pd

        from bench.analysis.times import seconds_of
        from bench.tasks.main_metric import ranked_by

        mains = ranked_by(self.runs)
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
                "ranked_by": mains[run.spec.task].test,
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
        """Return one row for each task, method, backend and changed settings, the best first.

        `place` is that of the method over its backends, `rank_low` to `rank_high` the ranks that are possible; the
        other columns are those of bench.analysis.ranking. `test_mse` and `last_step_mse` hold the metric that ranks the
        task, where that is another: the MASE on tasks of competitions.
        """
        from bench.analysis import ranking
        from bench.analysis.table import BOARD, METHOD

        rows, keys = ranking.rank(self.runs), [*BOARD, *METHOD]
        if not len(rows):
            return rows
        ranked: pd.DataFrame = rows.merge(ranking.by_method(rows)[[*keys, *PLACES]], on=keys, how="left")
        ranked = ranked[[*PLACES, *(name for name in ranked if name not in PLACES)]]
        return ranked.sort_values([*BOARD, "place", "test_mse"], kind="stable", ignore_index=True)

    def plot(self) -> Figure:
        """Draw the test error of every method, the best on top, one panel for each task; a notebook shows the figure.

        Raises UsageError where no run has finished.
        """
        from bench.api.figure import draw

        return draw(self.to_pandas())

    def _repr_html_(self) -> str:
        import html

        from bench.tasks.main_metric import by_mse

        finished = [run for run in self.runs if run.metrics]
        title = f"<p>{html.escape(repr(self))}</p>"
        if not finished:
            return title
        table = Results(finished).rank()
        shown = table[[name for name in COLUMNS if name in table]].head(SHOWN)
        if not all(map(by_mse, table["ranked_by"])):
            shown = shown.rename(columns={"test_mse": "test error"})
        rows: str = shown.to_html(index=False, escape=True, float_format=lambda value: f"{value:.4g}")
        more = f"<p>{len(table) - SHOWN} rows more: <code>.rank()</code> has all</p>" if len(table) > SHOWN else ""
        return f"{title}{rows}{more}"


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

"""Run methods from Python: on the benchmark's tasks or on a DataFrame, in the same worker processes as `bench run`."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.api.results import Results
from bench.api.user_classes import references

if TYPE_CHECKING:
    import pandas as pd

    from bench.campaigns.run import Finished, Plan
    from bench.execution.jobs import Job
    from bench.execution.limits import Limits

Value = TypeVar("Value")
FILE = "data.parquet"  # what a DataFrame is written to for the workers


def run(
    methods: str | type | Sequence[str | type] = (),
    data: pd.DataFrame | str | Path | None = None,
    *,
    tasks: str | Sequence[str] = (),
    backends: str | Sequence[str] = (),
    seeds: int | Iterable[int] = (42,),
    epochs: int | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    select: str = "last",
    quick: bool = False,
    results: str | Path | None = None,
    limits: Limits | None = None,
    progress: bool = True,
    **series: Any,
) -> Results:
    """Run methods and return their records; what is recorded in `results` already is not run again.

    methods: names, patterns or classes with fit and predict_ahead; none: each task's set.
    data: a DataFrame or a file; its columns are named as on the command line (target=, time=, group=, history=,
    ahead=, ...). Without data, the benchmark's tasks run.
    settings: method -> setting -> value. results: a folder to keep records in; none: they are not kept.
    select: last, or validation: networks keep the weights of their best epoch on the validation part.
    Raises UsageError for anything that does not exist, KeyboardInterrupt when it is interrupted.
    """
    from bench.campaigns import run as campaigns
    from bench.campaigns.request import Selection, seeds_in
    from bench.campaigns.settings import typed
    from bench.execution import limits as defaults
    from bench.execution import user_methods
    from bench.records import stores

    with tempfile.TemporaryDirectory(prefix="aheadbench-") as made, file_of(data, Path(made)) as file:
        names, outsiders = user_methods.register(references(several(methods), Path(made)))
        changes = {
            method: {name: typed(method, name, value) for name, value in values.items()}
            for method, values in (settings or {}).items()
        }
        selection = Selection(
            methods=tuple(names),
            tasks=several(tasks),
            backends=several(backends),
            seeds=seeds_in([seeds] if isinstance(seeds, int) else seeds),
            epochs=epochs,
            settings=changes,
            select=select,
            quick=quick,
            series=preparation(file, series),
            sources=outsiders.sources,
            files={**outsiders.files, **({"series": str(file)} if file else {})},
        )
        folder = stores.place(str(results)) if results is not None else Path(made) / "results"
        plan = campaigns.make([selection], folder)
        with reporting(plan, progress) as on_finished:
            allowed = limits or defaults.Limits(defaults.check_workers(None), 1800.0)
            outcome = campaigns.run(plan, allowed, folder, on_finished)
        if outcome.signal == signal.SIGINT:
            raise KeyboardInterrupt(f"{outcome.kept} of {outcome.jobs} runs were finished; results=FOLDER keeps them")
        return finished(plan, folder)


def several(given: Value | Sequence[Value]) -> tuple[Value, ...]:
    """Return the values given; one may be given alone."""
    return (given,) if isinstance(given, str | type) else tuple(given)  # type: ignore[arg-type]


def finished(plan: Plan, folder: Any) -> Results:
    """Return the records of a plan, those made now and before."""
    from bench.records import repository

    found = []
    for name in sorted(plan.names):
        with contextlib.suppress(OSError, ValueError):
            found.append(repository.load(folder, name))
    return Results(found, plan.problems)


def preparation(file: Path | None, given: Mapping[str, Any]) -> Any:
    """Return how the file's series are read; None without one. Raises UsageError for options that do not exist."""
    from bench.data.preparations import preparation_of
    from bench.errors import UsageError, unknown
    from bench.schema.series import Preparation

    allowed = [name for name in Preparation.__struct_fields__ if name != "file"]
    for name in given:
        if name not in allowed:
            raise unknown("option", name, allowed)
    if file is None:
        if given:
            raise UsageError(f"{next(iter(given))}: needed together with data")
        return None
    lists = {name: [given[name]] for name in ("target", "time", "group") if isinstance(given.get(name), str)}
    return preparation_of(file, {**given, **lists})


@contextlib.contextmanager
def file_of(data: pd.DataFrame | str | Path | None, folder: Path) -> Iterator[Path | None]:
    """Yield the file of some data: a DataFrame is written to the folder, its index as a column where it has times."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        yield Path(data) if data is not None else None
        return
    indexed = data.index.name is not None or isinstance(data.index, pd.DatetimeIndex | pd.PeriodIndex)
    table = data.rename_axis(index=str(data.index.name or "time")).reset_index() if indexed else data
    path = folder / FILE
    table.to_parquet(path, index=False)
    yield path


@contextlib.contextmanager
def reporting(plan: Plan, shown: bool) -> Iterator[Finished]:
    """Yield what to call with each finished run; a bar is shown, in a terminal and in Jupyter."""
    with bar_of(len(plan.jobs), shown) as bar:

        def on_finished(job: Job, *_: object) -> None:
            bar.set_postfix_str(job.spec.method, refresh=False)
            bar.update()

        yield on_finished


def bar_of(total: int, shown: bool) -> Any:
    """Return a bar in text, which needs no widgets: it is gone when all is done."""
    from tqdm import tqdm

    return tqdm(total=total, unit="run", disable=not shown or not total, leave=False)

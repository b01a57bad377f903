"""Forecast a DataFrame, and race the methods on it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.run import bar_of, file_of, preparation, several
from bench.api.user_classes import left_as_it_is, references

if TYPE_CHECKING:
    import pandas as pd


def forecast(
    data: pd.DataFrame | str | Path,
    method: str | type = "auto_ets",
    *,
    backend: str | None = None,
    seed: int = 42,
    epochs: int | None = None,
    levels: Sequence[float] = (90.0,),
    non_negative: bool = False,
    **series: Any,
) -> pd.DataFrame:
    """Forecast what comes after the end of each series: the forecast and its bounds at each level, in percent.

    series: how the data are read, as in `run`: target=, time=, group=, history=, ahead=, season=, ...
    Raises UsageError for data and options that cannot be used.
    """
    import pandas as pd

    from bench.forecasting import forecast as forecasting

    temporary = tempfile.TemporaryDirectory(prefix="aheadbench-")
    with temporary as made, file_of(data, Path(made)) as file, left_as_it_is(method):
        assert file is not None
        (name,) = references([method], Path(made))
        choice = forecasting.Choice(name, backend, seed, epochs, (), tuple(levels), non_negative)
        output = Path(made) / "forecast.csv"
        forecasting.make(file, preparation(file, series), series.get("history") is None, choice, output, None)
        table = pd.read_csv(output)
    name = str(series.get("time") if series.get("time") in table else "time")
    if name in table and has_dates(data, series.get("time")):
        table[name] = pd.to_datetime(table[name])
    return table


def has_dates(data: pd.DataFrame | str | Path, time: str | None) -> bool:
    """Return whether the times of some data are dates, in its index or in the column of this name."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return False
    times = data.get(time, data.index)
    return isinstance(times, pd.DatetimeIndex) or pd.api.types.is_datetime64_any_dtype(times)


def recommend(
    data: pd.DataFrame | str | Path,
    methods: str | type | Sequence[str | type] = (),
    *,
    backend: str | None = None,
    budget: float = 120.0,
    progress: bool = True,
    **series: Any,
) -> pd.DataFrame:
    """Race the methods on the data for `budget` seconds: one row for each that finished, the best first.

    Columns: method, backend, mase (over rolling origins), ratio (upper end of the 95 % interval of its error over the
    best), seconds, test_mase, test_mae and recommended. Raises UsageError, and KeyboardInterrupt.
    """
    import pandas as pd

    from bench.execution.coordination import Stopped
    from bench.forecasting import race
    from bench.forecasting import recommend as recommending

    deadline = time.monotonic() + budget
    with tempfile.TemporaryDirectory(prefix="aheadbench-") as made, file_of(data, Path(made)) as file:
        assert file is not None
        how, fitted = preparation(file, series), series.get("history") is None
        asked = [backend] if backend else []
        entry = recommending.enter(file, how, fitted, asked, references(several(methods), Path(made)))
        raced = race.run(entry.entrants, list(entry.found.series), entry.how, entry.planned, deadline)
        results = []
        try:
            with bar_of(len(entry.entrants), progress) as bar:
                for result in raced:
                    results.append(result)
                    bar.update()
        except Stopped as stop:
            raise KeyboardInterrupt(f"{stop}: {len(results)} methods were finished") from None
    standings, blocks = recommending.standings(results)
    chosen = recommending.advise(standings, blocks).choice if standings else None
    return pd.DataFrame(recommending.rows_of(standings, chosen))

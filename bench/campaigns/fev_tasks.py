"""Tasks of fev (Shchur et al. 2025, arXiv 2509.26468) as they are: their YAML, and Parquet with a series in each row.

The last H steps of each series, or several such windows, are forecast from all before them, and MASE is the mean over
series and channels. What a task asks for beyond that is refused in one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench.data import splits
from bench.data.series import read_series
from bench.errors import UsageError, unknown
from bench.schema.series import Preparation
from bench.tasks import ON_SERIES, Task
from bench.tasks.main_metric import with_own_metric
from bench.toml import explained

SUFFIXES = (".yaml", ".yml")
METRICS = {"MASE": "mase", "WAPE": "wape", "SMAPE": "smape", "RMSE": "rmse", "MAE": "mae"}
RATIOS = ("WAPE", "RMSE")  # of one window and column: theirs are means over several, ours count all values together
ALL_COLUMNS = "__ALL__"


class FevTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of a task, by the names that fev's versions give them."""

    dataset_path: str
    dataset_config: str | None = None
    horizon: int = 1
    num_windows: int = 1
    cutoff: int | str | None = None
    initial_cutoff: int | str | None = None
    window_step_size: int | str | None = None
    seasonality: int = 1
    eval_metric: str = "MASE"
    extra_metrics: list[Any] = []
    quantile_levels: list[float] = []
    id_column: str = "id"
    timestamp_column: str = "timestamp"
    target: str | list[str] | None = None
    target_column: str | list[str] | None = None
    generate_univariate_targets_from: str | list[str] | None = None
    multiple_target_columns: str | list[str] | None = None
    min_context_length: int | None = None
    min_ts_length: int | None = None
    max_context_length: int | None = None
    static_columns: list[str] = []
    known_dynamic_columns: list[str] = []
    past_dynamic_columns: list[str] = []
    excluded_columns: list[str] = []
    task_name: str | None = None
    lead_time: int = 1

    def targets(self) -> tuple[str, ...]:
        """Return the columns to forecast: several are channels, whose errors are averaged like those of series."""
        several = self.generate_univariate_targets_from or self.multiple_target_columns
        found = several or self.target or self.target_column or "target"
        return ("*",) if found == ALL_COLUMNS else (found,) if isinstance(found, str) else tuple(found)


def open_tasks(path: Path, content: bytes) -> list[tuple[Task, str]]:
    """Return the tasks of a YAML file and where their Parquet lies. Raises UsageError for what cannot be read so."""
    try:
        import yaml
    except ImportError:
        raise UsageError(f"{path.name}: tasks of fev: pip install 'aheadbench[tasks]'") from None
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name}: {' '.join(str(error).split())}") from None
    listed = found.get("tasks", [found]) if isinstance(found, dict) else found
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise UsageError(f"{path.name}: a task of fev is a mapping, and several are a list under `tasks`")
    return [task_of(path, number, fields) for number, fields in enumerate(listed, 1)]


def task_of(path: Path, number: int, fields: Mapping[str, Any]) -> tuple[Task, str]:
    """Return one task and where its Parquet lies."""
    where = f"{path.name}, task {number}"
    try:
        for name in fields:
            if name not in FevTask.__struct_fields__:
                raise unknown("key", str(name), FevTask.__struct_fields__)
        asked = msgspec.convert(fields, FevTask)
        check(asked)
        place = place_of(path.parent, asked)
        how = preparation(asked, place)
    except msgspec.ValidationError as error:
        keys, message = explained(error, fields)
        raise UsageError(f"{where}: {': '.join([*keys, message])}") from None
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    name = re.sub(r"[^\w.-]+", "_", asked.task_name or asked.dataset_config or place.stem, flags=re.ASCII)
    metrics = (f"original_test_{METRICS[asked.eval_metric]}",)
    return with_own_metric(Task.of_series(how, name=f"fev-{name}", metrics=metrics, **ON_SERIES)), str(place)


def check(asked: FevTask) -> None:
    """Raise UsageError for what is asked beyond forecasting the ends of series."""
    if asked.eval_metric not in METRICS:
        raise unknown("eval_metric", asked.eval_metric, METRICS)
    several = asked.num_windows > 1 or isinstance(asked.target or asked.target_column, list)
    if asked.eval_metric in RATIOS and several:
        raise UsageError(
            f"eval_metric: got {asked.eval_metric} of several windows or columns, needed MASE, SMAPE or MAE"
        )
    if min(asked.horizon, asked.num_windows, asked.seasonality) < 1:
        raise UsageError("horizon, num_windows and seasonality: at least 1 is needed")
    if asked.window_step_size not in (None, asked.horizon):
        raise UsageError(f"window_step_size: got {asked.window_step_size}, needed the horizon, {asked.horizon}")
    cutoff = asked.cutoff if asked.cutoff is not None else asked.initial_cutoff
    if cutoff not in (None, first := -asked.horizon * asked.num_windows):
        raise UsageError(f"cutoff: got {cutoff}, needed {first}: the windows at the end of each series")
    if asked.max_context_length is not None:
        raise UsageError("max_context_length: methods here see all of a series: leave it out")


def place_of(folder: Path, asked: FevTask) -> Path:
    """Return the Parquet of a task: a file next to the YAML, or in a folder laid out as on Hugging Face."""
    config = asked.dataset_config or ""
    named = folder / asked.dataset_path
    for base in (named, folder / Path(asked.dataset_path).name, folder):
        if base.is_file():
            return base
        several = sorted((base / config).glob("*.parquet")) if config else []
        if found := next(filter(Path.is_file, (base / f"{config}.parquet", *several)), None):
            return found
    raise UsageError(f"dataset_path: there is no {asked.dataset_path} next to it, nor {config or 'NAME'}.parquet")


def preparation(asked: FevTask, place: Path) -> Preparation:
    """Return how a task's file is read and cut; networks see as many steps as the shortest series allow."""
    season = asked.seasonality if asked.seasonality > 1 else None
    ends: dict[str, Any] = {"origin": "end"} if asked.num_windows == 1 else {"cutoffs": asked.num_windows}
    how = Preparation(
        file=place.name,
        target=asked.targets(),
        time=asked.timestamp_column,
        group=asked.id_column,
        ahead=asked.horizon,
        season=season,
        deseasonalise=False if season else msgspec.UNSET,
        whole_history=True,
        **ends,
    )
    found = read_series(place, how)
    scored = asked.horizon * asked.num_windows
    known = max(asked.min_context_length or 1, (asked.min_ts_length or 0) - scored)
    if short := [one.name for one in found.series if 0 < len(one.values) - scored < known]:
        counted = f"{len(short)} of {len(found.series)} series have fewer than {known} steps before the forecast"
        raise UsageError(f"min_context_length: {counted}, as {short[0]!r}: leave them out of {place.name}")
    return splits.with_fitting_history(found, how)

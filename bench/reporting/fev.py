"""Records as fev's result CSV: one row for each task and method, as fev's own tables read them since its version 0.6.

The columns are those of a task, then those of `evaluation_summary` (github.com/autogluon/fev, src/fev/task.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from bench.schema.record import Run

VERSION = "0.6.0"  # of fev, whose columns these are: it refuses a table that names none
MEASURES = {"MASE": "mase", "WAPE": "wape", "SMAPE": "smape", "RMSE": "rmse", "MAE": "mae"}
COLUMNS = (
    "model_name", "dataset_path", "dataset_config", "horizon", "num_windows", "initial_cutoff", "window_step_size",
    "min_context_length", "max_context_length", "seasonality", "eval_metric", "extra_metrics", "quantile_levels",
    "id_column", "timestamp_column", "target", "generate_univariate_targets_from", "known_dynamic_columns",
    "past_dynamic_columns", "static_columns", "task_name", "test_error", "training_time_s", "inference_time_s",
    "num_forecasts", "dataset_fingerprint", "trained_on_this_dataset", "fev_version", *MEASURES,
)  # fmt: skip
PERCENT = ("WAPE", "SMAPE")  # fev's are shares: of 1, and of 2
EMPTY: list[str] = []  # fev reads lists as Python writes them


def as_csv(runs: Iterable[Run]) -> str:
    """Return the runs that forecast the ends of series, one line each."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows(runs))
    return text.getvalue()


def rows(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    """Yield a row for each run with an error that fev has."""
    for run in runs:
        series, spec = run.spec.series, run.spec
        if not series or not series.at_origins or not run.metrics or "original_test_mase" not in run.metrics:
            continue
        windows = series.cutoffs or 1
        name = "-".join([spec.method, *spec.differences(), *([f"seed{spec.seed}"] if spec.seed != 42 else [])])
        yield {
            "model_name": name if spec.backend == "numpy" else f"{name}-{spec.backend}",
            "dataset_path": series.file,
            "dataset_config": spec.task,
            "horizon": series.ahead,
            "num_windows": windows,
            "initial_cutoff": -series.ahead * windows,
            "window_step_size": series.ahead,
            "min_context_length": 1,
            "seasonality": series.naive_season,
            "eval_metric": "MASE",
            "extra_metrics": [one for one in MEASURES if one != "MASE"],
            "quantile_levels": EMPTY,
            "id_column": ",".join(series.groups) or "id",
            "timestamp_column": ",".join(series.times) or "timestamp",
            "target": ",".join(series.target) or "target",
            "known_dynamic_columns": EMPTY,
            "past_dynamic_columns": EMPTY,
            "static_columns": EMPTY,
            "task_name": spec.task,
            "test_error": run.metrics["original_test_mase"],
            "training_time_s": (run.seconds or {}).get("fit"),
            "inference_time_s": (run.seconds or {}).get("predict"),
            "dataset_fingerprint": spec.data_sha256[:16],
            "trained_on_this_dataset": spec.backend != "numpy",
            "fev_version": VERSION,
            **measures(run.metrics),
        }


def measures(metrics: dict[str, float]) -> dict[str, float | None]:
    """Return the errors as fev counts them. Its RMSSE, the root of a mean over all series, is not ours."""
    found = {name: metrics.get(f"original_test_{ours}") for name, ours in MEASURES.items()}
    return {name: value / 100 if name in PERCENT and value is not None else value for name, value in found.items()}

"""Records as fev's result CSV: one row for each task and method, as fev's own tables read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from bench.schema.record import Run

MEASURES = {"MASE": "mase", "RMSSE": "rmsse", "WAPE": "wape", "SMAPE": "smape", "RMSE": "rmse", "MAE": "mae"}
COLUMNS = (
    "model_name", "dataset_name", "dataset_path", "dataset_config", "horizon", "cutoff", "lead_time", "min_ts_length",
    "max_context_length", "seasonality", "eval_metric", "extra_metrics", "quantile_levels", "id_column",
    "timestamp_column", "target_column", "multiple_target_columns", "past_dynamic_columns", "excluded_columns",
    "test_error", "training_time_s", "inference_time_s", "dataset_fingerprint", "trained_on_this_dataset",
    "fev_version", *MEASURES,
)  # fmt: skip
PERCENT = ("WAPE", "SMAPE")  # fev's are shares: of 1, and of 2


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
        found = {name: run.metrics.get(f"original_test_{ours}") for name, ours in MEASURES.items()}
        shares = {
            name: value / 100 if name in PERCENT and value is not None else value for name, value in found.items()
        }
        name = "-".join([spec.method, *spec.differences(), *([f"seed{spec.seed}"] if spec.seed != 42 else [])])
        yield {
            "model_name": name if spec.backend == "numpy" else f"{name}-{spec.backend}",
            "dataset_name": spec.task,
            "dataset_path": series.file,
            "dataset_config": spec.task,
            "horizon": series.ahead,
            "cutoff": -series.ahead * windows,
            "lead_time": 1,
            "seasonality": series.naive_season,
            "eval_metric": "MASE",
            "extra_metrics": [],
            "id_column": ",".join(series.groups),
            "timestamp_column": ",".join(series.times),
            "target_column": ",".join(series.target),
            "past_dynamic_columns": [],
            "excluded_columns": [],
            "test_error": run.metrics["original_test_mase"],
            "training_time_s": (run.seconds or {}).get("fit"),
            "inference_time_s": (run.seconds or {}).get("predict"),
            "dataset_fingerprint": spec.data_sha256[:16],
            "trained_on_this_dataset": True,
            **shares,
        }

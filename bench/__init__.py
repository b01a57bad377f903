"""aheadbench: which sequence model forecasts the next H values of a short noisy series best, and at what cost?

    import bench

    results = bench.run(methods=["gru", "last_value"], tasks=["ten-step"], backends=["torch"])
    results.to_pandas(), results.plot()
    bench.forecast(df, "theta", target="units", time="date", ahead=12)

Importing this imports nothing else: each name is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.3.0"

#: where each public name is
_PLACES = {
    "run": "api.run",
    "Results": "api.results",
    "load_results": "api.results",
    "published": "api.results",
    "rank": "api.results",
    "compare": "api.results",
    "leaderboard": "api.results",
    "forecast": "api.series",
    "recommend": "api.series",
    "TASKS": "tasks",
    "Task": "tasks",
    "METRICS": "metrics",
    "Spec": "schema.record",
    "Run": "schema.record",
    "Limits": "execution.limits",
    "UsageError": "errors",
}

__all__ = [
    "METRICS", "TASKS", "Limits", "Results", "Run", "Spec", "Task", "UsageError", "compare", "forecast", "leaderboard",
    "load_results", "published", "rank", "recommend", "run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

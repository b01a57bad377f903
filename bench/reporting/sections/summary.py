"""One row per competitor of a task, and what is special about them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bench.analysis.advice import Classical
from bench.analysis.table import each
from bench.reporting.columns import SUMMARY, cells, columns_of, row_label
from bench.reporting.markdown import escape, table
from bench.tasks import BEYOND, WITHOUT_NETWORK
from bench.text import digits


def summary(methods: pd.DataFrame) -> str:
    """Set one row per competitor of one board, by place."""
    columns = columns_of(methods, SUMMARY)
    left = [place for place, column in enumerate(columns) if column.left]
    return table([column.label for column in columns], [cells(columns, row) for row in each(methods)], left=left)


def times_of(methods: pd.DataFrame) -> str:
    """Say which backend the times and the parameters of a table are of."""
    used = methods.loc[methods["backend"] != "numpy", "backend"].unique()
    apart = " for methods without a network" if len(used) else ""
    names = [escape(name) for name in used]
    numpy = [f"numpy{apart}"] if (methods["backend"] == "numpy").any() else []
    return f"Times are those in {', '.join([*names, *numpy])}."


def tested_on(methods: pd.DataFrame) -> str:
    """Say on how many generated series a board's rows were tested; empty for series of a file."""
    sizes = sorted(set(methods["test_series"]) - {0})
    if not sizes:
        return ""
    most = f"The methods on {escape(methods['task'].iloc[0])} were tested on {sizes[-1]:,} series"
    fewer = [
        f"on the first {size:,} alone: "
        + ", ".join(f"`{escape(row_label(row))}`" for row in each(methods[methods["test_series"] == size]))
        for size in sizes[:-1]
    ]
    again = " (`--force-stale` runs them again)" if fewer else ""
    return f"{'; '.join([most, *fewer])}{again}."


def beyond(methods: Iterable[str]) -> str:
    """Say which rows go beyond the reference; empty where none does."""
    kinds = {
        "Networks that the reference does not have, or training that it does not do": BEYOND,
        "Methods without a network that the reference does not have": WITHOUT_NETWORK,
    }
    named = set(methods)
    found = {words: [f"`{name}`" for name in kind if name in named] for words, kind in kinds.items()}
    return "\n\n".join(f"{words}:\n{', '.join(names)}." for words, names in found.items() if names)


def beside_classical(found: Classical | None) -> str:
    """Say which networks beat the best classical method, by the ranking's tests; empty without either kind."""
    if found is None:
        return ""
    others = ", ".join(f"`{escape(name)}`" for name in found.names if name != found.best)
    of = f"the best method without a network (others: {others})" if others else "the only method without a network"
    best = f"`{escape(found.best)}` ({digits(found.error)}), {of}"
    if not found.better and not found.worse:
        return f"No network differs significantly from {best}."
    groups = (("better", found.better), ("no significant difference", found.undecided), ("worse", found.worse))
    lines = [f"- {word}: {', '.join(f'`{escape(name)}`' for name in names)}" for word, names in groups if names]
    return "\n".join([f"Networks against {best}, by the tests that rank:", "", *lines])

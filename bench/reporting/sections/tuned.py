"""Each network at the learning rate that a search chose for it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench.analysis import tuning
from bench.analysis.table import each
from bench.reporting.columns import rank_text, with_interval
from bench.reporting.markdown import escape, folded, table
from bench.reporting.text import prose
from bench.text import NOTHING, digits

GAIN = 1.1  # from which ratio of errors on a learning rate counts as better in words
WIDTH = 120  # characters of a line of text


def tuned(rows: pd.DataFrame) -> list[str]:
    """Return the section on searched learning rates and each network's error at its rate; empty without a search."""
    if rows.empty:
        return []
    rates = sorted(set().union(*rows["errors"]))
    explained = textwrap.fill(prose("tuned").format(tried=_searched_points(rows, rates)), WIDTH)
    tried = rows[rows["errors"].astype(bool)]
    searched = table(
        ["method", "backend", *(f"{rate:g}" for rate in rates)],
        [[escape(row.method), escape(row.backend), *_searched(row.errors)] for row in each(tried)],
        left=[0, 1],
    )
    headers = ["rank", "method", "backend", "rate", "test MSE", "default rate", "test MSE then", "place then", "seeds"]
    found = folded("The search: last-step MSE on the series split off, by learning rate (smallest in bold)", searched)
    lines = [_tuned_row(row, rates) for row in each(rows)]
    apart = "Errors at default and at searched rates are of different test series here: ignore differences under 5 %."
    return [
        explained,
        *([apart] if rows["tested_apart"].any() else []),
        what_changes(rows),
        table(headers, lines, left=[1, 2]),
        found,
    ]


def _searched_points(rows: pd.DataFrame, rates: Sequence[float]) -> str:
    """Say what the search tried."""
    found = [one for one in rows["found"] if one is not None]
    fewest = min(one.seeds for one in found)
    others = ", other settings where the method names some," if any(one.more for one in found) else ""
    seeds = "with one seed, so another may choose others" if fewest == 1 else f"with at least {fewest} seeds each"
    return f"learning rates of {_listed([f'{rate:g}' for rate in rates])}{others} {seeds}"


def _tuned_row(row: Any, rates: Sequence[float]) -> list[str]:
    if not row.errors:  # no learning rate
        rate = own_rate = NOTHING
    else:
        rate = f"{row.rate:g}" + ("*" if row.rate in (rates[0], rates[-1]) else "")
        others = [escape(f"{name}={value}") for name, value in sorted(row.found.changes.items()) if name != tuning.RATE]
        rate = ", ".join([rate, *others])
        own_rate = f"{row.own_rate:g}"
    return [
        rank_text(row), escape(row.method), escape(row.backend), rate, with_interval(row.tuned, row.low, row.high),
        own_rate, digits(row.own), str(row.own_place), str(row.seeds),
    ]  # fmt: skip


def _searched(errors: Mapping[float, float]) -> list[str]:
    """Return a row of the search: its smallest error in bold."""
    least = min(error for error in errors.values() if math.isfinite(error))
    shown = [digits(errors[rate]) if math.isfinite(errors[rate]) else "diverged" for rate in sorted(errors)]
    return [f"**{text}**" if errors[rate] == least else text for rate, text in zip(sorted(errors), shown, strict=True)]


def what_changes(rows: pd.DataFrame) -> str:
    """In words, what the searched rates do to the errors and the ranking."""
    networks = rows[rows["errors"].astype(bool)]
    gains = networks.assign(gain=networks["own"] / networks["tuned"])
    better, worse = gains[gains["gain"] > GAIN], gains[gains["gain"] < 1 / GAIN]
    (first, *_), (before, *_) = each(networks), each(networks.sort_values("own", kind="stable"))
    lines = [
        f"{len(better)} of {len(networks)} rows get better by more than a tenth, {len(worse)} worse.",
        f"Best among the networks: {_named(first)} with {digits(first.tuned)}, place {first.place};",
        f"at their default rates {_named(before)} with {digits(before.own)}, now place {before.place}.",
    ]
    most = gains.sort_values("gain", ascending=False, kind="stable").head(3)
    moved = [
        f"{_named(row)} from {digits(row.own)} to {digits(row.tuned)}, place {row.own_place} to {row.place}"
        for row in each(most[most["gain"] > GAIN])
    ]
    return textwrap.fill(" ".join([*lines, *([f"Most gained: {'; '.join(moved)}."] if moved else [])]), WIDTH)


def _named(row: Any) -> str:
    return f"`{row.method}` in {row.backend}"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]

"""What the page shows, as plain values: rows of the board, their seeds, curves, forecasts and commands."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from bench.analysis import anytime, reference
from bench.analysis.table import BOARD, METHOD, changed_in, device_of, each, edited_methods, variant
from bench.data.examples import fits, truth
from bench.data.windows import Windows
from bench.records.bounds import EPOCH
from bench.reporting.assessment import Board, assess
from bench.reporting.columns import COLUMNS, PAGE, Column, named_for
from bench.reporting.commands import command_of
from bench.reporting.html.overall import overview
from bench.schema.record import Run
from bench.tasks import TASKS
from bench.tasks.main_metric import is_forecast, label, word
from bench.text import clean

DIGITS = 5  # significant ones
PAGE_COLUMNS = [column for column in COLUMNS if PAGE in column.where]
CURVES = ("loss", "val_loss", "val_last_step_mse")


def collect(runs: Sequence[Run]) -> dict[str, Any]:
    """Return boards in the order of the tasks, each with its rows, best first, and what it forecasts."""
    board, several = assess(runs), edited_methods(runs)
    by_row: dict[tuple[str, bool, str, str, str], list[Run]] = {}
    for run in board.runs.values():
        by_row.setdefault(row_of(run, several), []).append(run)
    boards: dict[tuple[str, bool], dict[str, Any]] = {}
    for line in each(with_places(board)):
        place, apart = (line.task, line.quick), variant(line.changed, line.native, line.device)
        of_row = sorted(by_row[(*place, line.method, apart, line.backend)], key=lambda run: run.spec.seed)
        if place not in boards:
            # one data set for a board: see ranking.select
            windows = truth(of_row[0]) if is_forecast(str(line.task)) else None
            labels = [named_for(column, line.ranked_by).label for column in PAGE_COLUMNS]
            named = {"labels": labels, "metric": word(line.ranked_by), "error": label(line.ranked_by)}
            boards[place] = {"name": title(*place), "rows": [], "truth": known(windows), "windows": windows, **named}
        boards[place]["rows"].append(row(line, of_row, boards[place]["windows"]))
    for found in boards.values():
        del found["windows"]
    ordered = sorted(boards, key=lambda place: (place[1], place[0] not in TASKS, place[0]))
    listed = [boards[place] for place in ordered]
    table = overview(board, leads(listed))
    names = [one["name"] for one in listed]
    return {
        "columns": ["task", "settings", *(column.name for column in PAGE_COLUMNS)],
        "overall": {"main": names.index(clean(table.task)) if table.task else -1},
        "overview": table,
        "boards": listed,
        "failed": failures(board.tried),
    }


def leads(boards: Sequence[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Return the name of the best default row of each task and method, as board-row."""
    found: dict[tuple[str, str], str] = {}
    for place, board in enumerate(boards):
        for number, row in enumerate(board["rows"]):
            if row["default"]:
                found.setdefault((board["name"], row["name"]), f"{place}-{number}")
    return found


def with_places(board: Board) -> pd.DataFrame:
    """Return every row with the place and the rank interval of its method with these settings."""
    row = [*BOARD, *METHOD]
    places = board.methods[[*row, "place", "rank_low", "rank_high"]]
    return board.ranked.merge(places, on=row, how="left")


def order_of(column: Column, line: Any) -> float | int | str | None:
    """Return what a column of the page sorts by."""
    value = column.value(line)
    return clean(value) if isinstance(value, str) else number(value)


def row_of(run: Run, several: Collection[str]) -> tuple[str, bool, str, str, str]:
    """Return the row of the board that a run is in. several: the user methods that have several versions."""
    spec = run.spec
    apart = variant(changed_in(run, several), spec.native, device_of(spec))
    return spec.task, spec.quick, spec.method, apart, spec.backend


def title(task: str, quick: bool) -> str:
    """Return what a board is called."""
    return clean(f"{task}, quick runs" if quick else task)


def row(line: Any, runs: Sequence[Run], windows: Windows | None) -> dict[str, Any]:
    """Return one row with all that its detail needs; the curve and the forecasts are those of its first seed."""
    ok = [run for run in runs if run.metrics]
    first = ok[0]
    apart = variant(line.changed, line.native, line.device)
    return {
        "method": clean(f"{line.method} ({apart})" if apart else line.method),
        "name": line.method,
        "default": not apart,
        "backend": clean(line.backend),
        "cells": [[column.format(line), order_of(column, line)] for column in PAGE_COLUMNS],
        "error": number(line.test_mse),
        "skill": number(line.skill),
        "fit": number(line.fit_seconds),
        "timed": bool(line.timing_valid),
        "pareto": bool(line.pareto),
        "parameters": number(line.parameters),
        "notes": number(line.notes),
        "seeds": [{"seed": run.spec.seed, "error": number(run.metrics.get(line.ranked_by)), "key": run.key}
                  for run in ok if run.metrics],
        "curve": curve(first),
        "printed": printed(first),
        "steps": numbers(first.mse_by_step or []),
        "forecasts": forecasts(first, windows),
        "command": command_of(runs),
    }  # fmt: skip


def curve(run: Run) -> dict[str, list[float | int | None]]:
    """Return the run's learning curve; its seconds where the errors are of the whole horizon, so that runs compare."""
    names = (*CURVES, EPOCH, *([anytime.TIME] if anytime.reaches_so_far(run) else []))
    return {name: numbers((run.curve or {})[name]) for name in names if name in (run.curve or {})}


def number(value: Any) -> float | int | None:
    """Return a finite number with a few digits; None for any other."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(f"{value:.{DIGITS}g}")


def numbers(values: Sequence[float]) -> list[float | int | None]:
    """Return each of them."""
    return [number(value) for value in values]


def known(windows: Windows | None) -> dict[str, list[Any]] | None:
    """Return the histories and futures of the series that the board's examples are of."""
    if windows is None:
        return None
    return {"history": [numbers(one) for one in windows.history], "future": [numbers(one) for one in windows.future]}


def forecasts(run: Run, windows: Windows | None) -> list[Any] | None:
    """Return the run's forecasts of these series."""
    return [numbers(one) for one in run.examples or []] if windows and fits(run, windows) else None


def printed(run: Run) -> list[float | int | None]:
    """Return the reference's val_loss per epoch, for a full run with default settings."""
    figure = None if run.spec.quick or run.spec.differences() else reference.figure(run.spec.task, run.spec.method)
    return numbers(figure.curve.get("val_loss", [])) if figure else []


def failures(tried: pd.DataFrame) -> list[dict[str, Any]]:
    """Return runs that count and did not succeed, with the reason."""
    failed = tried[tried["status"] != "ok"]
    return [
        {"board": title(one.task, one.quick), "method": clean(one.method), "backend": clean(one.backend),
         "seed": int(one.seed), "status": clean(one.status), "reason": clean(one.reason)}
        for one in each(failed)
    ]  # fmt: skip

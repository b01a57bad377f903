"""From the options that a user gave, by name, to how a file is read and cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench.data import seasons, splits
from bench.data.series import SeriesSet, read_series
from bench.errors import UsageError
from bench.schema.series import Preparation
from bench.tasks.main_metric import check_metric, own_metric

NONE = "none"  # --season none
NO_LINES = (("skip_rows", 0), ("skip_footer", 0))  # as if not given


def preparation_of(file: Path, given: Mapping[str, Any]) -> Preparation:
    """Return how the file is read and cut: what was given, the default of the rest, and the season that the data show.

    Raises UsageError for options that contradict each other, and for a file that cannot be read.
    """
    chosen = {name: value for name, value in given.items() if is_given(value) and (name, value) not in NO_LINES}
    for name in ("time", "group"):
        if isinstance(value := chosen.get(name), list | tuple):
            chosen[name] = value[0] if len(value) == 1 else tuple(value)
    for name in ("target", "missing"):
        if isinstance(value := chosen.get(name), list):
            chosen[name] = tuple(value)
    if name := chosen.pop("ranked_by", None):
        check_metric(name)
        chosen["ranked_by"] = own_metric([name])
    season, removed = chosen.pop("season", None), chosen.pop("deseasonalise", False)
    if season == NONE and removed:
        raise UsageError("--deseasonalise and --season none: there is no season to take off")
    how = Preparation(file=file.name, **chosen)
    splits.check(how)
    if season not in (None, NONE):
        how = msgspec.structs.replace(how, season=season)
    elif season is None and how.impute != "seasonal":
        found = found_season(file, how)
        if removed and found.steps is None:
            raise UsageError(f"--deseasonalise: state the season with --season, because none was found: {found.reason}")
        how = msgspec.structs.replace(how, season=found.steps)
    return how if removed or how.season is None else msgspec.structs.replace(how, deseasonalise=False)


def is_given(value: Any) -> bool:
    """Say whether an option has a value: 0 is one, which most refuse."""
    return value is not None and value is not False and value != [] and value != ()


def found_season(file: Path, how: Preparation) -> seasons.Season:
    """Return the season that a file's series show."""
    return seasons.find(read_series(file, how))


def notes_of(found: SeriesSet, how: Preparation) -> list[str]:
    """Return what a user has to know of how a file was read: what was left out, and which season is meant."""
    season = f"season: {how.season} steps" if how.season else "season: none"
    return [*found.notes, f"{season} (--season states another)"]

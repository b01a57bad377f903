"""How a file becomes series, and series windows: the part of a spec that says so. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal

import msgspec

BUNDLED = "statsmodels:"  # what the name of a file begins with that comes with statsmodels
Impute = Literal["linear", "last", "seasonal"]


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a file is read."""

    target: tuple[str, ...] = ()  # columns: the channels of each series or, if wide, one series each; may be patterns
    time: str | None = None  # the column of times; None: one that is named so; "-": rows as they stand
    group: str | None = None  # the column that tells the series apart
    wide: bool = False
    impute: Impute | None = None  # how missing values are filled; None: they are an error
    season: int | None = None  # steps


class Preparation(Reading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How windows are made of a file's series: what a record has to say to repeat them."""

    file: str  # its name, without the folder
    history: int = 50  # T
    ahead: int = 10  # H
    difference: bool = False  # take first differences: the trend
    stride: int = 1  # steps from one window to the next

    @property
    def bundled(self) -> bool:
        """Whether the series come with statsmodels (`bench.data.bundled`): no file is needed."""
        return self.file.startswith(BUNDLED)

    @property
    def lags(self) -> list[int]:
        """The differences to be taken, in order: a season, then a step."""
        return [*([self.season] if self.season else []), *([1] if self.difference else [])]

    @property
    def length(self) -> int:
        """The steps of a window: those that differences reach back to, T + H."""
        return sum(self.lags) + self.history + self.ahead

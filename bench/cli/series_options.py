"""The options of series from a file: the same for `run --data`, `forecast`, `recommend` and `data`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from bench.cli.parsing import whole

if TYPE_CHECKING:
    from bench.schema.series import Preparation

Names = list[str] | None
Text = str | None
Number = int | None


def season(text: str) -> int | str:
    """Read a number of steps, or none. Raises typer.BadParameter."""
    return text if text == "none" else int(whole(text))


@dataclass(kw_only=True)
class SeriesOptions:
    """How a file becomes series, and series windows."""

    panel: ClassVar[str] = "Your series"

    target: Annotated[
        Names, typer.Option(metavar="COLUMN", help="Forecast this column; a name or pattern, may be repeated.")
    ] = None
    time: Annotated[
        Names,
        typer.Option(
            metavar="COLUMN",
            show_default="the one that holds times",
            help="Read times from this column, or from several as in --time Date --time Hour; - keeps the row order.",
        ),
    ] = None
    group: Annotated[
        Names, typer.Option(metavar="COLUMN", help="Split the rows into series by this column; may be repeated.")
    ] = None
    wide: Annotated[bool, typer.Option("--wide", help="Take each target column as a separate series.")] = False
    rows_are_series: Annotated[
        bool, typer.Option("--rows-are-series", help="Take each row as a series, and the names of columns as times.")
    ] = False
    history: Annotated[
        Number, typer.Option(parser=whole, metavar="T", show_default="50", help="Forecast from so many steps.")
    ] = None
    ahead: Annotated[
        Number, typer.Option(parser=whole, metavar="H", show_default="10", help="Forecast so many steps.")
    ] = None
    season: Annotated[
        Any,
        typer.Option(
            parser=season,
            metavar="M|none",
            show_default="found in the data",
            help="State the steps of a season, for MASE, baselines and classical methods.",
        ),
    ] = None
    deseasonalise: Annotated[
        bool, typer.Option("--deseasonalise", help="Take the season off what networks see, and add it back.")
    ] = False
    difference: Annotated[
        bool, typer.Option("--difference", help="Take differences of what networks see, which removes a trend.")
    ] = False
    impute: Annotated[
        Text,
        typer.Option(metavar="linear|last|seasonal|zero", show_default="they are refused", help="Fill missing values."),
    ] = None
    duplicates: Annotated[
        Text,
        typer.Option(metavar="sum|mean|last", show_default="they are refused", help="Merge rows of one time."),
    ] = None
    split: Annotated[
        Text,
        typer.Option(
            metavar="SPLIT",
            show_default="70/15/15",
            help="Split into training, validation and test by shares, by numbers of steps, or at two dates.",
        ),
    ] = None
    origin: Annotated[
        Text, typer.Option(metavar="end", help="Score the forecast of the last steps of each series alone.")
    ] = None
    cutoffs: Annotated[
        Number, typer.Option(parser=whole, metavar="K", help="Score K origins at the end of each series, H apart.")
    ] = None
    stride: Annotated[
        Number,
        typer.Option(parser=whole, metavar="S", show_default="1", help="Start a window every so many steps."),
    ] = None
    test_stride: Annotated[
        Number,
        typer.Option(parser=whole, metavar="S", show_default="as --stride", help="The same for windows scored."),
    ] = None
    whole_history: Annotated[
        bool,
        typer.Option("--whole-history", help="Let naive and classical methods see all of a series before the origin."),
    ] = False
    scoring_season: Annotated[
        Number,
        typer.Option(parser=whole, metavar="M", show_default="as --season", help="Scale MASE by this season instead."),
    ] = None
    ranked_by: Annotated[
        Text,
        typer.Option(metavar="METRIC", show_default="test_mse", help="Rank by this, as in original_test_mase."),
    ] = None
    drop_short: Annotated[
        bool, typer.Option("--drop-short", help="Leave out series that are too short to be scored.")
    ] = False
    dates: Annotated[
        Text,
        typer.Option(
            metavar="FORMAT",
            show_default="found in the data",
            help="Read times in this format, as in %d/%m/%Y; or day-first, month-first, unix, excel, decimal-year.",
        ),
    ] = None
    decimal: Annotated[
        Text, typer.Option(metavar="MARK", show_default="found in the data", help="Read this as the decimal mark.")
    ] = None
    thousands: Annotated[
        Text, typer.Option(metavar="MARK", show_default="found in the data", help="Read this as the mark of thousands.")
    ] = None
    missing: Annotated[
        Names, typer.Option(metavar="TEXT", help="Read this text as a missing value, too; may be repeated.")
    ] = None
    encoding: Annotated[
        Text, typer.Option(metavar="NAME", show_default="utf-8", help="Decode the file so, as in latin-1.")
    ] = None
    skip_rows: Annotated[
        Number, typer.Option(parser=whole, metavar="N", show_default="0", help="Leave out so many lines at the top.")
    ] = None
    skip_footer: Annotated[
        Number, typer.Option(parser=whole, metavar="N", show_default="0", help="Leave out so many rows at the end.")
    ] = None
    comment: Annotated[Text, typer.Option(metavar="MARK", help="Leave out lines that begin with this.")] = None
    no_header: Annotated[
        bool, typer.Option("--no-header", help="Expect no line of names, and call the columns 1, 2, 3.")
    ] = False

    def given(self) -> dict[str, Any]:
        """Return every option by name."""
        return asdict(self)

    def preparation(self, file: Path) -> Preparation:
        """Return how the file is read and cut: what was given, the default of the rest, and the season found."""
        from bench.data.preparations import preparation_of

        return preparation_of(file, self.given())

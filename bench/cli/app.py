"""`python -m bench`: every command with its panel in the help, old spellings, and the exit status."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from bench import __version__
from bench.cli import doctor, maintain, measure, methods, results, separate, series
from bench.cli.grouping import grouped
from bench.cli.options import example
from bench.cli.panels import Command, Group
from bench.cli.shared import complain
from bench.errors import NotStored, UsageError

USE, READ, RECORDS, METHODS, STUDIES, PAGES = "Use", "Read", "Records", "Methods", "Studies", "Pages"
HELP = "Which sequence model forecasts a short noisy series best, in which framework, at what cost?"
HELP_NAMES = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="bench",
    cls=Group,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
)
records = typer.Typer(cls=Group, rich_markup_mode=None, no_args_is_help=True, epilog=example("results check"))


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        print(f"aheadbench {__version__}")
        raise typer.Exit


@app.callback(help=HELP, epilog="`bench COMMAND --help` shows the options of a command, with an example.")
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options of `bench` itself."""


def add(command: Callable[..., int], name: str, panel: str, *examples: str, old: str | None = None) -> None:
    """Make a function a command, shown in a panel; its old spelling works too and is not shown."""
    made = grouped(command)
    how = {"cls": Command, "context_settings": HELP_NAMES}
    app.command(name, rich_help_panel=panel, epilog=example(*examples), **how)(made)  # type: ignore[arg-type]
    if old:
        app.command(old, hidden=True, epilog=example(*examples), **how)(made)  # type: ignore[arg-type]


add(measure.run, "run", USE, "run --quick --backend numpy --method 'last*'",
    "run --quick --backend numpy --cluster local:4")  # fmt: skip
add(series.forecast, "forecast", USE, "forecast sales.csv --target units --ahead 12 --method last_value")
add(series.data, "data", USE, "data sales.csv --target units")
add(series.get_data, "data get", USE, "data get etth1 --from downloads")
add(series.recommend, "recommend", USE,
    "recommend sales.csv --target units --ahead 12 --budget 30s --method last_value")  # fmt: skip
add(doctor.doctor, "doctor", USE, "doctor")
add(results.leaderboard, "leaderboard", READ, "leaderboard --task ten-step")
add(results.compare, "compare", READ, "compare last_value moving_average --task ten-step")
add(results.show, "show", READ, "show gru")
add(results.report, "report", READ, "report --output report.html")
add(results.list_, "list", READ, "list methods")
add(results.plot, "plot", READ, "plot c3270f74 --output arima.svg")
app.add_typer(records, name="results", rich_help_panel=RECORDS, help="Check the folder of records.")
records.command(
    "check", cls=Command, epilog=example("results check"), help="List files that are not valid records.",
    context_settings=HELP_NAMES,
)(grouped(maintain.check_records))  # fmt: skip
records.command(
    "export", cls=Command, epilog=example("results export --format fev"), context_settings=HELP_NAMES,
    help="Write the records as fev's result CSV: errors on the last steps of each series.",
)(grouped(maintain.export))  # fmt: skip
add(maintain.merge, "merge", RECORDS, "merge theirs")
add(measure.verify, "verify", RECORDS, "verify last_value")
add(methods.new, "new", METHODS, "new my_forecaster", old="new-method")
add(methods.check, "check", METHODS, "check last_value")
add(measure.tune, "tune", STUDIES, "tune --task one-step --method linear --dry-run")
add(measure.repeat, "repeat", STUDIES, "repeat twice --quick --backend numpy", old="noise")
add(measure.parity, "parity", STUDIES, "parity gru 'deep*'")
add(maintain.pages, "pages", PAGES, "pages --check")
app.command("reproduction", hidden=True, cls=Command)(grouped(maintain.reproduction))


@app.command("help", hidden=True, cls=Command)
def show_help(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="Show the help of this command.")] = None,
) -> int:
    """Show the help of bench, or of a command."""
    arguments = [command, "--help"] if command else ["--help"]
    return int(app(arguments, standalone_mode=False, prog_name=(context.parent or context).info_name) or 0)


def main() -> int:
    """Run the command line and return the exit status: 2, and one line on standard error, for bad input."""
    # a shell completes after a command's name: with `python -m bench` for one, its start-up file would be broken
    name = "bench" if any(word.endswith("-completion") for word in sys.argv[1:2]) else None
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")  # a locale may lack a letter
    try:
        return narrowed(sys.argv[1:])(standalone_mode=False, prog_name=name) or 0
    except NotStored as error:
        print(error.content, end="")
        return complain(str(error), 2)
    except UsageError as error:
        return complain(str(error), 2)
    except typer.TyperException as error:
        return complain_of(error)
    except MemoryError as error:
        return complain(f"out of memory: {error or 'no more can be had'}: ask for fewer series, steps or jobs", 1)
    except (KeyboardInterrupt, typer.Abort):
        return complain("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader is gone, as in `bench list runs | head`
        return 1
    except OSError as error:
        return complain(f"{error.strerror}: {error.filename or 'standard output'}", 1)
    finally:
        separate.note_end()


def narrowed(words: Sequence[str]) -> typer.Typer:
    """Return the program with the command alone that is named: to make the options of all takes longer than to answer.

    Where none is, it is the whole program, which can say what there is.
    """
    named = [one for one in app.registered_commands if one.name in (*words[:1], " ".join(words[:2]))]
    if not named:
        return app
    alone = copy.copy(app)
    alone.registered_commands, alone.registered_groups = named, []
    return alone


def complain_of(error: typer.TyperException) -> int:
    """Print what the command line could not be understood as; a bare `bench` gets the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())
        return 2
    return complain(f"{error.format_message()}{hint_of(error)}", error.exit_code)


def hint_of(error: typer.TyperException) -> str:
    """Return how to name methods as options, where they were named as arguments."""
    from implementations import METHODS

    words = re.findall(r"[\w*]+", error.format_message().rpartition("(")[2])
    if "unexpected extra argument" not in error.format_message() or not set(words) & set(METHODS):
        return ""
    return f": methods are chosen by {' '.join(f'--method {word}' for word in words)}"

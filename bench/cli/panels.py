"""Help in panels, in plain text: typer draws panels with rich, whose import takes longer than the help itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

#: how typer writes a default; where it stands for None, in brackets
DEFAULT = re.compile(r"\s*\[default: \(?([^\])]*?)(?:\.0)?\)?\]$")
OTHERS = "Options"
WIDEST = 28  # columns of names; longer ones take a line of their own
Panels = dict[str, list[tuple[str, str]]]


def write(formatter: HelpFormatter, panels: Panels) -> None:
    """Write each panel as a section, names in columns of one width over all of them."""
    names = [len(name) for rows in panels.values() for name, _ in rows]
    width = min(max(names, default=0), WIDEST)
    for title, rows in panels.items():
        with formatter.section(title):
            formatter.write_dl([(name.ljust(width), text) for name, text in rows], col_max=WIDEST)


def options_of(command: TyperCommand | TyperGroup, context: Context) -> Panels:
    """Return the names and help of a command's arguments and options by panel."""
    panels: Panels = {}
    last: Panels = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        record = record[0], DEFAULT.sub(r" Default: \1.", record[1].removesuffix("  [required]"))
        title = "Arguments" if isinstance(parameter, TyperArgument) else getattr(parameter, "rich_help_panel", None)
        (panels if title else last).setdefault(title or OTHERS, []).append(record)
    return panels | last


class Command(TyperCommand):
    """A command whose options stand in panels."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line, required arguments without braces."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options by panel."""
        write(formatter, options_of(self, ctx))


class Group(TyperGroup):
    """A group whose commands stand in panels; hidden ones are old spellings."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command of two words, as `data get`, before one of the first word."""
        if (name := " ".join(args[:2])) in self.commands and len(args) > 1:
            return name, self.commands[name], args[2:]
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by panel, then the options."""
        self.format_commands(ctx, formatter)
        write(formatter, options_of(self, ctx))

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  (click's signature)
        """Write each command with the first sentence of its help."""
        panels: Panels = {}
        for name, command in self.shown():
            title = getattr(command, "rich_help_panel", None) or "Commands"
            panels.setdefault(title, []).append((name, command.get_short_help_str(200)))
        write(formatter, panels)

    def shown(self) -> Iterable[tuple[str, Any]]:
        """Return the commands that are not hidden."""
        return ((name, command) for name, command in self.commands.items() if not command.hidden)

"""Commands for whoever writes a method: `new` and `check`."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import parsing
from bench.cli.shared import warn


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Write a method of this name, as in my_forecaster.")],
    network: Annotated[bool, typer.Option("--network", help="Start from a network in Keras and PyTorch.")] = False,
) -> int:
    """Write a file with a method to start from."""
    from bench.contract import template

    path, class_name = template.write(name, network)
    print(f"{path}: now python -m bench check ./{path}:{class_name}")
    return 0


def check(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            autocompletion=parsing.methods,
            help="Check this one: ./mine.py:MyForecaster, or a name.",
        ),
    ],
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=parsing.backends,
            show_default="the method's first that is installed",
            help="Check it on this backend.",
        ),
    ] = None,
) -> int:
    """Check that a method keeps the contract, and print what to fix."""
    from bench.contract import check as contract
    from bench.execution.coordination import Stopped

    try:
        report = contract.check(method, backend)
    except Stopped as stop:
        warn(f"stopped by {stop}")
        return 128 + stop.number
    print("\n".join(report.lines()))
    return 0 if report.ok else 1

"""What `python -m bench show` does, step by step."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bench.analysis.table import at_defaults
from bench.execution import user_methods
from bench.records import repository
from bench.records.stores import Place
from bench.reporting import method_pages as pages


def show(method: str, folder: Place) -> int:
    """Print the page of a method; networks stand side by side where the terminal is wide enough."""
    names, _ = user_methods.register([method])
    beside = pages.methods_beside(names[0])
    print(pages.page(beside, at_defaults(repository.read(folder)[0]), shutil.get_terminal_size().columns), end="")
    return 0


def write_pages(target: Path, check: bool, folder: Place) -> int:
    """Write every page, or say which are stale."""
    pages.check_folder(target)
    runs = at_defaults(repository.read(folder)[0])
    if check:
        stale = pages.stale(target, runs)
        for path in stale:
            print(f"{path} is stale: `python -m bench show --pages {target}` writes it again", file=sys.stderr)
        return 1 if stale else 0
    pages.write(target, runs)
    print(f"{target} is up to date")
    return 0

"""Write docs/performance.md: each measured table lies between two comments, and one command puts it there."""

from __future__ import annotations

from pathlib import Path

from bench.errors import UsageError
from bench.machine import environment
from bench.records import files

PAGE = Path("docs", "performance.md")


def put(name: str, table: str, made_by: str, page: Path = environment.ROOT / PAGE) -> None:
    """Replace the text between <!-- name --> and <!-- /name --> by the table, the command and the machine that made it.

    Raises UsageError where the page has no such place.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = page.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise UsageError(f"{PAGE}: needed the comments {start} and {end}, the table goes between them")
    text = f"{before}{start}\n{table}\n\n{made_by}\n{end}{after}"
    files.replace(page, text.encode())


def made_by(command: str) -> str:
    """Return the command, the machine, the versions and the commit, in one line."""
    known = environment.fingerprint()
    packages = known["packages"]
    versions = [f"{name} {version}" for name, version in packages.items()] if isinstance(packages, dict) else []
    commit = (
        [f"commit {str(known['commit'])[:12]}{' with changes' if known['dirty'] else ''}"] if known["commit"] else []
    )
    computer = f"{known['cpu']}, {known['cores']} cores, Python {known['python']}"
    return f"`{command}`: {', '.join([computer, *versions, *commit])}."

"""The documents are tested like code: every verb is documented, and every command in them is one that works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
import typer
from conftest import ROOT

from bench.cli import app

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
COMMAND = re.compile(r"(?:^    |`)(python -m bench(?: [^`#\n|]*)?)", re.MULTILINE)


def commands() -> list[str]:
    """The commands in the documents, written-out ones alone: not those with a placeholder in capitals."""
    found = {match.strip() for page in PAGES for match in COMMAND.findall(page.read_text())}
    return sorted(command for command in found if not re.search(r"\b(?<!-)[A-Z]{3,}\b|[\[<]|\.\.\.", command))


def test_every_verb_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for verb in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert re.search(rf"`{verb}\b|bench {verb}\b", readme), f"README.md does not mention `{verb}`"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_documents_are_understood(command: str) -> None:
    words = [sys.executable, *shlex.split(command)[1:]]
    harmless = ["--dry-run"] if "run" in words[3:4] else ["--help"]
    done = subprocess.run([*words, *harmless], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_readme_shows_rows_of_the_board() -> None:
    excerpt = (ROOT / "README.md").read_text().split("<!-- board -->")[1].split("<!-- /board -->")[0]
    rows = [line for line in excerpt.splitlines() if line.startswith("|")]
    board = (ROOT / "leaderboard.md").read_text().splitlines()
    assert len(rows) > 3 and all(row in board for row in rows)


def test_there_are_commands_to_test() -> None:
    assert len(commands()) >= 5

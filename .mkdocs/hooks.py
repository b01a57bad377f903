"""Make the site of documents that are written for the repository: links that leave docs/ lead to copies in the site."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / ".mkdocs" / "pages"
OUTSIDE = "repository/"  # where in the site the files lie that are not in docs/
STARTS = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "leaderboard.md")
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the reference, and every file of the repository that a page leads to."""
    add(files, config, "reference/api.md", (PAGES / "api.md").read_text())
    add(files, config, "reference/commands.md", commands())
    left = [*STARTS, *(f"docs/{path.relative_to(ROOT / 'docs')}" for path in (ROOT / "docs").rglob("*.md"))]
    seen: set[str] = set()
    while left:
        name = left.pop()
        if name in seen or not (ROOT / name).is_file():
            continue
        seen.add(name)
        if not name.startswith("docs/"):
            files.append(File.generated(config, OUTSIDE + name, abs_src_path=str(ROOT / name)))
        if name.endswith(".md"):
            left += targets(name, (ROOT / name).read_text())
    return files


def add(files: Files, config: Any, name: str, content: str) -> None:
    """Add a page that is no file of docs/."""
    files.append(File.generated(config, name, content=content))


def targets(name: str, text: str) -> Iterator[str]:
    """The files of the repository that a page leads to."""
    for _, target, _ in LINK.findall(text):
        if "://" not in target:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001
    """Lead links to where their files lie in the site; a folder of the repository keeps its name alone."""
    place = page.file.src_uri
    source = place.removeprefix(OUTSIDE) if place.startswith(OUTSIDE) else f"docs/{place}"
    known = files.src_uris

    def moved(match: re.Match[str]) -> str:
        label, target, anchor = match[1], match[2], match[3] or ""
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        there = path.removeprefix("docs/") if path.startswith("docs/") else OUTSIDE + path
        if (ROOT / path).is_dir() and there not in known:
            return label[1:-1]
        return f"{label}({posixpath.relpath(there, posixpath.dirname(place) or '.')}{anchor})"

    return LINK.sub(moved, markdown)


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> Any:  # noqa: ARG001
    """Give a Chinese page Chinese words around it, and its language to browsers and screen readers."""
    config.theme["language"] = "zh" if page.file.src_uri.startswith("zh/") or ".zh-" in page.file.src_uri else "en"
    return context


def commands() -> str:
    """The help of each command, as the terminal shows it."""
    os.environ.setdefault("COLUMNS", "100")
    import typer
    from typer.testing import CliRunner

    from bench.cli.app import app

    found = ["# Commands", "", "`bench COMMAND --help` shows the same in a terminal.", ""]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        if not command.hidden:
            text = CliRunner().invoke(app, [name, "--help"], prog_name="bench").output
            found += [f"## {name}", "", "```text", text.rstrip(), "```", ""]
    return "\n".join(found)

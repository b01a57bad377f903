"""The language of what people read: no private words in pages, docstrings and messages (CONTRIBUTING, "Language")."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
#: words that read as if translated, and what to write instead
INSTEAD = {
    "beside": "with, next to, compared with",
    "anew": "again",
    "told": "given",
    "stands": "is",
    "likewise": "the same",
    "of its own": "separate",
    "of their own": "separate",
    "that is none": "that is not one",
    "that are none": "that are invalid",
    "when named": "on request",
    "the notes": "the reference",
    "the notes'": "the reference's",
    "planted": "artificial",
}
PRIVATE = re.compile(rf"(?<![\w./-])({'|'.join(map(re.escape, INSTEAD))})(?![\w/-])", re.IGNORECASE)
CODE = re.compile(r"```.*?```|`[^`]*`|^ {4}[^\n]*$|<!--.*?-->|\]\([^)]*\)", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """Every English page that a person writes."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(page for page in found if not page.name.endswith(".zh.md") and "zh" not in page.parts)


def modules() -> list[Path]:
    """Every module of the two packages."""
    return sorted([*(ROOT / "bench").rglob("*.py"), *(ROOT / "implementations").rglob("*.py")])


def private_words(text: str) -> list[str]:
    """Each private word of a text, with what to write instead."""
    return [f"{word}: write {INSTEAD[word.lower()]}" for word in PRIVATE.findall(" ".join(text.split()))]


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module with its line: docstrings, messages, help."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_have_no_private_words(page: Path) -> None:
    assert not private_words(CODE.sub(" ", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("package", ["bench", "implementations"])
def test_docstrings_and_messages_have_no_private_words(package: str) -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}: {word}"
        for module in modules()
        if module.relative_to(ROOT).parts[0] == package
        for line, text in texts(module)
        for word in private_words(text)
    ]
    assert not found, "\n".join(found)


def test_the_list_finds_what_it_is_for() -> None:
    assert private_words("It stands beside\nthe notes; a/told/path is none") == [
        "stands: write is",
        "beside: write with, next to, compared with",
        "the notes: write the reference",
    ]


def test_packages_have_one_purpose_each() -> None:
    """Every package that the layers name says in its first docstring what it is for."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = [name for layer in contracts[0]["layers"] for name in layer.split(" | ")]
    for name in names:
        path = ROOT / "bench" / name
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))), f"{source}: no docstring"

"""Draw docs/architecture.svg from the layers in pyproject.toml: python docs/draw_architecture.py

The picture shows the rule that import-linter checks, so it cannot show a structure that the code does not have.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "docs/architecture.svg"
WIDTH, ROW, GAP = 10.0, 0.7, 0.12
LETTERS = 12.5  # of a purpose, to a unit of width
INK, LINE, FILL, OTHER = "#1f2933", "#7b8794", "#e8f1fa", "#fdf3e1"


def layers() -> list[list[str]]:
    """Return the packages of bench from top to bottom; those of one layer are siblings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    found = next(one for one in contracts if one["type"] == "layers")["layers"]
    return [[name.strip() for name in layer.split("|")] for layer in found]


def purpose(name: str) -> str:
    """Return the first sentence of a package's or module's docstring."""
    path = ROOT / "bench" / name
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not source.exists():
        return ""
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def box(axes: plt.Axes, left: float, bottom: float, width: float, title: str, text: str, fill: str) -> None:
    """Draw a named box with its purpose, in two lines where one is too short."""
    lines = textwrap.wrap(text, int((width - 0.2) * LETTERS))
    axes.add_patch(plt.Rectangle((left, bottom), width, ROW, facecolor=fill, edgecolor=LINE, linewidth=0.8))
    axes.text(left + 0.12, bottom + 0.74 * ROW, title, fontsize=9.5, fontweight="bold", color=INK, va="center")
    axes.text(left + 0.12, bottom + 0.3 * ROW, "\n".join(lines), fontsize=7, color=INK, va="center", linespacing=1.15)


def draw() -> None:
    """Write the picture."""
    plt.rcParams.update({"svg.hashsalt": "architecture", "svg.fonttype": "none", "font.family": "sans-serif"})
    rows = layers()
    height = (len(rows) + 1) * (ROW + GAP) + 0.5
    figure, axes = plt.subplots(figsize=(WIDTH, height))
    top = height - 0.35 - ROW
    for number, names in enumerate(rows):
        width = (WIDTH - 0.9) / len(names)
        for place, name in enumerate(names):
            bottom = top - number * (ROW + GAP)
            box(axes, 0.7 + place * width, bottom, width - 0.08, f"bench.{name}", purpose(name), FILL)
    last = top - len(rows) * (ROW + GAP)
    text = "the methods, their networks and training loops; imports nothing of bench"
    box(axes, 0.7, last, WIDTH - 0.98, "implementations", text, OTHER)
    axes.annotate("", (0.35, last + 0.1), (0.35, top + ROW), arrowprops={"arrowstyle": "-|>", "color": INK})
    axes.text(0.16, (top + last) / 2, "imports go down only", rotation=90, va="center", fontsize=9, color=INK)
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.axis("off")
    figure.savefig(OUTPUT, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    draw()

"""The page: one HTML file with its data, its scripts and their libraries inside, and no request to anywhere."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.records import files, repository
from bench.records.stores import Place
from bench.reporting.html.data import PAGE_COLUMNS, collect
from bench.reporting.html.overall import section
from bench.schema.record import Run
from bench.text import clean

HERE = Path(__file__).parent
LIMIT = 4_000_000  # bytes


def write(folder: Place, path: Path) -> int:
    """Write the page of a folder of records; returns its size in bytes. Raises UsageError where that cannot be."""
    return write_runs(*repository.read(folder), path)


def write_runs(runs: Sequence[Run], problems: Sequence[str], path: Path) -> int:
    """Write the page of these runs; returns its size in bytes. Raises UsageError where that cannot be."""
    content = render(runs, problems).encode()
    if len(content) > LIMIT:
        raise UsageError(f"the page would have {len(content):,} bytes, more than {LIMIT:,}: choose fewer records")
    files.replace(path, content)
    return len(content)


def render(runs: Sequence[Run], problems: Sequence[str] = ()) -> str:
    """Return the page: the same records give the same bytes."""
    data = collect(runs)
    headers = [
        ("task", ""),
        ("settings", ""),
        *((column.label, column.help.replace("`", "")) for column in PAGE_COLUMNS),
    ]
    found = data.pop("overview")
    scripts = [(HERE / name).read_text(encoding="utf-8") for name in ("page.js", "charts.js", "start.js")]
    parts = {
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "table_style": library("itables", "html/dt_bundle.css").decode(),
        "boards": ('<option value="">all tasks</option>' if found.parts else "")
        + "".join(f"<option>{html.escape(board['name'])}</option>" for board in data["boards"]),
        "overall": section(found),
        "header": "".join(
            f'<th scope="col"{numeric(name)} title="{html.escape(meaning, quote=True)}">{html.escape(name)}</th>'
            for name, meaning in headers
        ),
        "rows": "\n".join(table_rows(data["boards"])),
        "failed": failed(data["failed"], problems),
        "data": packed(json.dumps(data, separators=(",", ":"), allow_nan=False).encode()),
        "plotly": packed(library("plotly", "package_data/plotly.min.js")),
        "tables": packed(library("itables", "html/dt_bundle.js")),
        "script": "\n".join(scripts),
    }
    text = (HERE / "page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)  # libraries hold braces of all kinds: no template engine
    return text


def table_rows(boards: Sequence[dict[str, Any]]) -> list[str]:
    """Return every row of every board, as HTML: there before any script runs, and read aloud as a table."""
    return [
        table_row(board["name"], board["labels"], row, f"{place}-{number}")
        for place, board in enumerate(boards)
        for number, row in enumerate(board["rows"])
    ]


def table_row(board: str, labels: Sequence[str], row: dict[str, Any], name: str) -> str:
    """Return one row: numbers sort by `data-order`, whatever they look like."""
    cells = [f"<td>{html.escape(board)}</td><td>{'default' if row['default'] else 'changed'}</td>"]
    for column, label, (text, order) in zip(PAGE_COLUMNS, labels, row["cells"], strict=True):
        shown = html.escape(clean(text))
        if column.name == "method":
            shown = shown.replace(" (", " <small>(", 1) + "</small>" if " (" in shown else shown
            cells.append(f'<td class="head"><button type="button" data-row="{name}">{shown}</button></td>')
        else:
            value = "" if order is None else html.escape(str(order), quote=True)
            kind = "words" if column.left else "number"
            cells.append(
                f'<td class="{kind}" data-label="{html.escape(label, quote=True)}" data-order="{value}">{shown}</td>'
            )
    return f"<tr>{''.join(cells)}</tr>"


def failed(runs: Sequence[dict[str, Any]], problems: Sequence[str]) -> str:
    """Return what did not succeed, as a list; empty where all did."""
    lines = [f"{one['board']}, {one['method']}, {one['backend']}, seed {one['seed']}: {one['status']}, {one['reason']}"
             for one in runs] + [f"no record: {problem}" for problem in problems]  # fmt: skip
    if not lines:
        return ""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<section><h2>Failed, and left out</h2><ul>{items}</ul></section>"


def numeric(name: str) -> str:
    """Return the class of a column's head: figures stand at the right."""
    left = {"task", "settings"} | {column.label for column in PAGE_COLUMNS if column.left}
    return "" if name in left else ' class="number"'


def packed(content: bytes) -> str:
    """Return a library as base64 of gzip: a third of its size. The same content gives the same bytes."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def library(package: str, name: str) -> bytes:
    """Return a file of an installed package. Raises UsageError where the package is missing."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(f"{package} is not installed: pip install 'aheadbench[report]'")
    return (Path(spec.origin).parent / name).read_bytes()

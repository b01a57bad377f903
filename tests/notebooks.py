"""The notebooks of docs, each executed in a Jupyter kernel in an empty folder, and the examples.

They start worker processes and take half a minute, so they are no part of the suite: `make notebooks`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LONGEST = 300  # seconds of a cell
SHOWN = {"quick-start": {"text/html", "image/png"}, "your-series": {"text/html", "image/png"}}  # kinds of output


def execute(path: Path) -> set[str]:
    """Execute a notebook and return the kinds of what its cells show. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=LONGEST, resources={"metadata": {"path": folder}}).execute()
        left = list(Path(folder).iterdir())
    assert not left, f"{path.name} leaves {left}"
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return {kind for output in outputs for kind in output.get("data", {})}


def main() -> None:
    """Execute all."""
    os.environ["PYTHONPATH"] = str(ROOT)
    found = {path.stem: path for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))}
    assert set(found) == set(SHOWN), found
    for name, path in found.items():
        began = time.monotonic()
        kinds = execute(path)
        assert SHOWN[name] <= kinds, f"{name} shows {kinds}"
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(ROOT / "docs" / "examples.py")], cwd=folder, check=True, timeout=LONGEST)


if __name__ == "__main__":
    main()

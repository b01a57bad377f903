"""A file to start a method from, which already keeps the contract: templates/*.py.txt, filled in."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path

from bench.errors import UsageError
from bench.records import files


def write(name: str, network: bool) -> tuple[Path, str]:
    """Write the file; return its path and the class in it.

    Raises UsageError for a name that cannot be a method's, and where a file is in the way.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise UsageError(f"{name!r} cannot be the name of a method: letters, digits and '_' can, as in my_forecaster")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    if not words:
        raise UsageError(f"{name!r} cannot be the name of a method: needed at least one letter")
    module = "_".join(word.lower() for word in words)
    path = Path(f"{module}.py")
    if path.exists():
        raise UsageError(f"{path.name!r} is there already: choose another name, or move it away")
    made = {"module": module, "file": path.name, "name": "".join(word[0].upper() + word[1:] for word in words)}
    template = resources.files("bench.contract") / "templates" / f"{'network' if network else 'plain'}.py.txt"
    text = template.read_text(encoding="utf-8").format(title=" ".join(words).capitalize(), **made)
    files.replace(path, text.encode())
    return path, made["name"]

"""Run the checks of files: `python run.py BACKEND` reads their names, a line each, and runs every public function.

All files of a backend go through one process: to import a framework takes longer than most checks.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from types import FunctionType

from implementations import backends


def main() -> None:
    """Print a line of JSON for each check, {"check": FILE:NAME, "failure": traceback or null}."""
    backends.load(sys.argv[1])
    for line in sys.stdin:
        file = line.strip()
        module = importlib.import_module(file.removesuffix(".py"))
        for name, check in vars(module).items():
            if isinstance(check, FunctionType) and check.__module__ == module.__name__ and not name.startswith("_"):
                print(json.dumps({"check": f"{file}:{name}", "failure": _failure(check)}), flush=True)


def _failure(check: FunctionType) -> str | None:
    try:
        check()
    except Exception:
        return traceback.format_exc()
    return None


if __name__ == "__main__":
    main()

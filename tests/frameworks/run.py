"""Run the checks of a file: every public function that it defines."""

from __future__ import annotations

import json
import sys
import traceback
from types import FunctionType
from typing import Any

from implementations import backends


def run(module: dict[str, Any]) -> None:
    """Call each check of the module and print a line of JSON, {"check", "failure": traceback or null}."""
    backends.load(sys.argv[1])
    for name, check in module.items():
        if isinstance(check, FunctionType) and check.__module__ == "__main__" and not name.startswith("_"):
            print(json.dumps({"check": name, "failure": _failure(check)}), flush=True)


def _failure(check: FunctionType) -> str | None:
    try:
        check()
    except Exception:
        return traceback.format_exc()
    return None

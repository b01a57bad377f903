"""Methods given as classes: where a worker process finds them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

from bench.errors import UsageError

SESSION = "session"  # the name of the file that holds a class of a notebook, so `session.MyForecaster`

FILE = '''"""A class of a Python session, pickled by cloudpickle."""

import base64

import cloudpickle

{name} = cloudpickle.loads(base64.b64decode({content!r}))
{name}.__module__ = __name__
'''


def references(methods: Iterable[str | type], folder: Path) -> list[str]:
    """Return the methods as names and references, ./file.py:Class; classes of a session are written to the folder.

    A class of a file is taken from there; one that was typed, as in a notebook's cell, is pickled with all that it
    uses. Its version is that of the pickle: in another session it is another row. Raises UsageError.
    """
    return [one if isinstance(one, str) else reference(one, folder) for one in methods]


def reference(given: type, folder: Path) -> str:
    """Return ./file.py:Class for a class."""
    if not inspect.isclass(given):
        raise UsageError(f"methods: got {given!r}, needed names or classes with fit and predict_ahead")
    if given.__module__ != "__main__":
        return f"{inspect.getsourcefile(given)}:{given.__name__}"
    path = folder / given.__name__.lower() / f"{SESSION}.py"
    path.parent.mkdir()
    path.write_text(FILE.format(name=given.__name__, content=pickled(given)), encoding="utf-8")
    return f"{path}:{given.__name__}"


def pickled(given: type) -> str:
    """Return the class as base64 of a pickle, which only the user's worker processes read."""
    import base64

    import cloudpickle

    return base64.b64encode(cloudpickle.dumps(given)).decode()

"""Methods given as classes: where a worker process finds them."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.errors import UsageError

SESSION = "session"  # the name of the file that holds a class of a notebook, so `session.MyForecaster`

FILE = '''"""A class of a Python session, pickled by cloudpickle, and what its annotations name."""

import base64
from types import FunctionType

import cloudpickle

{name}, names = cloudpickle.loads(base64.b64decode({content!r}))
{name}.__module__ = __name__
globals().update(names)
for function in vars({name}).values():
    if isinstance(function, FunctionType):
        function.__globals__.update(names)
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


@contextlib.contextmanager
def left_as_it_is(method: str | type) -> Iterator[None]:
    """Give a class its module back: where the session itself reads the class's file, that changes it."""
    module = None if isinstance(method, str) else method.__module__
    try:
        yield
    finally:
        if module is not None:
            method.__module__ = module


def pickled(given: type) -> str:
    """Return the class and what its annotations name as base64 of a pickle, which only the user's workers read."""
    import base64

    import cloudpickle

    return base64.b64encode(cloudpickle.dumps((given, named_in_annotations(given)))).decode()


def named_in_annotations(given: type) -> dict[str, Any]:
    """Return what a session has under the names in annotations that are texts: a pickle of the class lacks them."""
    functions: list[Any] = [value for value in vars(given).values() if inspect.isfunction(value)]
    texts = [text for one in (given, *functions) for text in inspect.get_annotations(one).values()]
    names = {name for text in texts if isinstance(text, str) for name in re.findall(r"[^\W\d]\w*", text)}
    session = vars(sys.modules[given.__module__])
    return {name: session[name] for name in sorted(names) if name in session and session[name] is not given}

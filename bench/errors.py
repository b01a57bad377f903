"""UsageError, what a user gets for bad input: one line, exit status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 20  # names that an error lists


class UsageError(ValueError):
    """Bad input: the message is one line that names what was got and what is allowed."""


class NotStored(UsageError):
    """A record that no folder takes: its content belongs on standard output, so that it is not lost."""

    def __init__(self, message: str, content: str) -> None:
        super().__init__(message)
        self.content = content


def unknown(what: str, got: str, allowed: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist: the near misses where there are any, else the allowed names."""
    names = {name.lower(): name for name in allowed}
    asked = got.lower()
    near = difflib.get_close_matches(asked, names, n=3) or [name for name in names if asked and asked in name][:3]
    if near:
        return UsageError(f"unknown {what} {got!r}: did you mean {' or '.join(names[name] for name in near)}?")
    shown, more = list(names.values())[:MOST], len(names) - MOST
    rest = f" and {more} more" if more > 0 else ""
    return UsageError(f"unknown {what} {got!r}: choose from {', '.join(shown) or 'none'}{rest}")

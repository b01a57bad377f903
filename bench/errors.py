"""UsageError, what a user gets for bad input: one line, exit status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Bad input: the message is one line that names what was got and what is allowed."""


class NotStored(UsageError):
    """A record that no folder takes: its content belongs on standard output, so that it is not lost."""

    def __init__(self, message: str, content: str) -> None:
        super().__init__(message)
        self.content = content


def unknown(what: str, got: str, allowed: Iterable[str]) -> UsageError:
    """The error for a name that does not exist: the near misses where there are any, else every allowed name."""
    names = list(allowed)
    near = difflib.get_close_matches(got, names, n=3) or [name for name in names if got and got in name][:3]
    if near:
        return UsageError(f"unknown {what} {got!r}: did you mean {' or '.join(near)}?")
    return UsageError(f"unknown {what} {got!r}: choose from {', '.join(names) or 'none'}")

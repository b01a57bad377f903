"""Stores of records: a folder of this machine, or a prefix of an object store, with the same few operations.

A folder is a Path throughout the program; `s3://bucket/prefix`, and any other URL that fsspec knows, is a Remote.
The board and its pictures, which are made from records, are written on this machine.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from bench.errors import UsageError
from bench.records import files
from bench.records.remote import FIGURES as FIGURES
from bench.records.remote import LARGEST as LARGEST
from bench.records.remote import PUBLISHED as PUBLISHED
from bench.records.remote import Content, left_out
from bench.records.remote import Remote as Remote

DEEPEST = 8  # folders within folders: records lie in the first


class Store(Protocol):
    """Records under names such as ten-step/gru--torch--seed42--KEY.json."""

    @property
    def beside(self) -> Path:
        """The folder of this machine for what is made from the records."""

    def names(self) -> list[str]:
        """Return the sorted JSON files at any depth, except with pictures. Raises UsageError without a connection."""

    def contents(self, names: Iterable[str]) -> Iterator[Content]:
        """Return what is under each name, in order."""

    def write(self, name: str, content: bytes) -> Path | str:
        """Put the content under the name, whole or not at all; returns where. Raises UsageError."""

    def set_aside(self, name: str) -> None:
        """Give what is there another name, that is no record's."""

    def exists(self) -> bool:
        """Return whether anything is there. Raises UsageError for a store out of reach."""

    def is_gone(self) -> bool:
        """Return whether the store has disappeared, as far as is known without waiting."""

    def check_writable(self) -> None:
        """Create it where it is missing. Raises UsageError when records cannot be written there."""


class Local:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.beside = folder

    def names(self) -> list[str]:
        try:
            os.scandir(self.folder).close()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UsageError(f"results folder {str(self.folder)!r} cannot be read: {files.reason_of(error)}") from None
        return sorted(walk(str(self.folder)))

    def contents(self, names: Iterable[str]) -> Iterator[Content]:
        asked = list(names)
        return zip(asked, files.read_all((f"{self.folder}/{name}" for name in asked), LARGEST), strict=True)

    def write(self, name: str, content: bytes) -> Path | str:
        files.replace(self.folder / name, content, into_new_folder=True)
        return self.folder / name

    def set_aside(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / name).rename(self.folder / left_out(name))

    def exists(self) -> bool:
        return self.folder.is_dir()

    def is_gone(self) -> bool:
        return not self.folder.is_dir()

    def check_writable(self) -> None:
        probe = self.folder / f".{os.getpid()}.tmp"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise unwritable(self.folder, files.reason_of(error)) from None


def walk(root: str) -> Iterator[str]:
    """Yield the JSON files of a folder, in any order; also folders that cannot be read, or lie too deep: no records."""
    left = [""]
    while left:
        folder = left.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            entries = list(os.scandir(f"{root}/{folder}"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield folder
            continue
        for entry in entries:
            if entry.name.endswith(".json"):
                yield prefix + entry.name
            elif entry.name.startswith(".") or prefix + entry.name in (FIGURES, PUBLISHED) or not is_folder(entry):
                continue
            elif prefix.count("/") < DEEPEST:
                left.append(prefix + entry.name)
            else:
                yield prefix + entry.name


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder itself, not a link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


Place = Path | Remote


def place(text: str | Path) -> Place:
    """Return what `--results` names: a folder, or a URL of an object store. Raises UsageError for a URL of no store."""
    protocol, separator, rest = str(text).partition("://")
    if not separator:
        return Path(text)
    if protocol == "file":
        return Path(rest)
    if not rest.strip("/"):
        raise UsageError(f"{str(text)!r}: needed a bucket and a prefix, as in s3://bucket/prefix")
    with (remote := Remote(str(text))).trouble("cannot be opened"):
        from fsspec.registry import available_protocols

        if protocol not in available_protocols():
            raise UsageError(f"{str(text)!r}: needed a folder, or a URL that fsspec knows, such as s3://...")
    return remote


def folder(text: str) -> Path:
    """Return a folder of this machine. Raises UsageError for a URL."""
    if isinstance(found := place(text), Remote):
        raise UsageError(f"{text!r}: needed a folder on this machine")
    return found


def of(place: Place) -> Store:
    """Return what reads and writes there."""
    return place if isinstance(place, Remote) else Local(place)


def published_of(place: Place) -> Place:
    """Return where a place keeps the records of tasks with published figures, which have another page."""
    return place / PUBLISHED if isinstance(place, Path) else Remote(f"{place}/{PUBLISHED}")


def check_there(place: Place) -> Place:
    """Return the place itself. Raises UsageError where there is nothing."""
    if not of(place).exists():
        raise UsageError(f"no results folder {str(place)!r}: `python -m bench run` makes one")
    return place


def is_same(first: Place, second: Place) -> bool:
    """Return whether both are one."""
    if isinstance(first, Path) and isinstance(second, Path):
        return first.resolve() == second.resolve()
    return str(first) == str(second)


def unwritable(place: Place, why: str) -> UsageError:
    """Return the error for a place that takes no records."""
    return UsageError(f"results folder {str(place)!r} cannot be written: {why}")

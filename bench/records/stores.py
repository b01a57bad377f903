"""Where records lie: a folder of this machine, or a prefix of an object store, behind the same few operations.

A folder is a Path, all through the program; `s3://bucket/prefix`, and any other URL that fsspec knows, is a Remote.
What is made from records, the board and its pictures, is written on this machine: see `beside`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from bench.errors import UsageError
from bench.records import codec, files

LARGEST = codec.LARGEST
DEEPEST = 8  # folders within folders: records lie in the first
FIGURES = "figures"  # the folder of pictures beside the tasks' folders
BATCH = 256  # objects asked for at once
PAUSE, PATIENCE = 1.0, 180.0  # seconds: the first pause before a busy store is asked again, and all of them
#: errors that asking again does not mend
LASTING = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError, ImportError, ValueError)
ATTEMPTS = 2  # of a request that gets no answer: an endpoint out of reach is said to be so after seconds
OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"retries": {"total_max_attempts": ATTEMPTS}, "connect_timeout": 5, "read_timeout": 15}}
}

Content = tuple[str, bytes | Exception]  # a name, and what is there, or why it cannot be read


class Store(Protocol):
    """Records under names such as ten-step/gru--torch--seed42--KEY.json."""

    @property
    def beside(self) -> Path:
        """The folder of this machine for what is made from the records."""

    def names(self) -> list[str]:
        """The JSON files, at any depth but beside the pictures, sorted. Raises UsageError for a store out of reach."""

    def contents(self, names: Iterable[str]) -> Iterator[Content]:
        """What is under each name, in order."""

    def write(self, name: str, content: bytes) -> Path | str:
        """Put the content under the name, whole or not at all; returns where. Raises UsageError."""

    def set_aside(self, name: str) -> None:
        """Give what is there another name, that is no record's."""

    def exists(self) -> bool:
        """Whether anything is there. Raises UsageError for a store out of reach."""

    def is_gone(self) -> bool:
        """Whether it was there and is no more, as far as that can be told without waiting."""

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
    """The JSON files of a folder, in any order; also folders that cannot be read, or lie too deep: no records."""
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
            elif entry.name.startswith(".") or prefix + entry.name == FIGURES or not is_folder(entry):
                continue
            elif prefix.count("/") < DEEPEST:
                left.append(prefix + entry.name)
            else:
                yield prefix + entry.name


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder itself, not a link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


class Remote:
    """A prefix of an object store, where an object is put whole or not at all."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.answered = False  # so far: before that, a store out of reach is said to be so at once

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rpartition("/")[2]

    @property
    def beside(self) -> Path:
        """A folder called like the URL: s3://bucket/runs has bucket-runs."""
        return Path(re.sub(r"[^\w.-]+", "-", self.url.partition("://")[2], flags=re.ASCII).strip("-."))

    @cached_property
    def opened(self) -> tuple[Any, str]:
        """The file system and the prefix in it. Raises UsageError."""
        with self.trouble("cannot be opened"):
            from fsspec.core import url_to_fs

            protocol = self.url.partition("://")[0]
            options = {**OPTIONS.get(protocol, {}), "use_listings_cache": False, "skip_instance_cache": True}
            system, root = url_to_fs(self.url, **options)
            system.retries = ATTEMPTS
            return system, root

    @contextlib.contextmanager
    def trouble(self, what: str) -> Iterator[None]:
        """Say in one line what a store's own library raises, whichever kind of error that is."""
        try:
            yield
        except UsageError:
            raise
        except ModuleNotFoundError as error:
            raise UsageError(f"results {self.url!r}: {error.name} is not installed: {installer(self.url)}") from None
        except ImportError:
            raise UsageError(f"results {self.url!r}: its package is not installed: {installer(self.url)}") from None
        except Exception as error:
            raise UsageError(f"results {self.url!r} {what}: {reason_of(error)}") from None

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the file system, for minutes if need be when the store answers that it is busy."""
        for pause in pauses():
            try:
                answer = getattr(self.opened[0], method)(*arguments, **options)
                self.answered = True
                return answer
            except Exception as error:
                if pause is None or not (self.answered and is_passing(error)):
                    raise
                self.wait(pause, error)

    def wait(self, pause: float, error: BaseException) -> None:
        """Say, once, that the store is busy, and pause."""
        files.warn(f"results {self.url!r}: {reason_of(error)}: asking again, for {PATIENCE // 60:.0f} minutes at most")
        time.sleep(pause)

    def names(self) -> list[str]:
        with self.trouble("cannot be read"):
            root = self.opened[1]
            found = (path.removeprefix(root).lstrip("/") for path in self.ask("find", root))
            return sorted(name for name in found if is_record(name))

    def contents(self, names: Iterable[str]) -> Iterator[Content]:
        asked = list(names)
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            with self.trouble("cannot be read"):
                found = self.fetch(batch)
            yield from zip(batch, map(self.checked, found), strict=True)

    def fetch(self, names: Sequence[str]) -> list[bytes | Exception]:
        """What is under each name; those that a busy store refused are asked for again."""
        root, found = self.opened[1], dict[str, bytes | Exception]()
        for pause in pauses():
            left = [name for name in names if name not in found or is_passing(found[name])]
            paths = [f"{root}/{name}" for name in left]
            found |= zip(left, self.ask("cat_ranges", paths, 0, LARGEST + 1, on_error="return"), strict=True)
            busy = next((content for content in found.values() if is_passing(content)), None)
            if not isinstance(busy, Exception) or pause is None:
                break
            self.wait(pause, busy)
        return [found[name] for name in names]

    def checked(self, content: bytes | Exception) -> bytes | Exception:
        """The object, or why it is none. Raises UsageError for a store out of reach: its objects are not missing."""
        if isinstance(content, bytes):
            return content if len(content) <= LARGEST else ValueError(f"more than {LARGEST} bytes are not read")
        if isinstance(content, (ValueError, OSError)) and not is_passing(content):
            return content
        raise UsageError(f"results {self.url!r} cannot be read: {reason_of(content)}")

    def write(self, name: str, content: bytes) -> Path | str:
        with self.trouble("cannot be written"):
            self.ask("pipe_file", f"{self.opened[1]}/{name}", content)
        return f"{self.url}/{name}"

    def set_aside(self, name: str) -> None:
        with self.trouble("cannot be written"):
            root = self.opened[1]
            self.ask("mv", f"{root}/{name}", f"{root}/{left_out(name)}")

    def exists(self) -> bool:
        with self.trouble("cannot be read"):
            return bool(self.ask("find", self.opened[1]))

    def is_gone(self) -> bool:
        return False  # a put tells

    def check_writable(self) -> None:
        with self.trouble("cannot be written"):
            probe = f"{self.opened[1]}/.{os.urandom(8).hex()}.tmp"
            self.ask("pipe_file", probe, b"")
            self.ask("rm_file", probe)


def pauses() -> Iterator[float | None]:
    """Yield pauses in seconds, each twice the last up to half a minute, PATIENCE in all; then None."""
    spent, pause = 0.0, PAUSE
    while spent < PATIENCE:
        yield pause
        spent, pause = spent + pause, min(2 * pause, 30.0)
    yield None


def is_passing(error: object) -> bool:
    """Whether it is an error that may be gone in a while: the store is busy, or out of reach."""
    return isinstance(error, Exception) and not isinstance(error, LASTING)


Place = Path | Remote


def place(text: str | Path) -> Place:
    """What `--results` names: a folder, or a URL of an object store. Raises UsageError for a URL of no store."""
    protocol, separator, rest = str(text).partition("://")
    if not separator:
        return Path(text)
    if protocol == "file":
        return Path(rest)
    if not rest.strip("/"):
        raise UsageError(f"{str(text)!r}: a bucket and a prefix are needed, as in s3://bucket/prefix")
    with (remote := Remote(str(text))).trouble("cannot be opened"):
        from fsspec.registry import available_protocols

        if protocol not in available_protocols():
            raise UsageError(f"{str(text)!r}: a folder is needed, or a URL that fsspec knows, as s3://...")
    return remote


def folder(text: str) -> Path:
    """A folder of this machine. Raises UsageError for a URL."""
    if isinstance(found := place(text), Remote):
        raise UsageError(f"{text!r}: a folder of this machine is needed here")
    return found


def of(place: Place) -> Store:
    """What reads and writes there."""
    return place if isinstance(place, Remote) else Local(place)


def check_there(place: Place) -> Place:
    """The place itself. Raises UsageError where there is nothing."""
    if not of(place).exists():
        raise UsageError(f"no results folder {str(place)!r}: `python -m bench run` makes one")
    return place


def is_same(first: Place, second: Place) -> bool:
    """Whether both are one."""
    if isinstance(first, Path) and isinstance(second, Path):
        return first.resolve() == second.resolve()
    return str(first) == str(second)


def is_record(name: str) -> bool:
    """Whether an object can be a record, by its name."""
    folders = name.split("/")[:-1]
    return name.endswith(".json") and FIGURES not in folders[:1] and not any(one.startswith(".") for one in folders)


def left_out(name: str) -> str:
    """A new name for what is no record but has a record's."""
    return f"{name}.{os.urandom(4).hex()}.left-out"


def unwritable(place: Place, why: str) -> UsageError:
    """The error for a place that takes no records."""
    return UsageError(f"results folder {str(place)!r} cannot be written: {why}")


def installer(url: str) -> str:
    """How the package that a URL needs is installed."""
    return "pip install 'aheadbench[s3]'" if url.startswith("s3:") else "install what fsspec needs for it"


def reason_of(error: BaseException) -> str:
    """A store's error in one line; those of the operating system and the like carry their words in other places."""
    text = " ".join(str(error).split()) or getattr(error, "strerror", None) or ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

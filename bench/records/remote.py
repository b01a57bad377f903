"""Records in an object store: a prefix of a bucket, or any other URL that fsspec knows."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.records import codec, files

LARGEST = codec.LARGEST
FIGURES = "figures"  # the folder of pictures beside the tasks' folders
PUBLISHED = "published"  # the folder of records of tasks with published figures, which have another page
BATCH = 256  # objects asked for at once
PAUSE, PATIENCE = 1.0, 180.0  # seconds: the first pause before a busy store is asked again, and all of them
#: errors that asking again does not mend
LASTING = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError, ImportError, ValueError)
ATTEMPTS = 2  # of a request that gets no answer: an endpoint out of reach is said to be so after seconds
OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"retries": {"total_max_attempts": ATTEMPTS}, "connect_timeout": 5, "read_timeout": 15}}
}

Content = tuple[str, bytes | Exception]  # a name, and what is there, or why it cannot be read


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
        """Return what is under each name; those that a busy store refused are asked for again."""
        root, found, answered = self.opened[1], dict[str, bytes | Exception](), self.answered
        for pause in pauses():
            left = [name for name in names if name not in found or is_passing(found[name])]
            paths = [f"{root}/{name}" for name in left]
            found |= zip(left, self.ask("cat_ranges", paths, 0, LARGEST + 1, on_error="return"), strict=True)
            busy = next((content for content in found.values() if is_passing(content)), None)
            answered = answered or not all(map(is_passing, found.values()))
            self.answered = answered  # errors that are handed back are no answer
            if not isinstance(busy, Exception) or pause is None or not answered:
                break
            self.wait(pause, busy)
        return [found[name] for name in names]

    def checked(self, content: bytes | Exception) -> bytes | Exception:
        """Return the object, or why it is none.

        Raises UsageError for a store out of reach: its objects are not missing.
        """
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
    """Return whether it is an error that may be gone in a while: the store is busy, or out of reach."""
    if isinstance(error, OSError) and error.errno == errno.EINVAL:  # so s3fs calls a range of an empty object
        return False
    return isinstance(error, Exception) and not isinstance(error, LASTING)


def is_record(name: str) -> bool:
    """Return whether an object can be a record, by its name."""
    folders = name.split("/")[:-1]
    aside = folders[:1] in ([FIGURES], [PUBLISHED]) or any(one.startswith(".") for one in folders)
    return name.endswith(".json") and not aside


def left_out(name: str) -> str:
    """Return a new name for what is no record but has a record's."""
    return f"{name}.{os.urandom(4).hex()}.left-out"


def installer(url: str) -> str:
    """Return how the package that a URL needs is installed."""
    return "pip install 'aheadbench[s3]'" if url.startswith("s3:") else "install what fsspec needs for it"


def reason_of(error: BaseException) -> str:
    """Return a store's error in one line.

    Those of the operating system and the like carry their words in other places.
    """
    text = " ".join(str(error).split()) or getattr(error, "strerror", None) or ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

"""Download public files, unmodified, into the user's cache: retried, resumed, and kept only with the right sha256.

pooch, the library for this, checks and retries but starts a broken download again from its beginning.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from bench import __version__
from bench.data.public import VARIABLE, Dataset, File, folder
from bench.errors import UsageError
from bench.records import files

TRIES = 5
TIMEOUT = 30.0  # seconds without a byte
PAUSE = 1.0  # seconds before the second try; doubled for each further one
CHUNK = 2**16
LARGEST = 2**30  # bytes: none of the data sets has a tenth of that
GONE = (400, 401, 403, 404, 405, 410)  # answers that another try does not change

Told = Callable[[str], None]


def get(wanted: Dataset, source: Path | None, mirror: str | None, tell: Told) -> None:
    """Put the files of a data set into the cache, those that are there already aside.

    source: a folder that has them; mirror: another address to download from, which ends in a folder. Raises UsageError
    where both are given, and where a file cannot be had or has another checksum; nothing of it is left then.
    """
    if source and mirror:
        raise UsageError("--from and --mirror: the files come from a folder or from an address, give one of them")
    target = folder()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{files.reason_of(error)}; {VARIABLE} names another folder"
        raise UsageError(f"the cache {str(target)!r} cannot be written: {reason}") from None
    for one in wanted.files:
        path = target / one.name
        if path.is_file() and matches(one, digest_of(path)):
            tell(f"{path} is there already")
            continue
        if source:
            copy(one, source / one.name, path)
        else:
            url = f"{mirror.rstrip('/')}/{one.name}" if mirror else one.url
            download(url, path, one, tell)
        known = "as expected" if one.sha256 else "no checksum to compare with is known"
        tell(f"{path}: {path.stat().st_size:,} bytes, sha256 {digest_of(path)[:16]}…, {known}")


def matches(one: File, digest: str) -> bool:
    """Tell whether a file has the sha256 that it should have, where that is known."""
    return one.sha256 in (None, digest)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file. Raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {files.reason_of(error)}") from None


def copy(one: File, source: Path, path: Path) -> None:
    """Take a file from a folder. Raises UsageError where it is missing or another one."""
    if not source.is_file():
        folder_there = source.parent.is_dir()
        what = f"there is no {one.name} in" if folder_there else "needed a folder that is there, got"
        raise UsageError(f"--from: {what} {str(source.parent)!r}")
    part = partial(path)
    try:
        shutil.copyfile(source, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        place, done = (source, "read") if error.filename == str(source) else (part, "written")
        raise UsageError(f"{str(place)!r} cannot be {done}: {files.reason_of(error)}") from None
    keep(one, part, path, str(source))


def partial(path: Path) -> Path:
    """Return where a file lies until it is whole."""
    return path.with_name(path.name + ".part")


def keep(one: File, part: Path, path: Path, source: str) -> None:
    """Give a file its name once its checksum is right. Raises UsageError, and deletes it, where it is not."""
    got = digest_of(part)
    if not matches(one, got):
        part.unlink()
        raise UsageError(f"{source} is another file: got sha256 {got}, expected {one.sha256}; nothing of it is kept")
    os.replace(part, path)


def download(url: str, path: Path, one: File, tell: Told) -> None:
    """Download a file, resumed where a try broke off. Raises UsageError where it cannot be had.

    What a try that broke off has left is kept for the next call; what an earlier call left may be of another version
    of the file, so with a wrong checksum it is downloaded once more from its beginning.
    """
    part, reason = partial(path), ""
    old = part.is_file()
    for number in range(TRIES):
        if number:
            tell(f"{one.name}: {reason}; try {number + 1} of {TRIES}")
            time.sleep(PAUSE * 2 ** (number - 1))
        try:
            fetch(url, part)
            if not old or matches(one, digest_of(part)):
                return keep(one, part, path, url)
            reason, old = "what an earlier download left is of another file", False
            part.unlink()
        except urllib.error.HTTPError as error:
            reason = f"the server answered {error.code} {error.reason}"
            if error.code == 416:  # it has no more than what is there, which is of another file
                part.unlink(missing_ok=True)
            if error.code in GONE:
                break
        except (OSError, HTTPException) as error:
            reason = reason_of(error)
    raise UsageError(f"{url} cannot be downloaded: {reason}; --from FOLDER takes {one.name} from a folder")


def reason_of(error: Exception) -> str:
    """Return why a try failed, in one line."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError | socket.timeout):
        return f"no answer within {TIMEOUT:g} s"
    return getattr(cause, "strerror", None) or " ".join(str(cause).split()) or type(cause).__name__


def fetch(url: str, part: Path) -> None:
    """Add what is missing of a file to its part. Raises OSError or HTTPException where the server stops too early.

    Raises UsageError for an invalid address and for a file that is too large.
    """
    had = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": f"aheadbench/{__version__}", **({"Range": f"bytes={had}-"} if had else {})}
    check_address(url)
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
        resumed = answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(f"bytes {had}-")
        size = had if resumed else 0
        with opened_for(part, "ab" if resumed else "wb") as opened:
            for chunk in chunks(answer):
                write(chunk, opened, part)
                size += len(chunk)
                if size > LARGEST:
                    raise UsageError(f"{url} has more than {LARGEST:,} bytes")
    length = answer.headers.get("Content-Length")
    if length and length.isdecimal() and size < (had if resumed else 0) + int(length):
        raise ConnectionError(f"the connection broke off after {size:,} bytes")


def opened_for(part: Path, mode: str) -> IO[bytes]:
    """Open a part for writing. Raises UsageError where that cannot be: another try would not change it."""
    try:
        return part.open(mode)
    except OSError as error:
        raise UsageError(f"{str(part)!r} cannot be written: {files.reason_of(error)}") from None


def write(chunk: bytes, opened: IO[bytes], part: Path) -> None:
    """Add bytes to a part. Raises UsageError where that cannot be, as on a full disk."""
    try:
        opened.write(chunk)
    except OSError as error:
        raise UsageError(f"{str(part)!r} cannot be written: {files.reason_of(error)}") from None


def check_address(url: str) -> None:
    """Raise UsageError for what is no address of a web server."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:  # a port of letters, a bracket that is not closed
        valid = False
    if not valid:
        raise UsageError(f"--mirror {url!r}: an address that begins with https:// or http:// is needed")


def chunks(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield what a server sends."""
    while chunk := answer.read(CHUNK):
        yield chunk

"""Campaigns that share their records: who is at which job, so that none is run twice.

A claim is a locked file, results/.running/KEY. The lock ends with its process, however that ends, and so does the
claim. On a file system without locks every claim is granted: a job may run twice then, but its record is still one
whole file. In an object store, where nothing ends with its process, none is claimed: what another campaign has finished
is not run again, what it is at may be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bench.errors import UsageError
from bench.records import files, repository
from bench.records.files import reason_of
from bench.records.remote import Remote
from bench.records.stores import Place
from bench.schema.record import Run

RUNNING = ".running"


def of(place: Place, known: Mapping[str, Run]) -> NoLocks:
    """Return how a campaign claims jobs whose records are kept there."""
    return NoLocks(place, known) if isinstance(place, Remote) else FolderLocks(place, known)


class NoLocks:
    """Every claim is granted; what has been recorded since this campaign was planned is still seen.

    Without a place, there is no other campaign.
    """

    def __init__(self, place: Place | None = None, known: Mapping[str, Run] | None = None) -> None:
        self.place, self.known = place, known or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def take(self, key: str) -> bool:  # noqa: ARG002  (a lock's signature)
        """Claim the job with this key; False while another campaign is at it."""
        return True

    def is_done(self, name: str) -> bool:
        """Return whether a final record of this name has come since this campaign was planned."""
        if self.place is None:
            return False
        run = repository.look_up(self.place, [name])[0].get(name)
        return run is not None and run.is_final and run != self.known.get(name)

    def release(self, key: str) -> None:  # noqa: ARG002
        """End the claim: the job's record is stored."""
        return None


class FolderLocks(NoLocks):
    """The same, and the jobs that this campaign is at, which no other one on the folder is then."""

    def __init__(self, folder: Path, known: Mapping[str, Run]) -> None:
        super().__init__(folder, known)
        self.folder = folder
        self.running = folder / RUNNING
        self.held: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Remove what killed processes left: their claims and half-written files."""
        files.sweep(self.running, "*")
        for pattern in (files.TEMPORARY, f"*/{files.TEMPORARY}"):
            files.sweep(self.folder, pattern)
        return self

    def __exit__(self, *error: object) -> None:
        for key in list(self.held):
            self.release(key)
        with contextlib.suppress(OSError):
            self.running.rmdir()  # unless another campaign is running

    def take(self, key: str) -> bool:
        """Claim the job with this key; False while another campaign is at it. Raises UsageError without a folder."""
        while True:
            try:
                handle = files.hold(self.running / key)
                break
            except FileNotFoundError:  # the first claim, or the last of another campaign that took the folder with it
                self.make_folder()
            except OSError as error:
                raise self.unwritable(error) from None
        if handle is not None:
            self.held[key] = handle
        return handle is not None

    def make_folder(self) -> None:
        """Create the claims' folder, not the records' own: had that vanished, it should not come back unnoticed."""
        try:
            self.running.mkdir(exist_ok=True)
        except OSError as error:
            raise self.unwritable(error) from None

    def unwritable(self, error: OSError) -> UsageError:
        """Return the error for a folder that has been read-only, full or gone since the campaign began."""
        return UsageError(f"results folder {str(self.folder)!r} cannot be written: {reason_of(error)}")

    def release(self, key: str) -> None:
        """End the claim: the job's record is stored."""
        if (handle := self.held.pop(key, None)) is not None:
            files.let_go(self.running / key, handle)

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
from bench.execution import jobs
from bench.execution.jobs import Job
from bench.records import files, repository
from bench.records.files import reason_of
from bench.records.repository import Run
from bench.records.stores import Place, Remote

RUNNING = ".running"


def of(place: Place, known: Mapping[str, Run]) -> Claims | Unclaimed:
    """How a campaign claims jobs whose records are kept there."""
    return Unclaimed(place, known) if isinstance(place, Remote) else Claims(place, known)


class Unclaimed:
    """The records that were there when this campaign was planned, and those that have come since."""

    def __init__(self, place: Place, known: Mapping[str, Run]) -> None:
        self.place, self.known = place, known

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def take(self, job: Job) -> bool:
        """Whether this campaign may run the job now: it always may."""
        return True

    def is_done(self, job: Job) -> bool:
        """Whether a record that counts has come since this campaign was planned."""
        run = repository.look_up(self.place, [job.name])[0].get(job.name)
        return run is not None and run.status in jobs.KEPT and run != self.known.get(job.name)

    def release(self, job: Job) -> None:
        """The job's record is stored."""
        return None


class Claims(Unclaimed):
    """The same, and the jobs that this campaign is at, which no other one on the folder is then."""

    def __init__(self, folder: Path, known: Mapping[str, Run]) -> None:
        super().__init__(folder, known)
        self.folder = folder
        self.running = folder / RUNNING
        self.held: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Clear away what killed processes left: their claims and half-written files."""
        files.sweep(self.running, "*")
        for pattern in (files.TEMPORARY, f"*/{files.TEMPORARY}"):
            files.sweep(self.folder, pattern)
        return self

    def __exit__(self, *error: object) -> None:
        for key in list(self.held):
            self.let_go(key)
        with contextlib.suppress(OSError):
            self.running.rmdir()  # unless another campaign is running

    def take(self, job: Job) -> bool:
        """Whether this campaign may run the job now. Raises UsageError where nothing can be written."""
        while True:
            try:
                handle = files.hold(self.running / job.key)
                break
            except FileNotFoundError:  # the first claim, or the last of another campaign that took the folder with it
                self.make_folder()
            except OSError as error:
                raise self.unwritable(error) from None
        if handle is not None:
            self.held[job.key] = handle
        return handle is not None

    def make_folder(self) -> None:
        """Create the claims' folder, not the records' own: had that vanished, it should not come back unnoticed."""
        try:
            self.running.mkdir(exist_ok=True)
        except OSError as error:
            raise self.unwritable(error) from None

    def unwritable(self, error: OSError) -> UsageError:
        """The error for a folder that has been read-only, full or gone since the campaign began."""
        return UsageError(f"results folder {str(self.folder)!r} cannot be written: {reason_of(error)}")

    def release(self, job: Job) -> None:
        """The job's record is stored."""
        self.let_go(job.key)

    def let_go(self, key: str) -> None:
        """End a claim."""
        if (handle := self.held.pop(key, None)) is not None:
            files.let_go(self.running / key, handle)

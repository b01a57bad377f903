"""Campaigns that share a folder of records: who is at which job, so that none is run twice.

A claim is a locked file, results/.running/KEY. The lock ends with its process, however that ends, and so does the
claim. On a file system without locks every claim is granted: a job may run twice then, but its record is still one
whole file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from bench import files, plan, results
from bench.errors import UsageError
from bench.files import reason_of
from bench.plan import Job
from bench.results import Run

RUNNING = ".running"


class Claims:
    """The jobs that this campaign is at, and the records that were there when it was planned."""

    def __init__(self, folder: Path, known: Mapping[str, Run]) -> None:
        self.folder, self.known = folder, known
        self.running = folder / RUNNING
        self.held: dict[str, int] = {}

    def __enter__(self) -> Claims:
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

    def is_done(self, job: Job) -> bool:
        """Whether a record that counts has come since this campaign was planned."""
        run = results.look_up(self.folder, [job.name])[0].get(job.name)
        return run is not None and run.status in plan.KEPT and run != self.known.get(job.name)

    def release(self, job: Job) -> None:
        """The job's record is stored."""
        self.let_go(job.key)

    def let_go(self, key: str) -> None:
        """End a claim."""
        if (handle := self.held.pop(key, None)) is not None:
            files.let_go(self.running / key, handle)

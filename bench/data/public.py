"""Public data sets that are downloaded into the user's cache, unmodified: where from, their checksums and licences.

None is shipped: that of ETT (CC BY-ND 4.0) forbids cut copies, and M4's files have none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from bench.data.tables import content_of
from bench.errors import UsageError, unknown

VARIABLE = "AHEADBENCH_DATA"  # another folder than the user's cache

ETT = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/"
CHECKSUMS = {
    "ETTh1": "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    "ETTh2": "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b",
    "ETTm1": "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e",
}
M4 = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/master/Dataset/"


@dataclass(frozen=True)
class File:
    """A file of a data set: its address, and the sha256 of its content; None where no source states it."""

    url: str
    sha256: str | None

    @property
    def name(self) -> str:
        """Its name in the cache, and in a folder given by --from."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Dataset:
    """A public data set."""

    name: str
    about: str
    licence: str
    paper: str
    files: tuple[File, ...]
    rows_are_series: bool = False  # as in M4's two files: what was known, then what came


def ett(name: str, often: str, *files: str) -> Dataset:
    """Return the data of one transformer, or of several."""
    about = f"oil temperature and six loads of an electricity transformer, every {often}, 2016-2018"
    paper = "Zhou et al. 2021, Informer, arXiv 2012.07436"
    found = tuple(File(f"{ETT}{file}.csv", CHECKSUMS[file]) for file in files or (name,))
    return Dataset(name.lower(), about, "CC BY-ND 4.0", paper, found)


def m4(name: str, count: int, train: str | None = None, test: str | None = None) -> Dataset:
    """Return the series of one rhythm of the M4 competition."""
    files = (File(f"{M4}Train/{name}-train.csv", train), File(f"{M4}Test/{name}-test.csv", test))
    paper = "Makridakis, Spiliotis & Assimakopoulos 2020, doi:10.1016/j.ijforecast.2019.04.014"
    about = f"{count:,} {name.lower()} series of the M4 competition"
    return Dataset(f"m4-{name.lower()}", about, "none stated: not for redistribution", paper, files, True)


DATASETS = {
    one.name: one
    for one in (
        ett("ETTh1", "hour"),
        ett("ETTh2", "hour"),
        ett("ETTh", "hour", "ETTh1", "ETTh2"),  # both, as fev has them
        ett("ETTm1", "15 minutes"),
        m4("Hourly", 414),
        m4("Weekly", 359, "d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714",
           "3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688"),
        m4("Quarterly", 24_000),
    )
}  # fmt: skip


def dataset_of(name: str) -> Dataset:
    """Return a data set. Raises UsageError for one that does not exist."""
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def folder() -> Path:
    """Return where downloaded files are kept: AHEADBENCH_DATA, or the user's cache."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else platformdirs.user_cache_path("aheadbench", appauthor=False) / "data"


def contents(name: str) -> list[bytes]:
    """Return the files of a data set from the cache. Raises UsageError where one is missing."""
    if lacking := missing([name]):
        raise UsageError(lacking)
    return [checked(one, content_of(folder() / one.name), name) for one in dataset_of(name).files]


def missing(names: Iterable[str]) -> str:
    """Say which files of these data sets are not in the cache, and which command gets them; nothing where all are."""
    lacking = {name: [one.name for one in dataset_of(name).files if not (folder() / one.name).is_file()]
               for name in names}  # fmt: skip
    found = list(dict.fromkeys(file for files in lacking.values() for file in files))
    if not found:
        return ""
    command = " ".join(["python -m bench data get", *(name for name, files in lacking.items() if files)])
    are, them = ("is", "it") if len(found) == 1 else ("are", "them")
    return (f"{', '.join(found)} {are} not on this machine: {command} downloads {them}, "
            f"--from FOLDER takes {them} from a folder")  # fmt: skip


def checked(one: File, content: bytes, name: str) -> bytes:
    """Return a file's content. Raises UsageError where it is not what was downloaded."""
    got = hashlib.sha256(content).hexdigest()
    if one.sha256 not in (None, got):
        raise UsageError(f"{str(folder() / one.name)!r} was changed: got sha256 {got}, expected {one.sha256}: "
                         f"python -m bench data get {name} downloads it again")  # fmt: skip
    return content

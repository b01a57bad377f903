"""The cache of compiled programs, shared by all runs of one machine: JAX and TensorFlow keep what XLA has compiled.

Compiling takes longer than training for most networks here. A program from the cache is the same program, so results
keep their bits (tests/bench/execution/test_compilation.py). The cache has a folder for each set of versions and each
CPU or GPU, may be shared by campaigns and deleted at any time, and is emptied when it grows past its limit. Methods
from outside do not use it: what their process writes must not reach another run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import msgspec
import platformdirs

from bench.execution.reuse import BEFORE
from bench.machine import environment
from bench.schema.record import Run, Spec

VARIABLE = "AHEADBENCH_CACHE"  # the folder of the cache; set but empty: no cache
BACKENDS = ("keras", "keras-jax")  # whose programs XLA compiles
WORD, BROKEN = "compilation_cache", "damaged"  # in a record's environment
WARNING = b"Error reading persistent compilation cache entry"  # of JAX
LARGEST = 2**30  # bytes; a program takes 10 kB to 1 MB
OWNER_ONLY = 0o700


def variables(spec: Spec) -> dict[str, str]:
    """Return the environment variables that make the run's framework use the cache; none where it cannot be used."""
    folder = folder_of(spec)
    if folder is None:
        return {}
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TF_XLA_FLAGS": f"--tf_xla_persistent_cache_directory={folder / 'tensorflow'}",
    }


def seen(spec: Spec) -> frozenset[int] | None:
    """Return at which places in a worker the run's programs have been compiled before; None where it has no cache."""
    folder = folder_of(spec)
    if folder is None:
        return None
    found = (folder / "seen").glob(f"{program_of(spec)}.*")
    return frozenset(int(path.suffix[1:]) for path in found if path.suffix[1:].isdecimal())


def note(spec: Spec, place: int = 0) -> None:
    """Remember that the run's programs are in the cache: called when a run of them ended well."""
    folder = folder_of(spec)
    if folder is not None:
        (folder / "seen" / f"{program_of(spec)}.{place}").touch()


def place_of(run: Run) -> int:
    """Return how many runs its worker had served, where that decides which programs fit: TensorFlow numbers them."""
    served = run.environment.get(BEFORE)
    return served if run.spec.backend == "keras" and isinstance(served, int) else 0


def marked(run: Run, before: frozenset[int] | None) -> Run:
    """Return the run with a word on its cache, which explains its `first_step`; remember the programs of a good run.

    before: what was `seen` when it began.
    """
    if before is None or run.status != "ok":
        return run
    if run.environment.get(WORD) == BROKEN:
        forget(run.spec)
        return run
    place = place_of(run)
    note(run.spec, place)
    word = "warm" if place in before else "cold"
    return msgspec.structs.replace(run, environment={**run.environment, WORD: word})


def checked(run: Run, printed: bytes) -> Run:
    """Return the run, and say of one whose worker printed so that a program was damaged and compiled again.

    JAX does that, and never writes over the damaged one; TensorFlow fails.
    """
    if WARNING not in printed:
        return run
    return msgspec.structs.replace(run, environment={**run.environment, WORD: BROKEN})


def folder_of(spec: Spec) -> Path | None:
    """Return the cache's folder for this run's versions and hardware, made if need be; None where there is none."""
    root = root_folder()
    if root is None or spec.backend not in BACKENDS or spec.source:
        return None
    folder = root / kind_of(spec)
    try:
        for name in ("jax", "tensorflow", "seen"):
            (folder / name).mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    except OSError:  # a read-only home: runs compile as they would without a cache
        return None
    return folder


def kind_of(spec: Spec) -> str:
    """Return a digest of what a compiled program depends on that is not in the program: versions and hardware."""
    parts = [environment.packages(), environment.cpu_model(), "cuda" if spec.cuda else "cpu"]
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]


def program_of(spec: Spec) -> str:
    """Return a digest of what decides the programs of a run: all of its spec but the seed."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(spec, seed=0), order="sorted")).hexdigest()[:16]


def root_folder() -> Path | None:
    """Return the folder of the whole cache; None where the user wants none."""
    root = os.environ.get(VARIABLE, platformdirs.user_cache_dir("aheadbench", appauthor=False))
    return Path(root) / "compiled" if root else None


def forget(spec: Spec) -> None:
    """Delete the programs of this run's versions and hardware: one of them is damaged, and nobody can tell which."""
    folder = folder_of(spec)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def trim() -> None:
    """Empty the cache when it has grown past its limit, before a campaign: a run in flight compiles again."""
    folder = root_folder()
    if folder is not None and folder.is_dir() and size_of(folder) > LARGEST:
        shutil.rmtree(folder, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:  # another campaign has just replaced it
                continue
    return total

"""Where records are kept: results/<task>/<method>--<backend>--seed<S>--<key>.json, one file per run.

That needs no lock, merges in git without conflict, and a torn or edited file is found: its name, key, schema and
checksum have to agree (`bench.records.codec`). Nothing here deletes a record.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.errors import NotStored, UsageError
from bench.records import codec, files, stores
from bench.records.stores import Place
from bench.schema.record import BARE, Planned, Run
from bench.text import clean

Curve = dict[str, list[float]]
Keep = Callable[[Run], Curve | None]  # what of a record's learning curve is kept

ALIKE = ("task", "method", "backend", "settings", "data_sha256")  # fields of a spec that many runs have in common


class Records(NamedTuple):
    """What a folder holds."""

    runs: list[Run]
    problems: list[str]  # one line for each file that is no valid record


def read(place: Place, keep: Keep | None = None) -> Records:
    """Read every valid record, in the order of names.

    With `keep`, each is freed of what fills most of the memory, once it is checked: samples, digests, errors by step,
    errors by block of the validation part, and the learning curve but for what `keep` returns. What many records say
    alike, they then share, and errors by block of the test part become arrays.
    """
    runs, problems = [], []
    lightened = Lightened(keep) if keep else None
    with collection_paused():
        for name, run in load_all(place, names(place)):
            if isinstance(run, Exception):
                problems.append(problem(name, run))
            else:
                runs.append(lightened(run) if lightened else run)
    return Records(runs, problems)


def read_all(place: Place) -> Records:
    """Read every valid record, also those of tasks with published figures, which no board has."""
    own, others = read(place), read(stores.published_of(place))
    problems = [f"{stores.PUBLISHED}/{problem}" for problem in others.problems]
    return Records([*own.runs, *others.runs], [*own.problems, *problems])


def problem(name: str, error: Exception) -> str:
    """Say in one line that prints why a file is no valid record."""
    return clean(f"{name}: {files.reason_of(error)}", longest=400)


def no_curve(_run: Run) -> None:
    """Keep nothing of a record's learning curve."""


class Lightened:
    """A record without what fills its memory; settings, packages and texts equal to an earlier one's are that one's."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.known: dict[bytes, Any] = {}

    def __call__(self, run: Run) -> Run:
        """Return the record, lightened."""
        blocks = {name: values for name, values in (run.blocks or {}).items() if name == "test"}
        spec = msgspec.structs.replace(run.spec, **{name: self.shared(getattr(run.spec, name)) for name in ALIKE})
        environment = {  # numbers, most of what there is, are as small as a reference to them
            name: self.shared(value) if type(value) in (str, dict) else value for name, value in run.environment.items()
        }
        return msgspec.structs.replace(
            run,
            spec=spec,
            environment=environment,
            curve=compact(self.keep(run)),
            samples=None,
            digest=None,
            mse_by_step=msgspec.UNSET,
            blocks=compact(blocks) or msgspec.UNSET,
        )

    def shared(self, value: Any) -> Any:
        """Return an earlier text or table equal to this one."""
        if isinstance(value, str):
            return sys.intern(value)
        return self.known.setdefault(msgspec.json.encode(value), value)


def compact(lists: Mapping[Any, Sequence[float]] | None) -> Any:
    """Return the lists as arrays, a quarter of their size."""
    return lists and {name: array("d", values) for name, values in lists.items()}


def look_up(place: Place, wanted: Iterable[str]) -> tuple[dict[str, Run], list[str]]:
    """Find the records under these names that are there and valid, and one line for each that is not valid.

    Of each only what a plan needs is read and kept: a hundred thousand take little time and memory.
    """
    runs, problems = {}, []
    with collection_paused():
        for name, run in load_all(place, wanted, Planned):
            if isinstance(run, (FileNotFoundError, NotADirectoryError)):
                continue
            if isinstance(run, Exception):
                problems.append(problem(name, run))
            else:
                there: dict[str, Any] = {} if run.blocks is msgspec.UNSET else {"blocks": {}}  # whether it has them
                if run.seconds and not run.timing_valid:
                    there["environment"] = share_of_core(run)
                runs[name] = msgspec.structs.replace(run, **{**BARE, **there})
    return runs, problems


class Shared(msgspec.Struct):
    """What a plan needs of a disturbed run's environment: how much of a core it had."""

    fit_cores: Any = None


def share_of_core(run: Run) -> dict[str, Any]:
    """Return that part of an environment that is not decoded yet."""
    written: Any = run.environment
    return msgspec.structs.asdict(msgspec.json.decode(written, type=Shared))


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the garbage collector: it would visit all records again and again and find none of them garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def names(place: Place) -> list[str]:
    """List the JSON files there, at any depth but the pictures', relative to it and sorted."""
    return stores.of(place).names()


def load(place: Place, name: str) -> Run:
    """Read the run under this name. Raises ValueError and OSError for anything else."""
    ((_, run),) = load_all(place, [name])
    if isinstance(run, Exception):
        raise run
    return run


def load_all(place: Place, names: Iterable[str], kind: type[Run] = Run) -> Iterator[tuple[str, Run | Exception]]:
    """Read the run under each name, or the ValueError or OSError for what is none."""
    for name, content in stores.of(place).contents(names):
        if isinstance(content, Exception):
            yield name, content
            continue
        try:
            yield name, codec.decode(content, name, kind)
        except ValueError as error:
            yield name, error


def find(runs: Iterable[Run], name: str) -> Run:
    """Find the run with that key, or the only one whose key begins so. Raises UsageError for none or several."""
    found = [run for run in runs if run.key.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name!r} begins {len(found)} keys: {', '.join(run.key for run in found[:5])}")
    raise UsageError(f"no run with key {name!r}: `python -m bench list runs` shows them")


def open_run(name: str, place: Place) -> Run:
    """Read the run in a file of that name, or with a key that begins so. Raises UsageError where there is none."""
    path = Path(name)
    if not path.is_file():
        return find(read(place).runs, name)
    try:
        return codec.decode(files.read(path, stores.LARGEST), Path(path.resolve().parent.name, path.name))
    except ValueError as error:
        raise UsageError(f"{name!r} is not a valid record: {error}") from None


def check_writable(place: Place) -> None:
    """Create the place where it is missing. Raises UsageError when records cannot be written there."""
    stores.of(place).check_writable()


def write(place: Place, run: Run) -> Path | str:
    """Store a run, whole or not at all, whenever the machine stops; returns where.

    Raises ValueError for a run that could not be read again, UsageError when it cannot be written.
    """
    content, name = codec.encode(run), codec.path_of(run.spec).as_posix()
    codec.decode(content, name)
    move_aside(place, name)
    return stores.of(place).write(name, content)


def move_aside(place: Place, name: str) -> None:
    """Give what is no valid record another name: a new record takes its place, and it is not ours to delete."""
    try:
        load(place, name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (ValueError, OSError):
        stores.of(place).set_aside(name)


def keep(place: Place, run: Run) -> str | None:
    """Store the run, or say why the earlier one stays: the machine's bad day takes no result away.

    Raises UsageError where it cannot be stored, after it was kept elsewhere; NotStored where nothing takes it.
    """
    name = codec.path_of(run.spec).as_posix()
    try:
        earlier = look_up(place, [name])[0].get(name)
        if earlier and earlier.status == "ok" and not run.is_final:
            return "the earlier result is kept"
        if stores.of(place).is_gone():
            raise UsageError(f"results folder {str(place)!r} is gone")
        write(place, run)
    except UsageError as error:
        raise keep_aside(run, str(error)) from None
    return None


def keep_aside(run: Run, why: str) -> UsageError:
    """Keep a record that its folder does not take among the temporary files; returns the error that says where."""
    content = codec.encode(run)
    try:
        folder = tempfile.mkdtemp(prefix="aheadbench-kept-")
        path = Path(folder, codec.path_of(run.spec))  # a folder of records, as `merge` takes them
        files.replace(path, content, into_new_folder=True)
    except (OSError, UsageError):
        return NotStored(f"{why}; the record that it should take is printed on standard output", content.decode())
    return UsageError(
        f"{why}; the record that it should take is kept as {str(path)!r}: `bench merge {folder}` takes it"
    )

"""Run, the record of one finished job, and how it is stored: results/<task>/<method>--<backend>--seed<S>--<key>.json.

One file per run needs no lock, merges in git without conflict, and a torn or edited file is found out: its name, key,
schema and checksum have to agree. Nothing here deletes a record.

The checksum on a record's last line is the sha256 of all bytes before it. It finds what chance, a disk, a merge or an
editor changes. It is no signature: whoever changes a record on purpose can write a new one. Only running the job
again, and comparing its digests, tells then.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from bench import __version__
from bench.analysis import anytime
from bench.errors import UsageError
from bench.records import files, stores
from bench.records.stores import Place
from bench.schema.series import Preparation

SCHEMA = 2
Status = Literal["ok", "diverged", "failed", "timeout", "oom", "lost"]
DROPPED: dict[str, Any] = dict.fromkeys(("curve", "samples", "digest"))  # of a lean record
BARE: dict[str, Any] = {**DROPPED, "examples": None, "environment": {}}  # what is neither planned nor counted with

Positive = Annotated[float, msgspec.Meta(ge=0)]  # JSON has no infinity and no NaN
PLAIN = re.compile(r"[a-zA-Z0-9_][\w.-]{0,63}", re.ASCII)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Where a method comes from that is not of this repository."""

    reference: str  # mine.py:MyForecaster, or what a package's entry point names
    version: str  # the sha256 of the file, or the package's version


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What was asked for: equal specs mean the same run."""

    task: str
    method: str
    backend: str
    seed: int
    settings: dict[str, int | float | str | bool | None]  # every setting of the method, defaults resolved
    changed: tuple[str, ...] = ()  # settings that differ from the method's defaults, sorted: empty = the default row
    quick: bool = False  # small data, 2 epochs: never ranked with full runs
    #: each framework's own defaults; absent where they are made equal, so that those runs' keys stay as they are
    defaults: Literal["native"] | msgspec.UnsetType = msgspec.UNSET
    data_sha256: str
    series: Preparation | msgspec.UnsetType = msgspec.UNSET  # of a file; unset, it is no part of the key
    source: Source | msgspec.UnsetType = msgspec.UNSET  # of a method from outside; likewise
    device: Literal["cuda"] | msgspec.UnsetType = msgspec.UNSET  # absent on the processor; likewise

    @property
    def native(self) -> bool:
        """Whether the framework's own defaults are kept."""
        return self.defaults == "native"

    @property
    def cuda(self) -> bool:
        """Whether it is computed on an accelerator."""
        return self.device == "cuda"

    @property
    def plain(self) -> bool:
        """Whether it is a default row's: nothing changed, on the processor."""
        return not (self.changed or self.quick or self.native or self.cuda)

    def differences(self) -> list[str]:
        """What sets it apart from a default row, in words: native, cuda, units=32."""
        marks = ["native"] * self.native + ["cuda"] * self.cuda
        return marks + [f"{name}={self.settings.get(name)}" for name in self.changed]


class Original(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Errors in the data's own units, after scaling and differences are undone: validation, and test."""

    rmse: float
    mae: float
    smape: float  # percent
    mase: float | None  # null where the seasonal naive forecast makes no error to compare with
    test_rmse: float
    test_mae: float
    test_smape: float
    test_mase: float | None
    #: scaled squared errors of consecutive validation windows, H at a time: what methods are compared by in pairs
    by_block: list[float]


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Errors of one run, all in float64 from the forecasts."""

    val_mse: Positive  # over all that the method is trained to output
    last_step_mse: Positive  # over the H values forecast from the last history step: the ranking's measure
    test_mse: Positive  # the same on the test series
    val_mae: Positive
    val_smape: Positive  # percent
    mse_by_step: list[Positive]  # [H]: validation, one value per step ahead
    original: Original | msgspec.UnsetType = msgspec.UNSET  # of series from a file; the errors above are of scaled ones


class Truth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What the examples of a run forecast, kept where the data may be gone: first channel, own units."""

    history: list[list[float]]  # [count, T]
    future: list[list[float]]  # [count, H]
    imputed: int  # values filled in, of the whole file
    description: str  # series, steps, windows, in words


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One finished job, read again years later: what was asked, what came out, where, and how long it took."""

    schema: int
    version: str = __version__  # of the harness that wrote it: what to install where the schema is too new
    key: str
    spec: Spec
    status: Status
    reason: str | None
    metrics: Metrics | None
    #: phases in seconds: start, import, data, build, first_step, fit, validate, predict_first, predict, evaluate, total
    seconds: dict[str, float] | None
    samples: dict[str, list[float]] | None  # raw seconds: predict (at least 5), epochs
    timing_valid: bool
    timing_reason: str | None
    curve: dict[str, list[float]] | None  # loss, val_loss, seconds: one value per epoch
    parameters: int | None
    digest: dict[str, str] | None  # sha256 of "forecasts" and "weights"
    examples: list[list[float]] | None  # forecasts of the first three validation series, first channel
    environment: dict[str, str | int | float | bool | None | dict[str, str]]
    started_at: str  # UTC, ISO 8601
    truth: Truth | msgspec.UnsetType = msgspec.UNSET  # of series from a file


#: a run of which only what a plan needs is decoded: the rest is as it was written, says its checksum
Planned: type[Run] = msgspec.defstruct(  # type: ignore[assignment]
    "Planned",
    [(one.name, msgspec.Raw if one.name in BARE else one.type, one.default) for one in msgspec.structs.fields(Run)],
    bases=(Run,),
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
    gc=False,
)


def key_of(spec: Spec) -> str:
    """The first 16 hexadecimal digits of the sha256 over the spec as JSON with sorted names."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


def path_of(spec: Spec) -> Path:
    """Where the spec's record lies in its folder. Raises ValueError for a name that is no plain file name."""
    return Path(name_of(spec, key_of(spec)))


def name_of(spec: Spec, key: str) -> str:
    """The same as text, when the key is known: a Path costs more than the rest of reading a record."""
    for name in (spec.task, spec.method, spec.backend):
        if not PLAIN.fullmatch(name):
            allowed = "at most 64 letters, digits, '_', '-' and '.' can"
            raise ValueError(f"{name[:64]!r} cannot be part of a file name: {allowed}")
    return f"{spec.task}/{spec.method}--{spec.backend}--seed{spec.seed}--{key}.json"


def write(place: Place, run: Run) -> Path | str:
    """Store a run, whole or not at all, whenever the machine stops; returns where.

    Raises ValueError for a run that could not be read again, UsageError when it cannot be written.
    """
    content, name = encode(run), path_of(run.spec).as_posix()
    decode(content, name)
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


def encode(run: Run) -> bytes:
    """The record's file: JSON that a person can read, its checksum last."""
    return seal(msgspec.json.format(msgspec.json.encode(run), indent=1))


def seal(content: bytes) -> bytes:
    """A JSON object with its checksum as the last field."""
    body = content.removesuffix(b"\n}")
    return body + SEAL % hashlib.sha256(body).hexdigest().encode()


SEAL = b',\n "checksum": "%b"\n}\n'
SEAL_LENGTH = len(SEAL % bytes(64))


def unseal(content: bytes) -> bytes:
    """The JSON object without its checksum. Raises ValueError where that is missing or belongs to other bytes."""
    body = content[:-SEAL_LENGTH]
    if content[-SEAL_LENGTH:] == SEAL % hashlib.sha256(body).hexdigest().encode():
        return body + b"\n}"
    if content[-SEAL_LENGTH:].startswith(SEAL[:16]):
        raise ValueError("its checksum does not match: it was changed after it was written")
    raise ValueError("no checksum at its end: cut short, or not written by this program")


def from_schema_1(content: bytes) -> bytes:
    """A record of version 0.1.0 as one of this schema. It has no checksum: a figure edited in it goes unseen."""
    if not content.endswith(b"}\n"):
        raise ValueError("cut short")
    fields = json.loads(content, object_pairs_hook=unique)
    return msgspec.json.encode({**fields, "schema": SCHEMA, "version": "0.1.0"})


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError for a name that is there twice: which value counts would be anybody's guess."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate field {twice[:64]!r}")
    return fields


UPGRADES: dict[int, Callable[[bytes], bytes]] = {1: from_schema_1}


class Origin(msgspec.Struct):
    """All that is read of a record of another schema, before it is decided how to go on."""

    schema: int
    version: str | None = None


def read(place: Place, lean: bool = False) -> tuple[list[Run], list[str]]:
    """Every valid record, in the order of names, and one line for each that is not one.

    `lean` drops of each, once it is checked, what fills most of the memory: samples, digest, and most of the curve.
    What many records say alike, they then share.
    """
    runs, problems = [], []
    lightened = Lightened()
    with collection_paused():
        for name, run in load_all(place, names(place)):
            if isinstance(run, Exception):
                problems.append(f"{name}: {files.reason_of(run)}")
            else:
                runs.append(lightened(run) if lean else run)
    return runs, problems


ALIKE = ("task", "method", "backend", "settings", "data_sha256")  # what the specs of many runs say


class Lightened:
    """A record without what fills its memory; settings, packages and texts equal to an earlier one's are that one's."""

    def __init__(self) -> None:
        self.known: dict[bytes, Any] = {}

    def __call__(self, run: Run) -> Run:
        """The record, lightened."""
        spec = msgspec.structs.replace(run.spec, **{name: self.shared(getattr(run.spec, name)) for name in ALIKE})
        environment = {name: self.shared(value) for name, value in run.environment.items()}
        return msgspec.structs.replace(
            run, **DROPPED | {"curve": anytime.thinned(run), "spec": spec, "environment": environment}
        )

    def shared(self, value: Any) -> Any:
        """An earlier value equal to this one; numbers are as small as a reference to them."""
        if isinstance(value, str):
            return sys.intern(value)
        return self.known.setdefault(msgspec.json.encode(value), value) if isinstance(value, dict) else value


def look_up(place: Place, wanted: Iterable[str]) -> tuple[dict[str, Run], list[str]]:
    """The records under these names that are there and valid, and one line for each that is not valid.

    Of each only what a plan needs is read and kept: a hundred thousand take little time and memory.
    """
    runs, problems = {}, []
    with collection_paused():
        for name, run in load_all(place, wanted, Planned):
            if isinstance(run, (FileNotFoundError, NotADirectoryError)):
                continue
            if isinstance(run, Exception):
                problems.append(f"{name}: {files.reason_of(run)}")
            else:
                runs[name] = msgspec.structs.replace(run, **BARE)
    return runs, problems


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """Without the garbage collector: it would go through all records again and again and find none of them garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def names(place: Place) -> list[str]:
    """The JSON files there, at any depth but beside the pictures, relative to it and sorted."""
    return stores.of(place).names()


def load(place: Place, name: str) -> Run:
    """The run under this name. Raises ValueError and OSError for anything else."""
    ((_, run),) = load_all(place, [name])
    if isinstance(run, Exception):
        raise run
    return run


def load_all(place: Place, names: Iterable[str], kind: type[Run] = Run) -> Iterator[tuple[str, Run | Exception]]:
    """The run under each name, or the ValueError or OSError for what is none."""
    for name, content in stores.of(place).contents(names):
        if isinstance(content, Exception):
            yield name, content
            continue
        try:
            yield name, decode(content, name, kind)
        except ValueError as error:
            yield name, error


def decode(content: bytes, name: str | Path, kind: type[Run] = Run) -> Run:
    """The run in a file of that name, relative to its folder: a record that says what its name says.

    Raises ValueError (msgspec's is one) for anything else.
    """
    try:
        run = msgspec.json.decode(current(content), type=kind if content.startswith(HEAD) else Run)  # else no checksum
    except RecursionError:
        raise ValueError("nested too deeply for a record") from None
    if run.key != (key := key_of(run.spec)):
        raise ValueError(f"key {run.key[:64]!r} does not belong to its spec: {key} does")
    if str(name) != (belongs := name_of(run.spec, key)):
        raise ValueError(f"its spec belongs in {belongs}")
    if (run.status == "ok") != (run.metrics is not None):
        raise ValueError(f"status {run.status} {'without' if run.metrics is None else 'with'} metrics")
    return run


def current(content: bytes) -> bytes:
    """The content, its checksum verified, as JSON of this schema: older ones upgraded, newer ones refused."""
    if content.startswith(HEAD):
        return unseal(content)
    origin = msgspec.json.decode(content, type=Origin)
    if origin.schema == SCHEMA:
        raise ValueError("not as this program writes it: it was changed after it was written")
    if origin.schema not in UPGRADES:
        version = f"{origin.version} or newer" if origin.version else "a newer version"
        raise ValueError(f"schema {origin.schema}, this version reads up to {SCHEMA}: install aheadbench {version}")
    return UPGRADES[origin.schema](content)


HEAD = b'{\n "schema": %d,\n' % SCHEMA


def find(runs: Iterable[Run], name: str) -> Run:
    """The run with that key, or whose key alone begins so. Raises UsageError for none or several."""
    found = [run for run in runs if run.key.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name!r} begins {len(found)} keys: {', '.join(run.key for run in found[:5])}")
    raise UsageError(f"no run with key {name!r}: `python -m bench list runs` shows them")


def check_writable(place: Place) -> None:
    """Create the place where it is missing. Raises UsageError when records cannot be written there."""
    stores.of(place).check_writable()

"""Run, the record of one finished job: what was asked, what came out, where, and how long it took. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from bench import __version__
from bench.schema.series import Preparation

SCHEMA = 3
Status = Literal["ok", "diverged", "failed", "timeout", "oom", "lost"]
FINAL: tuple[Status, ...] = ("ok", "diverged")
BARE: dict[str, Any] = {  # what a plan does not need of a record
    **dict.fromkeys(("curve", "samples", "digest", "examples")),
    **dict.fromkeys(("mse_by_step", "by_block", "blocks"), msgspec.UNSET),
    "environment": {},
}

Positive = Annotated[float, msgspec.Meta(ge=0)]  # JSON has no infinity and no NaN


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
        """Return what sets it apart from a default row, in words: native, cuda, units=32."""
        marks = ["native"] * self.native + ["cuda"] * self.cuda
        return marks + [f"{name}={self.settings.get(name)}" for name in self.changed]


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
    metrics: dict[str, float] | None  # by their names in bench.metrics.METRICS; null unless ok
    mse_by_step: list[Positive] | msgspec.UnsetType = msgspec.UNSET  # [H]: validation, one value per step ahead
    #: of series of a file: scaled squared errors of consecutive validation windows, H at a time
    by_block: list[Positive] | msgspec.UnsetType = msgspec.UNSET
    #: means of scaled squared errors over a fixed number of consecutive blocks of windows
    blocks: dict[Literal["validation", "test"], Sequence[Positive]] | msgspec.UnsetType = msgspec.UNSET
    blocks_of: str | msgspec.UnsetType = msgspec.UNSET  # the test metric that they are of where another ranks the task
    #: of generated series, how many the test part had; absent in records from before it grew, see tasks.further_test
    test_series: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET
    #: phases in seconds: start, import, data, build, first_step, fit, validate, predict_first, predict, evaluate, total
    seconds: dict[str, float] | None
    samples: dict[str, list[float]] | None  # raw seconds: predict (at least 5), epochs
    timing_valid: bool
    timing_reason: str | None
    curve: dict[str, list[float]] | None  # loss, val_loss, seconds: one value per epoch, or per epoch named in `epoch`
    parameters: int | None
    digest: dict[str, str] | None  # sha256 of "forecasts" and "weights"
    examples: list[list[float]] | None  # forecasts of up to three validation series, first channel
    environment: dict[str, str | int | float | bool | None | dict[str, str]]
    started_at: str  # UTC, ISO 8601
    truth: Truth | msgspec.UnsetType = msgspec.UNSET  # of series from a file
    code: str | msgspec.UnsetType = msgspec.UNSET  # sha256 of the code that made it, see bench.execution.provenance

    @property
    def is_final(self) -> bool:
        """Whether running it again would only repeat it: any other end may have been the machine's fault."""
        return self.status in FINAL


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

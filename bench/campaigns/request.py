"""Selection: what a user asks to be run, typed, whichever way it was asked for (options, a TOML file, Python)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import index

from bench.errors import UsageError
from bench.schema.record import Source
from bench.schema.series import Preparation

Setting = int | float | str | bool | None
Settings = Mapping[str, Mapping[str, Setting]]  # method -> setting -> value

LARGEST_SEED = 2**32 - 1  # NumPy's range
MOST_SEEDS = 10_000


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a user asks to be run; empty means the default."""

    methods: tuple[str, ...] = ()  # names or patterns
    tasks: tuple[str, ...] = ()  # names or patterns
    backends: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (42,)
    seeds_of: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by backend, instead of `seeds`
    epochs: int | None = None  # None: each method's default
    settings: Settings = field(default_factory=dict)
    select: str = "last"  # or validation: networks keep the weights of their best epoch there
    quick: bool = False
    defaults: str = "equal"  # or native
    device: str = "cpu"  # or cuda
    series: Preparation | None = None  # how a file is read, instead of tasks
    sources: Mapping[str, Source] = field(default_factory=dict)  # of user methods, by name
    files: Mapping[str, str] = field(default_factory=dict)  # where files named above lie on this machine


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds in '42,43' or '42-46': whole numbers in NumPy's range, none twice. Raises UsageError."""
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        first, dash, last = (end.strip() for end in part.partition("-"))
        for end in (first, last) if dash and first else (part,):
            if not (end.isascii() and end.isdecimal()) or int(end) > LARGEST_SEED:
                raise UsageError(f"--seeds {text!r}: {part!r} is not a whole number in 0..{LARGEST_SEED}, or A-B")
        low, high = int(first), int(last) if dash else int(first)
        if not 0 <= high - low < MOST_SEEDS:
            raise UsageError(f"--seeds {text!r}: {part} must go upwards and have at most {MOST_SEEDS} seeds")
        seeds += range(low, high + 1)
    return check_seeds(seeds)


def seeds_in(seeds: str | Iterable[int]) -> tuple[int, ...]:
    """Return the seeds, written as a list or as on the command line. Raises UsageError."""
    return parse_seeds(seeds) if isinstance(seeds, str) else check_seeds(seeds)


def check_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return the seeds. Raises UsageError for none, one outside NumPy's range, one given twice, and for too many."""
    try:
        found = tuple(map(index, seeds))
    except TypeError:
        raise UsageError(f"--seeds {seeds!r}: needed whole numbers") from None
    if not found:
        raise UsageError("--seeds: got none, needed one at least")
    for place, seed in enumerate(found):
        if not 0 <= seed <= LARGEST_SEED:
            raise UsageError(f"--seeds: {seed} is not a whole number in 0..{LARGEST_SEED}")
        if place >= MOST_SEEDS:
            raise UsageError(f"--seeds: {len(found)} seeds, at most {MOST_SEEDS}")
    if len(set(found)) < len(found):
        twice = next(seed for seed in found if found.count(seed) > 1)
        raise UsageError(f"--seeds: {twice} is given twice")
    return found

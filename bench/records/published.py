"""The records that the benchmark publishes, condensed into one file that is installed with it.

A row of the file is a record as JSON. Numbers have SIGNIFICANT digits; errors by block are those of the test part;
learning curves and example forecasts are those of the first seed of each row of the board, as the page shows them.
`verify` needs the records themselves: they are in the repository.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from bench.errors import UsageError
from bench.records import files
from bench.records.bounds import EPOCH
from bench.schema.record import BARE, Planned, Run

PATH = Path(__file__).parent / "published.parquet"
SIGNIFICANT = 5
LARGEST = 800_000  # bytes: 15 seeds of every row have 700,000
BATCH = 64  # records that are decoded at a time
SAMPLES = 12  # raw seconds of a kind that are kept of a run
CURVES = ("loss", "val_loss", "val_last_step_mse", "seconds", EPOCH)


@cache
def read() -> tuple[Run, ...]:
    """Read the published runs; none where the file is not installed."""
    decoder = msgspec.json.Decoder(Run)
    return tuple(map(decoder.decode, texts()))


def of_kinds(kinds: Set[tuple[str, str, bool]]) -> Iterator[Run]:
    """Read what a plan needs of the published runs of these tasks, methods and sizes: the others take no memory."""
    decoder = msgspec.json.Decoder(Planned)
    for text in texts() if kinds else ():
        run = decoder.decode(text)
        if (run.spec.task, run.spec.method, run.spec.quick) in kinds:
            yield msgspec.structs.replace(run, **BARE)


def texts() -> Iterator[str]:
    """Yield each published record as JSON, a few in memory at a time: together they are larger than the runs."""
    import pyarrow.parquet as parquet

    if PATH.is_file():
        with parquet.ParquetFile(PATH) as file:
            for batch in file.iter_batches(BATCH, columns=["record"], use_threads=False):
                yield from batch["record"].to_pylist()


def write(runs: Iterable[Run], path: Path = PATH) -> None:
    """Write the file. Raises UsageError where it cannot be written, and for more than LARGEST bytes."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    lines = condensed(runs)
    table = arrow.table(
        {
            "key": [run.key for run in lines],
            "record": [msgspec.json.encode(run).decode() for run in lines],
        },
        metadata={"digest": digest(lines)},
    )
    content = arrow.BufferOutputStream()
    parquet.write_table(
        table, content, compression="zstd", compression_level=19, use_dictionary=False, write_statistics=False
    )
    packed = content.getvalue().to_pybytes()
    if len(packed) > LARGEST:
        raise UsageError(f"{path.name} would have {len(packed):,} bytes, at most {LARGEST:,}: keep fewer digits")
    files.replace(path, packed)


def stale(runs: Iterable[Run], path: Path = PATH) -> bool:
    """Return whether the file is missing or was made from other records."""
    import pyarrow.parquet as parquet

    if not path.is_file():
        return True
    found: str = (parquet.read_schema(path).metadata or {}).get(b"digest", b"").decode()
    return bool(found != digest(condensed(runs)))


def digest(runs: Sequence[Run]) -> str:
    """Return the sha256 of these runs."""
    return hashlib.sha256(msgspec.json.encode(runs)).hexdigest()


def condensed(runs: Iterable[Run]) -> list[Run]:
    """Return the full runs, smaller, so that those alike come one after another."""
    wanted = [run for run in runs if not run.spec.quick]
    wanted.sort(key=lambda run: (*row_of(run), run.spec.seed))
    first: dict[tuple[Any, ...], str] = {}
    for run in wanted:
        if run.metrics:
            first.setdefault(row_of(run), run.key)
    return [condense(run, run.key == first.get(row_of(run))) for run in wanted]


def row_of(run: Run) -> tuple[Any, ...]:
    """Return what a run is a row of."""
    spec = run.spec
    return spec.task, spec.method, spec.backend, tuple(spec.differences())


def condense(run: Run, whole: bool) -> Run:
    """Return the run with fewer digits; whole: with its curve and examples."""
    values = msgspec.to_builtins(run)
    values["curve"] = (
        {name: values["curve"][name] for name in CURVES if name in values["curve"]} if (whole and run.curve) else None
    )
    values["digest"] = {"forecasts": run.digest["forecasts"]} if run.digest else None
    values["examples"] = values["examples"] if whole else None
    if run.blocks:  # those of the test part rank
        values["blocks"] = {"test": values["blocks"]["test"]} if "test" in run.blocks else {}
    values["samples"] = {name: seconds[:SAMPLES] for name, seconds in (run.samples or {}).items()} or None
    return msgspec.convert(rounded(values), Run)


def rounded(value: Any) -> Any:
    """Return numbers with fewer digits, at any depth."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}")
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, list) else value

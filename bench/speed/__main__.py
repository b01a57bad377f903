"""`python -m bench.speed TABLE`: measure, print the table, and put it into docs/performance.md.

Measure on a machine that does nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UsageError

app = typer.Typer(help=__doc__, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False)
Rounds = Annotated[int, typer.Option(min=1, help="How often everything is measured, taking turns.")]

MethodNames = Annotated[list[str] | None, typer.Option("--method", help="A dozen unless given.")]
BackendNames = Annotated[list[str] | None, typer.Option("--backend", help="All unless given.")]
EpochCount = Annotated[int, typer.Option(min=2, help="For how many epochs each run trains.")]


@app.command()
def steps(rounds: Rounds = 5) -> None:
    """Measure milliseconds per training step: ours, the reference's, Darts and neuralforecast (about 15 minutes)."""
    from .peers import tables

    publish("steps", tables.steps(rounds), "--rounds", rounds)


@app.command()
def whole(rounds: Rounds = 1) -> None:
    """Measure seconds per 20 epochs, compilation included: ours and the reference's code (about 8 minutes a round)."""
    from .peers import tables

    publish("whole", tables.whole(rounds), "--rounds", rounds)


@app.command()
def growth(rounds: Rounds = 3) -> None:
    """Measure seconds and memory by the number of records: 1,000, 10,000 and 100,000 (about 4 minutes)."""
    from . import growth

    publish("growth", growth.table(rounds), "--rounds", rounds)


@app.command()
def start(rounds: Rounds = 11) -> None:
    """Measure the seconds until the command line answers."""
    from . import overhead

    publish("start", overhead.start(rounds), "--rounds", rounds)


@app.command()
def overhead(rounds: Rounds = 5) -> None:
    """Time of a run outside its phases, and its fit compared with the same fit in a plain script (about 15 minutes)."""
    from . import overhead

    publish("overhead", overhead.runs(rounds), "--rounds", rounds)


@app.command()
def together(rounds: Rounds = 3) -> None:
    """Measure how much more gets done by one job on every core than by one job at a time (about 4 minutes)."""
    from . import overhead

    publish("together", overhead.together(rounds), "--rounds", rounds)


@app.command()
def carry(rounds: Rounds = 3) -> None:
    """Forecasting far ahead with a carried state, and by reading the window again (about 7 minutes)."""
    from . import incremental_forecasting

    publish("carry", incremental_forecasting.table(rounds), "--rounds", rounds)


@app.command()
def limit(rounds: Rounds = 3) -> None:
    """Compare a training step with its matrix products alone, at the rate of one core (about 3 minutes)."""
    from . import roofline

    publish("limit", roofline.table(rounds), "--rounds", rounds)


@app.command()
def repeat(rounds: Rounds = 3) -> None:
    """Measure how far fit times of equal runs are apart, paced and on the wall (about 10 minutes a round)."""
    from . import repeatability

    publish("repeat", repeatability.table(rounds), "--rounds", rounds)


@app.command()
def reuse(method: MethodNames = None, backend: BackendNames = None, epochs: EpochCount = 3, rounds: Rounds = 2) -> None:
    """Compare later runs of a worker with its first: times and results; goes on where it was stopped (an hour)."""
    from . import reuse

    reuse.compare_times(reuse.cases(method or reuse.METHODS, backend or reuse.BACKENDS, epochs), rounds)
    publish("reuse", reuse.times_table(), "--rounds", rounds, "--epochs", epochs)


@app.command()
def seeds(method: MethodNames = None, backend: BackendNames = None, epochs: EpochCount = 2, rounds: Rounds = 1) -> None:
    """Fifteen seeds of a method, each alone and in one worker; goes on where it was stopped (hours)."""
    from . import reuse

    reuse.compare(reuse.SEVERAL, reuse.cases(method or reuse.METHODS, backend or reuse.BACKENDS[:2], epochs), rounds)
    publish("seeds", reuse.study_table(reuse.SEVERAL), "--rounds", rounds, "--epochs", epochs)


@app.command()
def cache(method: MethodNames = None, backend: BackendNames = None, epochs: EpochCount = 2, rounds: Rounds = 1) -> None:
    """Whole runs without kept programs, and the first and second with them (a minute for each)."""
    from . import reuse

    wanted = reuse.cases(method or ("lstm", "wavenet", "patchtst"), backend or reuse.BACKENDS[:2], epochs)
    reuse.compare(reuse.ONE, wanted, rounds)
    publish("cache", reuse.study_table(reuse.ONE), "--rounds", rounds, "--epochs", epochs)


@app.command()
def sizes(
    network: Annotated[list[str] | None, typer.Option(help="rnn, gru or lstm; all unless given.")] = None,
    units: Annotated[list[int] | None, typer.Option(help="20, 64, 128 and 256 unless given.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="32, 128 and 512 unless given.")] = None,
    history: Annotated[list[int] | None, typer.Option(help="Steps: 50, 96 and 336 unless given.")] = None,
    contestant: Annotated[list[str] | None, typer.Option(help="'torch own', darts, …; all unless given.")] = None,
    rounds: Rounds = 1,
    cores: Annotated[int, typer.Option(min=1, help="How many are measured at once, on a core each.")] = 1,
    kept: Annotated[Path | None, typer.Option(help="The file of measurements: one for each machine.")] = None,
    measure: Annotated[bool, typer.Option(help="Measure, or only make the table from the file.")] = True,
) -> None:
    """Training steps by size: ours, the frameworks' own layers, Darts and neuralforecast.

    It goes on where it was stopped: hours on one core, minutes on many. The table of a file in bench/speed/history
    goes to the place in docs/performance.md that has the file's name.
    """
    from . import performance_page, sizes, sizes_table

    kept = kept or sizes.KEPT
    if measure:
        option = "" if kept == sizes.KEPT else f" --kept {kept}"
        sizes.begin(kept, performance_page.made_by(f"python -m bench.speed sizes{option}"))
        wanted = sizes.sizes(
            network or sizes.NETWORKS, units or sizes.UNITS, batch or sizes.BATCHES, history or sizes.STEPS
        )
        sizes.measure_all(wanted, contestant or sizes.CONTESTANTS, rounds, cores, kept)
    table = sizes_table.text(kept)
    print(table)
    if kept.resolve().parent == sizes.KEPT.parent:
        performance_page.put(kept.stem, table, sizes.machine(kept))


@app.command(name="long-series")
def long_series_(
    rounds: Rounds = 3,
    cores: Annotated[int, typer.Option(min=1, help="How many are measured at once, on a core each.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of 32 windows.")] = 500,
    kept: Annotated[Path | None, typer.Option(help="The file of measurements.", show_default=False)] = None,
) -> None:
    """Seconds and memory of a fit on long series and on many: ours, Darts and neuralforecast."""
    from . import long_series

    kept = kept or long_series.KEPT
    long_series.measure_all(rounds, cores, steps, kept)
    publish("long-series", long_series.text(kept), "--rounds", rounds, "--cores", cores)


@app.command(name="self-test")
def self_test_(bench: Annotated[str, typer.Option(help="Which benchmarks, as asv takes it.")] = "gru|lstm") -> None:
    """Check that asv finds an artificial slowdown of one method and nothing else (about 20 minutes)."""
    from . import self_test

    publish("self-test", self_test.compared(bench), "--bench", repr(bench))


def publish(name: str, table: str, *options: object) -> None:
    """Print the table and put it into the page, with the command that made it."""
    from . import performance_page

    print(table)
    command = " ".join(map(str, ["python -m bench.speed", name, *options]))
    performance_page.put(name, table, performance_page.made_by(command))


if __name__ == "__main__":
    try:
        app()
    except UsageError as error:
        print(f"bench.speed: {error}", file=sys.stderr)
        sys.exit(2)

"""Time and memory of a whole fit on long series and on many: ours, Darts and neuralforecast, `long-series`."""

from __future__ import annotations

import json
import statistics
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import SimpleQueue

from bench.machine import environment, threads
from bench.reporting import markdown
from bench.text import digits

from .peers import tables
from .peers.child import TABLES, Ask

OURS = ("torch", "keras-jax")
CONTESTANTS = (*OURS, *tables.PEERS)
STEPS = 500  # of training, 32 windows each
KEPT = environment.ROOT / "bench" / "speed" / "history" / "long-series.jsonl"


def measure_all(rounds: int, at_once: int, steps: int = STEPS, kept: Path = KEPT) -> None:
    """Append a line for each round, table and contestant; so many processes at once, on a core each."""
    tables.check_peers(CONTESTANTS)
    cores: SimpleQueue[int] = SimpleQueue()
    for core in threads.cores()[-at_once:]:
        cores.put(core)

    def measure(wanted: tuple[int, str, str]) -> None:
        _, table, name = wanted
        core = cores.get()
        contestant = tables.Contestant(name, core)
        try:
            contestant.answer(Ask(name, "lstm-last", tables.BATCH, 1))  # imports
            answer = contestant.answer(Ask(name, "lstm-last", steps * tables.BATCH, 1, table=table))
        finally:
            contestant.end()
            cores.put(core)
        found = {"contestant": name, "table": table, "steps": steps, "s": answer["whole"], "mb": answer["peak"]}
        with kept.open("a") as file:
            file.write(json.dumps(found) + "\n")

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(measure, product(range(rounds), TABLES, CONTESTANTS)))


def text(kept: Path = KEPT) -> str:
    """Return a row for each table: seconds and megabytes of each, and the faster peer as a multiple of ours."""
    lines = [json.loads(line) for line in kept.read_text().splitlines()]

    def median(table: str, name: str, what: str) -> float:
        return statistics.median(line[what] for line in lines if (line["table"], line["contestant"]) == (table, name))

    body = []
    for table in TABLES:
        seconds, megabytes = ([median(table, name, what) for name in CONTESTANTS] for what in ("s", "mb"))
        cells = [f"{digits(s, 3)} s, {mb:,.0f} MB" for s, mb in zip(seconds, megabytes, strict=True)]
        ahead = min(seconds[len(OURS) :]) / seconds[0]
        body.append([table, *cells, f"**{ahead:.1f}**"])
    return markdown.table(["series", *CONTESTANTS, "faster peer / torch"], body, left=[0])

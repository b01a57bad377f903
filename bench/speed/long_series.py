"""Time and memory of a whole fit on long series and on many: ours, Darts and neuralforecast, `long-series`."""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import SimpleQueue

from bench.machine import environment, threads
from bench.reporting import markdown
from bench.text import NOTHING, digits

from .peers import tables
from .peers.child import TABLES, Ask

OURS = ("torch", "keras-jax")
CONTESTANTS = (*OURS, *tables.PEERS)
STEPS = 500  # of training, 32 windows each
KEPT = environment.ROOT / "bench" / "speed" / "history" / "long-series.jsonl"


def measure_all(rounds: int, at_once: int, steps: int = STEPS, kept: Path = KEPT) -> None:
    """Write a line for each round, table and contestant; so many processes at once, on a core each."""
    tables.check_peers(CONTESTANTS)
    kept.unlink(missing_ok=True)
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
    """Return a row for each table: seconds and megabytes of each, and how far ours is ahead."""
    found = defaultdict(list)
    for line in map(json.loads, kept.read_text().splitlines()):
        found[line["table"], line["contestant"]].append((line["s"], line["mb"]))
    best = {key: min(values) for key, values in found.items()}
    body = []
    for table in TABLES:
        cells = [f"{digits(one[0], 3)} s, {one[1]:,.0f} MB" if (one := best.get((table, name))) else NOTHING
                 for name in CONTESTANTS]  # fmt: skip
        ours, peers = (min(best[table, name][0] for name in names if (table, name) in best)
                       for names in (OURS, tables.PEERS))  # fmt: skip
        body.append([table, *cells, f"**{peers / ours:.1f}**"])
    return markdown.table(["series", *CONTESTANTS, "faster peer / faster of ours"], body, left=[0])

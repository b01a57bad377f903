"""The table of `python -m bench.speed sizes`, and how far ours is ahead over all sizes."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench.reporting import markdown
from bench.text import NOTHING, digits

from .peers.tables import PEERS
from .sizes import BATCHES, CONTESTANTS, KEPT, NETWORKS, PLAIN, STEPS, TORCH, UNITS, Size, read

#: slower, and faster
RATIOS = (*PLAIN.items(), *((peer, "torch") for peer in PEERS))
LEAST = 0.95  # of the speed of a framework's own layers

Times = dict[str, float]  # contestant -> milliseconds


def text(kept: Path = KEPT) -> str:
    """Return a summary of the ratios, and a row for each size; bold: which of the two in torch the rule takes."""
    found = {key: statistics.median(values) for key, values in read(kept).items()}
    by_size = {size: times(found, size) for size in sorted({size for _, size in found})}
    every = len(NETWORKS) * len(UNITS) * len(BATCHES) * len(STEPS)
    return f"{summary(by_size)}\n\n{rows(by_size)}\n\n{len(by_size)} of {every} sizes have been measured."


def times(found: dict[tuple[str, Size], float], size: Size) -> Times:
    """Return the milliseconds of each contestant, and as `torch` of the one that the rule takes."""
    of_one = {name: found[name, size] for name in CONTESTANTS if (name, size) in found}
    taken = of_one.get(TORCH[takes_library(size)])
    return {**of_one, "torch": taken} if taken else of_one


def takes_library(size: Size) -> bool:
    """Return whether the rule reads this size by the library's kernel for a layer."""
    from implementations.layers.torch.lstm import StackedLSTM
    from implementations.layers.torch.recurrent import GRU, BySize, SimpleRNN

    layers: dict[str, type[BySize]] = {"rnn": SimpleRNN, "gru": GRU, "lstm": StackedLSTM}
    return layers[size.network].takes_own_kernel("cpu", size.units, size.batch)


def ratio(found: Times, slow: str, fast: str) -> float | None:
    """Return how many times as fast; None where one has not been measured."""
    return found[slow] / found[fast] if slow in found and fast in found else None


def summary(by_size: dict[Size, Times]) -> str:
    """Return for each ratio how many sizes it has, its least, its median, and where ours is behind."""
    body = []
    for slow, fast in RATIOS:
        known = {size: one for size, found in by_size.items() if (one := ratio(found, slow, fast))}
        if known:
            least = min(known, key=lambda size: known[size])
            behind = sum(one < LEAST for one in known.values())
            figures = [digits(one, 3) for one in (known[least], statistics.median(known.values()))]
            body.append([f"{slow} / {fast}", str(len(known)), *figures, " ".join(map(str, least)), str(behind)])
    headers = ["ratio", "sizes", "least", "median", "least at (network, units, batch, steps)", f"below {LEAST}"]
    return markdown.table(headers, body, left=[0, 4])


def rows(by_size: dict[Size, Times]) -> str:
    """Return a row for each size: milliseconds, then ratios."""
    names = [name for name in CONTESTANTS if any(name in found for found in by_size.values())]
    pairs = [pair for pair in RATIOS if any(ratio(found, *pair) for found in by_size.values())]
    body = []
    for size, found in by_size.items():
        cells = [digits(found[name], 3) if name in found else NOTHING for name in names]
        taken = TORCH[takes_library(size)]
        cells = [f"**{cell}**" if name == taken else cell for name, cell in zip(names, cells, strict=True)]
        ratios = [f"{one:.2f}" if (one := ratio(found, *pair)) else NOTHING for pair in pairs]
        body.append([*map(str, size), *cells, *ratios])
    headers = [*Size._fields, *names, *(f"{slow} / {fast}" for slow, fast in pairs)]
    return markdown.table(headers, body, left=[0])

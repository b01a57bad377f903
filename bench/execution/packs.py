"""Seeds that are trained side by side: which runs go together, what a worker keeps of them, how records are marked.

One worker trains all seeds of a pack when it has the order for the first of them, and has the others' results when
their orders come. Each seed gets a separate record, under the key of a single run; its times say nothing of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

import implementations
from bench.data.series_tasks import task_of
from bench.errors import UsageError
from bench.execution.jobs import Job
from bench.execution.orders import Handout, Order
from bench.schema.record import Run, Spec
from implementations import packing
from implementations.forecaster import Forecaster
from implementations.network import NetworkForecaster

SHOWN = 3  # names in a note
PACKED = "packed"  # in a record's environment: how many seeds were trained side by side
kept: dict[bytes, packing.Pack] = {}  # in a worker: the pack that it has trained


def packs_of(jobs: Sequence[Job]) -> dict[str, tuple[int, ...]]:
    """Return the seeds of each pack, by the key of each of its runs; runs that no other goes with are left out."""
    groups: dict[bytes, list[Job]] = {}
    for job in jobs:
        if not obstacle(job.spec):
            groups.setdefault(all_but_seed(job.spec), []).append(job)
    found = [group for group in groups.values() if len(group) > 1]
    return {job.key: tuple(sorted(one.spec.seed for one in group)) for group in found for job in group}


def in_order(jobs: Sequence[Job], packs: Mapping[str, object]) -> list[Job]:
    """Return the jobs of each pack one after another, each pack where its first job was."""
    groups: dict[bytes, list[Job]] = {}
    for job in jobs:
        name = all_but_seed(job.spec) if job.key in packs else job.key.encode()
        groups.setdefault(name, []).append(job)
    return [job for group in groups.values() for job in group]


def obstacle(spec: Spec) -> str:
    """Return why a run cannot be in a pack, in words; empty where it can."""
    if spec.source:
        return "it is not of this repository"
    if spec.backend != packing.BACKEND:  # before its method is made
        return f"only {packing.BACKEND} trains seeds side by side"
    settings = implementations.complete(spec.method, spec.settings)
    task = task_of(spec)
    kind = task.kind if task else "forecast"
    return packing.obstacle(
        implementations.make(spec.method, spec.backend, spec.seed, native=spec.native, kind=kind, **settings)
    )


def notes(specs: Iterable[Spec]) -> list[str]:
    """Return a line for each reason why some of the runs are not packed. Raises UsageError where none is."""
    seeds: dict[bytes, list[Spec]] = {}
    for spec in specs:
        seeds.setdefault(all_but_seed(spec), []).append(spec)
    found: dict[str, dict[str, None]] = {}
    for group in seeds.values():
        reason = obstacle(group[0]) or ("it has one seed" if len(group) == 1 else "")
        found.setdefault(reason, {})[f"{group[0].method} on {group[0].backend}"] = None
    lines = [f"{shortened([*names])}: not packed, as {reason}" for reason, names in found.items() if reason]
    if "" not in found:
        raise UsageError(
            f"--pack-seeds: nothing to pack: {'; '.join(lines)}; needed: a network on {packing.BACKEND} and several "
            "seeds, as in --seeds 42-141"
        )
    return lines


def shortened(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def fit(forecaster: Forecaster, given: Handout, order: Order) -> Forecaster:
    """Return the order's forecaster, fitted; a pack is trained now, unless this worker has done that before.

    Raises FloatingPointError where the seed of a pack has diverged, and whatever the method raises.
    """
    forecaster.places = given.places if len(given.places) else None
    watched = given.watched_history, given.watched_future
    if not order.pack:
        forecaster.fit(given.history, given.future, validation=watched)
        return forecaster
    name = all_but_seed(order.spec)
    if name not in kept:
        assert isinstance(forecaster, NetworkForecaster)
        kept.clear()
        pack = packing.Pack(forecaster, order.pack)
        pack.fit(given.history, given.future, watched)
        kept[name] = pack
        return pack.fitted(order.spec.seed)
    fitted = kept[name].fitted(order.spec.seed)
    fitted.seconds = {}  # all was done in the first order
    return fitted


def marked(run: Run, pack: Sequence[int]) -> Run:
    """Return the run of a pack, marked as such; its times are not ranked."""
    if not pack:
        return run
    reason = "; ".join(filter(None, [run.timing_reason, f"{len(pack)} seeds were trained side by side"]))
    environment = {**run.environment, PACKED: len(pack)}
    return msgspec.structs.replace(run, timing_valid=False, timing_reason=reason, environment=environment)


def all_but_seed(spec: Spec) -> bytes:
    """Return what the runs of a pack have in common."""
    return msgspec.json.encode(msgspec.structs.replace(spec, seed=0), order="sorted")

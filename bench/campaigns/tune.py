"""Which runs find settings for each network: the search, and the runs at the settings found.

searches -> runs on <task>-search -> analysis.tuning.searched -> finals -> runs on <task> -> analysis.tuning.table
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

import implementations
from bench.analysis.tuning import RATE, SEED, SUFFIX, row_of, searched
from bench.campaigns import run as campaign
from bench.campaigns import search, selection
from bench.campaigns.request import Selection, Setting
from bench.campaigns.run import Plan
from bench.errors import UsageError
from bench.records import codec, repository
from bench.records.stores import Place
from bench.schema.record import Spec
from bench.tasks import SEARCHES


def plans(selected: Selection, folder: Place) -> Iterator[Plan]:
    """Yield the plan of the search, then, from the records there are by then, that of the runs at the settings found.

    Raises UsageError for a task without a search, and where no method has a learning rate.
    """
    tuned = chosen(selected)
    yield campaign.plan_of(searches(tuned), selected.files, folder)
    yield campaign.plan_of(finals(tuned, folder), selected.files, folder)


def chosen(selected: Selection) -> list[Spec]:
    """Return what is to be tuned: every network whose epochs are within the budget, unless methods are named."""
    settings = {name: implementations.default_settings(name) for name in implementations.METHODS}
    networks = [name for name, own in settings.items() if RATE in own and search.is_affordable(own)]
    named = selected if selected.methods else replace(selected, methods=tuple(networks))
    return tunable(selection.specs(named))


def tunable(specs: Sequence[Spec]) -> list[Spec]:
    """Return those with a learning rate. Raises UsageError for a task without a search, and when none is left."""
    for spec in specs:
        if search_name(spec) not in SEARCHES:
            allowed = ", ".join(name.removesuffix(SUFFIX) for name in SEARCHES)
            raise UsageError(f"{spec.task}: learning rates are searched on {allowed}")
    found = [spec for spec in specs if RATE in spec.settings]
    if not found:
        methods = ", ".join(sorted({spec.method for spec in specs}))
        raise UsageError(f"nothing to tune: {methods} has no setting {RATE}")
    return found


def searches(tuned: Iterable[Spec]) -> list[Spec]:
    """Return the runs of the search for these: each method at each of its points, with each seed."""
    first = {row_of(spec): spec for spec in tuned}
    return [
        at(search_of(spec, seed), point)
        for spec in first.values()
        for point in search.points(spec.method, spec.settings, spec.quick)
        for seed in seeds_of(spec)
    ]


def seeds_of(spec: Spec) -> Sequence[int]:
    """Return the seeds that each point is tried with: one in a quick search."""
    return search.SEEDS[:1] if spec.quick else search.SEEDS


def budgets(tuned: Iterable[Spec]) -> list[str]:
    """Say for each method of a search what it gets."""
    lines = []
    for spec in {row_of(spec): spec for spec in tuned}.values():
        points = search.points(spec.method, spec.settings, spec.quick)
        seeds, epochs = len(seeds_of(spec)), search.trained_epochs(spec.settings, points)
        lines.append(f"{spec.task}, {spec.method}, {spec.backend}: {len(points)} points, "
                     f"{epochs:,} epochs with each of {seeds} seed{'s' if seeds > 1 else ''}")  # fmt: skip
    return lines


def finals(tuned: Sequence[Spec], folder: Place) -> list[Spec]:
    """Return these at their own settings and at those found, as far as the search is done."""
    names = [codec.path_of(spec).as_posix() for spec in searches(tuned)]
    found = searched(repository.look_up(folder, names)[0].values())
    done = [spec for spec in tuned if row_of(spec) in found]
    return [*done, *(at(spec, found[row_of(spec)].changes) for spec in done if found[row_of(spec)].changes)]


def at(spec: Spec, changes: Mapping[str, Setting]) -> Spec:
    """Return the spec with these settings, marked as changed."""
    changed = tuple(sorted({*spec.changed, *changes}))
    return msgspec.structs.replace(spec, settings={**spec.settings, **changes}, changed=changed)


def search_of(spec: Spec, seed: int = SEED) -> Spec:
    """Return the spec on the training series alone, with a seed of the search."""
    task = SEARCHES[search_name(spec)]
    data = selection.data_digest(task.quick() if spec.quick else task)
    return msgspec.structs.replace(spec, task=task.name, seed=seed, data_sha256=data)


def search_name(spec: Spec) -> str:
    """Return the name of the task that settings are chosen on for this one."""
    return spec.task + SUFFIX

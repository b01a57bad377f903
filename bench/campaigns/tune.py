"""Which runs find a learning rate for each method: the search, and the runs at the rates found.

searches -> runs on <task>-search -> analysis.tuning.searched -> finals -> runs on <task> -> analysis.tuning.table
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from bench.analysis.tuning import RATE, RATES, SEED, SUFFIX, row_of, searched
from bench.campaigns import run as campaign
from bench.campaigns import selection
from bench.campaigns.request import Selection
from bench.campaigns.run import Plan
from bench.errors import UsageError
from bench.records import codec, repository
from bench.records.stores import Place
from bench.schema.record import Spec
from bench.tasks import SEARCHES


def plans(selected: Selection, folder: Place) -> Iterator[Plan]:
    """Yield the plan of the search, then, from the records there are by then, the plan of the runs at the rates found.

    Raises UsageError for a task without a search, and where no method has a learning rate.
    """
    tuned = tunable(selection.specs(selected))
    yield campaign.plan_of(searches(tuned), selected.files, folder)
    yield campaign.plan_of(finals(tuned, folder), selected.files, folder)


def tunable(specs: Sequence[Spec]) -> list[Spec]:
    """Return those with a learning rate. Raises UsageError for a task without a search, and when none is left."""
    for spec in specs:
        if search_name(spec) not in SEARCHES:
            allowed = ", ".join(name.removesuffix(SUFFIX) for name in SEARCHES)
            raise UsageError(f"{spec.task}: learning rates are searched on {allowed}")
    found = [spec for spec in specs if RATE in spec.settings]
    if not found:
        methods = ", ".join(sorted({spec.method for spec in specs}))
        raise UsageError(f"nothing to tune: {RATE} is no setting of {methods}")
    return found


def searches(tuned: Iterable[Spec]) -> list[Spec]:
    """Return the runs of the search for these: each method at each rate, once."""
    first = {row_of(spec): spec for spec in tuned}
    return [at(search_of(spec), rate) for spec in first.values() for rate in RATES]


def finals(tuned: Sequence[Spec], folder: Place) -> list[Spec]:
    """Return these at their default rate and at the rates found, as far as the search is done."""
    names = [codec.path_of(spec).as_posix() for spec in searches(tuned)]
    found = searched(repository.look_up(folder, names)[0].values())
    done = [spec for spec in tuned if row_of(spec) in found]
    return [*done, *(at(spec, found[row_of(spec)].rate) for spec in done)]


def at(spec: Spec, rate: float) -> Spec:
    """Return the spec with this learning rate, marked as changed unless it is the default."""
    if rate == spec.settings[RATE]:
        return spec
    changed = tuple(sorted({*spec.changed, RATE}))
    return msgspec.structs.replace(spec, settings={**spec.settings, RATE: rate}, changed=changed)


def search_of(spec: Spec) -> Spec:
    """Return the spec on the training series alone, with the search's seed."""
    task = SEARCHES[search_name(spec)]
    data = selection.data_digest(task.quick() if spec.quick else task)
    return msgspec.structs.replace(spec, task=task.name, seed=SEED, data_sha256=data)


def search_name(spec: Spec) -> str:
    """Return the name of the task that settings are chosen on for this one."""
    return spec.task + SUFFIX

"""One odd record never stops the rest: what passes the check, every reader survives. FUZZ=10000 runs as many cases."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import make_run, make_spec
from hypothesis import HealthCheck, given, settings
from record_strategies import BASE, odd_runs
from synthetic import make

from bench.analysis import anytime, comparison, ranking, reproduction
from bench.campaigns import run as campaigns
from bench.cli import closing, listing, progress
from bench.errors import UsageError
from bench.records import codec, repository
from bench.reporting import leaderboard, method_pages
from bench.reporting.figures import drawing
from bench.reporting.html import data
from bench.schema.record import Run

TOGETHER = 64  # odd records in one folder: all readers take 2 s for it, and hardly less for one record
CASES = int(os.environ.get("FUZZ", "40"))
OTHERS = [make_run(make_spec(seed=1)), make("gru", "torch"), make("last_value", "numpy", task="one-step")]


def lists(folder: Path, runs: Sequence[Run]) -> None:
    rows, _ = listing.runs(folder)
    assert len(rows) == len(runs)
    assert listing.as_table(rows) and listing.as_json(rows) and listing.as_csv(rows)


def boards(folder: Path, runs: Sequence[Run]) -> None:
    lean, problems = repository.read(folder, keep=anytime.thinned)
    assert not problems and leaderboard.render(lean)
    assert leaderboard.render(runs)


def compares(folder: Path, runs: Sequence[Run]) -> None:
    comparison.compare_folders(runs, runs)


def plots(folder: Path, runs: Sequence[Run]) -> None:
    with contextlib.suppress(UsageError):  # nothing to draw
        drawing.plot_run(runs[-1], folder / "picture.svg")


def plots_one(run: Run) -> None:
    with tempfile.TemporaryDirectory() as name:
        plots(Path(name), [run])


def plans(folder: Path, runs: Sequence[Run]) -> None:
    plan = campaigns.plan_of([run.spec for run in runs] + [make_spec(seed=5)], {}, folder)
    assert plan.jobs


READERS: dict[str, Callable[[Path, Sequence[Run]], object]] = {
    "list": lists,
    "leaderboard": boards,
    "report": lambda folder, runs: data.collect(runs),
    "compare": compares,
    "plot": plots,
    "anytime": lambda folder, runs: anytime.table(runs, "keras"),
    "reproduction": lambda folder, runs: [one.verdict() for one in reproduction.evidence(runs)],
    "rank": lambda folder, runs: ranking.rank(runs),
    "method pages": lambda folder, runs: method_pages.figures(["gru", "last_value"], runs),
    "progress": lambda folder, runs: [progress.line(run.spec, run) for run in runs] + [closing.best(runs)],
    "plan": plans,
}


def passes(run: Run) -> bool:
    """Whether a record of the run would be valid."""
    try:
        codec.decode(codec.encode(run), codec.path_of(run.spec))
    except ValueError as error:
        assert str(error)
        return False
    return True


def survive(odd: Sequence[Run]) -> None:
    """Let every reader read these valid records, among others."""
    runs = {run.key: run for run in (*OTHERS, *odd)}
    with tempfile.TemporaryDirectory() as name:
        for run in runs.values():
            path = Path(name, codec.path_of(run.spec))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(codec.encode(run))
        found = repository.read(Path(name)).runs
        assert len(found) == len(runs)
        for reader in READERS.values():
            reader(Path(name), found)


def test_every_reader_survives_every_record_that_passes() -> None:
    valid: list[Run] = []
    drawn = 0

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(odd_runs())
    def draw(run: Run | None) -> None:
        nonlocal drawn
        drawn += 1
        if run is not None and passes(numbered := as_seed(run, drawn)):
            valid.append(numbered)

    draw()
    assert len(valid) > drawn / 10, "hardly a record passes, so that readers see nothing"
    for start in range(0, len(valid), TOGETHER):
        survive_together(valid[start : start + TOGETHER])


def as_seed(run: Run, seed: int) -> Run:
    """The run under a seed that no other one has, unless its own is odd."""
    if run.spec.seed != BASE.spec.seed:
        return run
    spec = msgspec.structs.replace(run.spec, seed=seed)
    return msgspec.structs.replace(run, spec=spec, key=codec.key_of(spec))


def survive_together(odd: Sequence[Run]) -> None:
    """Let every reader read these records at once; where one does not, name the record that is enough for it."""
    try:
        survive(odd)
    except Exception as error:
        for run in odd:
            try:
                survive([run])
            except Exception as alone:
                raise AssertionError(f"a record of its own is enough: {msgspec.json.encode(run)!r}") from alone
        raise AssertionError(f"{len(odd)} records together are too much") from error


ODD: dict[str, dict[str, Any]] = {
    "fewer errors than epochs": {"curve": {**(BASE.curve or {}), "val_last_step_mse": [0.1]}},
    "fewer times than epochs": {"curve": {**(BASE.curve or {}), "seconds": [1.0]}},
    "an empty loss": {"curve": {"loss": []}},
    "an empty curve": {"curve": {}},
    "no samples": {"samples": {}},
    "no errors by step": {"mse_by_step": []},
    "a machine of other types": {"environment": {"calibration_seconds": "fast", "cpu": 1}},
    "a machine that takes no time": {"environment": {"calibration_seconds": 0.0, "packages": "none"}},
    "no settings": {"spec": make_spec(settings={})},
    "a negative number of epochs": {"spec": make_spec(settings={"epochs": -1})},
    "a setting changed to none": {"spec": make_spec(settings={"units": None}, changed=("units",))},
    "no blocks": {"blocks": {}},
    "two blocks": {"blocks": {"validation": [1.0, 2.0]}},
    "one block of a file": {"by_block": [0.0]},
}


def test_odd_records_are_survived_together() -> None:
    """What was found, or feared, before; each under a seed of its own."""
    runs = []
    for seed, odd in enumerate(ODD.values(), 100):
        fields = {"spec": BASE.spec, "curve": BASE.curve, "examples": BASE.examples, **odd}
        fields["spec"] = msgspec.structs.replace(fields["spec"], seed=seed)
        runs.append(make_run(**fields))
    assert all(map(passes, runs))
    survive(runs)
    for run in runs:
        plots_one(run)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"seconds": None}, "status ok without seconds"),
        ({"seconds": {"fit": 1.0, "predict": 1.0}}, "seconds: total"),
        ({"seconds": {"total": 1.0, "predict": 1.0}}, "seconds: fit"),
        ({"seconds": {"total": 1.0, "fit": -1.0, "predict": 1.0}}, "seconds: fit: got -1.0, needed 0 to"),
        ({"spec": make_spec(changed=("units",))}, "changed: the method has no setting 'units'"),
        ({"examples": [[0.1, 0.2], [0.1]]}, "examples: got rows of lengths"),
        ({"metrics": {"last_step_mse": 1e300, "val_mse": 0.1, "test_mse": 0.1}}, "needed 0 to 1e.150"),
        ({"parameters": -1}, "parameters"),
    ],
)
def test_what_no_reader_can_use_is_no_record(odd: dict[str, object], message: str) -> None:
    run = make_run(**odd)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        codec.decode(codec.encode(run), codec.path_of(run.spec))

"""One odd record never stops the rest: what passes the check, every reader survives. FUZZ=10000 runs as many cases."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import make_run, make_spec
from hypothesis import HealthCheck, given, settings
from record_strategies import BASE, odd_runs
from synthetic import make

from bench.analysis import anytime, comparison, ranking, reproduction
from bench.campaigns import run as campaigns
from bench.cli import listing, progress
from bench.errors import UsageError
from bench.records import codec, repository
from bench.reporting import leaderboard, method_pages
from bench.reporting.figures import drawing
from bench.reporting.html import data
from bench.schema.record import Run

CASES = int(os.environ.get("FUZZ", "60"))
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


def plans(folder: Path, runs: Sequence[Run]) -> None:
    plan = campaigns.plan_of([run.spec for run in runs] + [make_spec(seed=5)], {}, folder)
    assert plan.jobs


READERS: dict[str, Callable[[Path, Sequence[Run]], object]] = {
    "list": lists,
    "leaderboard": boards,
    "report": lambda folder, runs: data.collect(runs),
    "compare": compares,
    "plot": plots,
    "anytime": lambda folder, runs: anytime.table(runs),
    "reproduction": lambda folder, runs: [one.verdict() for one in reproduction.evidence(runs)],
    "rank": lambda folder, runs: ranking.rank(runs),
    "method pages": lambda folder, runs: method_pages.figures(["gru", "last_value"], runs),
    "progress": lambda folder, runs: [progress.line(run.spec, run) for run in runs] + [progress.best(runs)],
    "plan": plans,
}


def survives(run: Run) -> bool:
    """Whether the record passes the check; then every reader has read it, among others."""
    try:
        codec.decode(codec.encode(run), codec.path_of(run.spec))
    except ValueError as error:
        assert str(error)
        return False
    runs = [*OTHERS, run]
    with tempfile.TemporaryDirectory() as name:
        for one in runs:
            repository.write(Path(name), one)
        for reader in READERS.values():
            reader(Path(name), repository.read(Path(name)).runs)
    return True


def test_every_reader_survives_every_record_that_passes() -> None:
    passed: Counter[bool] = Counter()

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(odd_runs())
    def fuzz(run: Run | None) -> None:
        if run is not None:
            passed[survives(run)] += 1

    fuzz()
    assert passed[True] > CASES / 10, f"{passed}: hardly a record passes, so that readers see nothing"


@pytest.mark.parametrize(
    "odd",
    [
        {"curve": {**(BASE.curve or {}), "val_last_step_mse": [0.1]}},
        {"curve": {**(BASE.curve or {}), "seconds": [1.0]}},
        {"curve": {"loss": []}},
        {"curve": {}},
        {"samples": {}},
        {"mse_by_step": []},
        {"environment": {"calibration_seconds": "fast", "cpu": 1}},
        {"environment": {"calibration_seconds": 0.0, "packages": "none"}},
        {"spec": make_spec(settings={})},
        {"spec": make_spec(settings={"epochs": -1})},
        {"spec": make_spec(settings={"units": None}, changed=("units",))},
        {"blocks": {}},
        {"blocks": {"validation": [1.0, 2.0]}},
        {"by_block": [0.0]},
    ],
)
def test_what_was_found_before(odd: dict[str, object]) -> None:
    run = make_run(**{"spec": BASE.spec, "curve": BASE.curve, "examples": BASE.examples, **odd})  # type: ignore[arg-type]
    assert survives(run)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"seconds": None}, "status ok without seconds"),
        ({"seconds": {"fit": 1.0, "predict": 1.0}}, "seconds: total"),
        ({"seconds": {"total": 1.0, "predict": 1.0}}, "seconds: fit"),
        ({"seconds": {"total": 1.0, "fit": -1.0, "predict": 1.0}}, "seconds: fit >= 0.0 is needed.*got -1.0"),
        ({"spec": make_spec(changed=("units",))}, "changed: 'units' is none of its settings"),
        ({"examples": [[0.1, 0.2], [0.1]]}, "examples: rows of one length"),
        ({"metrics": {"last_step_mse": 1e300, "val_mse": 0.1, "test_mse": 0.1}}, "at most 1e.150"),
        ({"parameters": -1}, "parameters"),
    ],
)
def test_what_no_reader_can_use_is_no_record(odd: dict[str, object], message: str) -> None:
    run = make_run(**odd)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        codec.decode(codec.encode(run), codec.path_of(run.spec))

"""`bench reproduction`: a verdict on each figure of the notes, from the records alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import Bench
from scipy import stats
from synthetic import failed, make

from bench.analysis import reference, reproduction
from bench.records import repository
from bench.schema.record import Run

GRU = reference.figures()["ten-step"]["gru"]  # 0.02412 / 0.01009


def run_of(val_mse: float, last_step_mse: float, method: str = "gru", **more: object) -> Run:
    run = make(method, **more)  # type: ignore[arg-type]
    assert run.metrics
    metrics = {**run.metrics, "val_mse": val_mse, "last_step_mse": last_step_mse}
    return msgspec.structs.replace(run, metrics=metrics)


def verdict(*runs: Run, method: str = "gru") -> str:
    (found,) = (one for one in reproduction.evidence(runs) if (one.task, one.method) == ("ten-step", method))
    return found.verdict()


def runs_of(
    val: list[float], last: list[float], method: str = "gru", backends: tuple[str, ...] = ("torch",)
) -> list[Run]:
    pairs = list(enumerate(zip(val, last, strict=True), 42))
    return [run_of(*pair, method, seed=seed, backend=backend) for backend in backends for seed, pair in pairs]


def test_a_figure_where_another_run_would_lie_is_reproduced() -> None:
    spread = [0.0230, 0.0235, 0.0225, 0.0238, 0.0228]  # the printed 0.02412 is above all of them
    assert verdict(*runs_of(spread, [0.0105] * 5)) == "not reproduced: printed 4% below the interval of our 5 runs"
    last = [0.0092, 0.0098, 0.0095, 0.0090, 0.0099]  # so is 0.01009
    assert verdict(*runs_of(spread, last)) == "reproduced"
    close = [0.02300, 0.02302, 0.02298, 0.02301, 0.02299]  # 5 % above these is another thing
    assert verdict(*runs_of(close, last)) == "not reproduced: printed 5% above the interval of our 5 runs"
    assert verdict(*runs_of([0.0482] * 2, last[:2])) == "not reproduced: printed 50% below the interval of our 2 runs"


def test_frameworks_are_no_further_trainings() -> None:
    spread, last = [0.0222, 0.0235], [0.0092, 0.0101]
    two = runs_of(spread, last)
    six = runs_of(spread, last, backends=("torch", "keras", "keras-jax"))
    (one, other) = (reproduction.Evidence("ten-step", "gru", GRU, runs).interval("val_mse") for runs in (two, six))
    assert one == pytest.approx(other)
    logs = np.log(spread)
    half = stats.t.ppf(0.975, 1) * np.std(logs, ddof=1) * np.sqrt(1.5)
    assert np.log(one) == pytest.approx([logs.mean() - half, logs.mean() + half], abs=2e-3)


def test_one_seed_says_nothing() -> None:
    assert verdict(run_of(0.0241, 0.0101)) == "too few seeds: 1, at least 2"


def test_errata_are_named() -> None:
    leaked = [run_of(0.267, 0.267, "last_value", seed=seed) for seed in (1, 2)]
    assert verdict(*leaked, method="last_value").startswith("erratum 1: ")
    for method in ("deep_rnn_sliding", "deep_rnn_growing"):
        own = runs_of([0.0158, 0.0150], [0.0158, 0.0150], method)
        assert verdict(*own, method=method).startswith("reproduced (as printed, erratum 5: ")
    printed = runs_of([0.1206, 0.1205], [0.1144, 0.1143], "wavenet_as_printed")
    assert verdict(*printed, method="wavenet_as_printed") == "reproduced (as printed, erratum 2)"


def test_only_full_default_runs_count() -> None:
    others = [make(quick=True), make(changed=["units"]), failed(make(seed=3)), make("lstm"), make(task="one-step")]
    assert verdict(*others) == "no runs"


def test_every_figure_of_the_notes_has_a_row(inside: Bench, tmp_path: Path) -> None:
    runs = [run_of(0.0241, 0.0101, seed=seed, backend=backend) for seed in (1, 2) for backend in ("keras", "torch")]
    for run in [*runs, run_of(0.0999, 0.0888, seed=3)]:
        repository.write(tmp_path / "mine", run)
    assert inside("reproduction", "--results", "mine", "--check").returncode == 1
    done = inside("reproduction", "--results", "mine")
    assert (done.returncode, done.stdout) == (0, "mine/reproduction.md is up to date\n"), done.stderr
    assert inside("reproduction", "--results", "mine", "--check").returncode == 0
    page = (tmp_path / "mine" / "reproduction.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(("| one-step", "| ten-step"))]
    assert len(rows) == 19
    (row,) = (row for row in rows if "| gru " in row)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    ours = ["0.02410 to 0.09990", "0.01009", "0.01010 to 0.08880", "5", "reproduced"]
    assert cells == ["ten-step", "gru", "0.02412", *ours]
    assert "Of 19 figures 1 are reproduced, 0 are errata, 0 are not reproduced." in page
    assert (tmp_path / "mine" / "figures" / "reproduction.png").is_file() and "](figures/reproduction.png)" in page
    repository.write(tmp_path / "mine", run_of(0.0241, 0.0101, seed=4))
    assert inside("reproduction", "--results", "mine", "--check").returncode == 1


def test_records_without_the_printed_curves_make_a_page_without_a_picture(inside: Bench, tmp_path: Path) -> None:
    repository.write(tmp_path / "some", make("last_value", "numpy", curve=None))
    assert inside("reproduction", "--results", "some").returncode == 0
    assert "![" not in (tmp_path / "some" / "reproduction.md").read_text()
    assert inside("reproduction", "--check", "--results", "some").returncode == 0


def test_no_folder_is_one_line(inside: Bench) -> None:
    done = inside("reproduction", "--results", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bench: no results folder 'nowhere': `python -m bench run` makes one\n"


def test_the_figures_are_those_of_the_specification() -> None:
    assert (GRU.val_mse, GRU.last_step_mse) == pytest.approx((0.02412, 0.01009), abs=5e-6)
    assert len(reproduction.evidence([])) == 19

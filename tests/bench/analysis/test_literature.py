"""The gate, and published figures beside ours."""

from __future__ import annotations

import msgspec
import pytest
from conftest import ROOT, Bench, make_run, make_spec

from bench.analysis import gate, literature
from bench.analysis.literature import Evidence, Published
from bench.data.datasets import open_data
from bench.metrics import METRICS
from bench.tasks import ALL
from implementations import METHODS

OFFLINE = ("m1-yearly", "m1-quarterly", "m3-yearly", "m3-quarterly", "tourism-quarterly", "tourism-monthly")


@pytest.mark.parametrize("task", OFFLINE)
def test_the_gate_of_each_competition_is_open(task: str) -> None:
    (passed,) = gate.check(task, lambda: open_data(ALL[task], {}))
    assert passed.ours == pytest.approx(passed.published.value, rel=1e-3)


def test_a_closed_gate_runs_nothing(inside: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    planned = inside("run", "--task", "m3-quarterly", "--method", "theta", "--dry-run")
    assert "m3-quarterly: gate open: test MASE of seasonal_naive 1.4253 (fev 1.4253)" in planned.stdout
    wrong = Published("m3-quarterly", "seasonal_naive", "original_test_mase", 1.5, "fev", True)
    monkeypatch.setattr(gate, "figures", lambda: [wrong])
    ended = inside("run", "--task", "m3-quarterly", "--method", "theta")
    assert ended.returncode == 2 and "its gate is closed, nothing is ranked" in ended.stderr
    assert "got 1.4253, fev has 1.5" in ended.stderr and not list(tmp_path.glob("results/*/*.json"))


def test_every_figure_is_of_something_that_there_is() -> None:
    found = literature.figures()
    assert len(found) >= 50 and {one.source for one in found} == set(literature.content().sources)
    for one in found:
        assert one.task in ALL and one.method in METHODS and one.metric in METRICS and one.value > 0
        assert one.metric in ALL[one.task].metrics


def evidence(method: str, published: float, *ours: float, other: str = "") -> Evidence:
    spec = make_spec(task="m3-yearly", method=method, backend="numpy")
    runs = [make_run(msgspec.structs.replace(spec, seed=seed), metrics={"test_mse": value})
            for seed, value in enumerate(ours)]  # fmt: skip
    return Evidence(Published("m3-yearly", method, "test_mse", published, "x", method == "last_value", other), runs)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (evidence("last_value", 1.295, 1.294), "equal"),
        (evidence("last_value", 1.295, 1.28), "not reproduced: ours 1.2% below"),
        (evidence("auto_ets", 2.69527, 2.69541), "reproduced"),
        (evidence("auto_ets", 2.69527, 2.75), "not reproduced: ours 2.0% above"),
        (evidence("dlinear", 0.375, 0.37), "reproduced"),
        (evidence("dlinear", 0.375, 0.41), "not reproduced: ours 9.3% above"),
        (evidence("dlinear", 0.375, 0.41, 0.35, 0.45), "reproduced: inside the interval of 3 seeds"),
        (evidence("theta", 2.61, 2.77, other="AutoTheta"), "another model: ours 6.1% above"),
        (evidence("theta", 2.61), "not run"),
    ],
)
def test_verdicts(found: Evidence, verdict: str) -> None:
    assert found.verdict() == verdict


def test_a_task_whose_naive_row_differs_ranks_nothing() -> None:
    from bench.reporting import literature as page

    runs = [
        make_run(make_spec(task="m3-yearly", method=method, backend="numpy"), metrics={"original_test_mase": value})
        for method, value in (("seasonal_naive", 3.3), ("auto_ets", 2.695))
    ]
    text = page.text(runs)
    assert "**m3-yearly** ranks nothing" in text and "not reproduced: ours 4.0% above" in text
    assert "2.695 |" not in text
    assert "| auto_ets" in page.text(runs[1:]) and "**m3-yearly**: 645 yearly series" in page.text(runs[1:])


def test_the_page_is_up_to_date() -> None:
    from bench.reporting import literature as page

    folder = ROOT / "results" / "published"
    assert not page.stale(folder, ROOT / "docs" / "published.md")
    assert all(path.stat().st_size < 20_000 for path in folder.glob("*/*.json"))

"""The gate, and published figures beside ours."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from conftest import ROOT, Bench, make_run, make_spec

from bench.analysis import gate, literature
from bench.analysis.literature import Evidence, Published
from bench.cli import board
from bench.data.datasets import open_data
from bench.metrics import METRICS
from bench.records import repository
from bench.tasks import ALL
from implementations import METHODS

OFFLINE = ("m1-yearly", "m1-quarterly", "m3-yearly", "m3-quarterly", "m3-other", "tourism-quarterly", "tourism-monthly")
SEASONS = {"yearly": (1, 23.61), "quarterly": (4, 16.46), "monthly": (12, 22.56)}


@pytest.mark.parametrize("task", OFFLINE)
def test_the_gate_of_each_competition_is_open(task: str) -> None:
    passed = list(gate.check(task, lambda: open_data(ALL[task], {})))
    assert passed and all(one.ours == pytest.approx(one.published.value, rel=1e-3) for one in passed)


@pytest.mark.parametrize("kind", SEASONS)
def test_the_tourism_series_are_those_of_the_competition(kind: str) -> None:
    """The MAPE of seasonal naive forecasts as printed, arXiv 1905.10437: fev's copy of the yearly ones is another."""
    season, published = SEASONS[kind]
    task = ALL[f"tourism-{kind}"]
    part = open_data(task, {}).prepared.parts.test
    known, came = part.values[:, : -task.ahead, 0], part.values[:, -task.ahead :, 0]
    naive = known[:, -season:][:, np.arange(task.ahead) % season]
    assert 100 * np.abs(1 - naive / came).mean() == pytest.approx(published, abs=0.005)


def test_the_gate_counts_the_windows_that_theirs_count() -> None:
    data = open_data(ALL["m1-yearly"], {})
    every = Published("m1-yearly", "last_value", "original_test_mae", 1.0, "x", True)
    errors = np.abs(
        data.prepared.truth(data.prepared.parts.test) - data.prepared.known(data.prepared.parts.test).values[:, -1:]
    )
    assert gate.naive_error(data, every) == pytest.approx(errors.mean())
    assert gate.naive_error(data, replace(every, batch=100)) == pytest.approx(errors[:100].mean())


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


def evidence(method: str, published: float, *ours: float, other: str = "", batch: int = 1) -> Evidence:
    spec = make_spec(task="m3-yearly", method=method, backend="numpy")
    runs = [make_run(msgspec.structs.replace(spec, seed=seed), metrics={"test_mse": value})
            for seed, value in enumerate(ours)]  # fmt: skip
    gated = method == "last_value"
    return Evidence(Published("m3-yearly", method, "test_mse", published, "x", gated, other, batch=batch), runs)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (evidence("last_value", 1.295, 1.294), "equal"),
        (evidence("last_value", 1.295, 1.28), "not reproduced: ours 1.2% below"),
        (evidence("last_value", 1.323, 1.3299, batch=32),
         "equal on their windows; ours 0.5% above on all"),
        (evidence("last_value", 1.323, 1.35, batch=32), "not reproduced: ours 2.0% above"),
        (evidence("dlinear", 0.056, 0.0581), "not reproduced: ours 3.8% above"),
        (evidence("auto_ets", 2.69527, 2.69541), "reproduced"),
        (evidence("auto_ets", 2.69527, 2.75), "not reproduced: ours 2.0% above"),
        (evidence("dlinear", 0.375, 0.37), "reproduced"),
        (evidence("dlinear", 0.375, 0.41), "not reproduced: ours 9.3% above"),
        (evidence("dlinear", 0.375, 0.41, 0.35, 0.45), "reproduced: inside the interval of 3 seeds"),
        (evidence("theta", 2.61, 2.77, other="AutoTheta"), "another model: ours 6.1% above"),
        (evidence("theta", 2.61), "not run"),
    ],
)  # fmt: skip
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


def test_a_figure_of_changed_settings_counts_the_runs_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    content = literature.content()
    figure = msgspec.structs.replace(
        content.figures[0], method="gru", values={"m3-yearly": 3.0}, settings={"units": 16}
    )
    monkeypatch.setattr(literature, "content", lambda: msgspec.structs.replace(content, figures=[figure]))
    spec = make_spec(task="m3-yearly", method="gru")
    other = msgspec.structs.replace(spec, settings={**spec.settings, "units": 16}, changed=("units",))
    runs = [make_run(one, metrics={"original_test_mase": value}) for one, value in ((spec, 9.0), (other, 3.0))]
    (found,) = literature.evidence(runs)
    assert found.values == [3.0] and found.published.changed == ("units=16",)


def test_check_and_verify_know_the_records_of_the_page(inside: Bench, tmp_path) -> None:
    run = make_run(make_spec(task="m3-yearly", method="last_value", backend="numpy"))
    repository.write(tmp_path / "results" / "published", run)
    (tmp_path / "results" / "published" / "m3-yearly" / "cut.json").write_text("{")
    checked = inside("results", "check")
    assert checked.returncode == 1 and "1 records, 1 invalid file" in checked.stdout
    assert "published/m3-yearly/cut.json: " in checked.stdout
    assert run.key in inside("show", run.key).stdout
    assert "unknown key or method" in inside("verify", "theta").stderr


def test_the_page_is_up_to_date() -> None:
    from bench.reporting import literature as page

    folder = ROOT / "results" / "published"
    assert not page.stale(folder, ROOT / "docs" / "published.md")
    assert repository.read(folder).problems == []
    steps = {name: task.ahead for name, task in ALL.items()}  # three forecasts and an error for each step ahead
    assert all(path.stat().st_size < 24_000 + 80 * steps[path.parent.name] for path in folder.glob("*/*.json"))


def test_a_task_that_nothing_published_is_on_ends_with_the_board_of_mine() -> None:
    mine = board.competitors([make_run(make_spec(task="m3-yearly", method="theta", backend="numpy"))])
    text = board.all_as_text({"mine": mine, "published": mine[:0]})
    assert text.startswith("m3-yearly: ") and "PUBLISHED" not in text and board.NOTHING not in text

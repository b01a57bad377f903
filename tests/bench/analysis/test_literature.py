"""The gate, and published figures beside ours."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from conftest import ROOT, Bench, make_run, make_spec

from bench.analysis import comparison, gate, literature
from bench.analysis.literature import Evidence, Published
from bench.cli import board
from bench.cli.closing import best
from bench.cli.progress import line
from bench.data.datasets import open_data
from bench.data.series_tasks import is_outdated
from bench.metrics import METRICS
from bench.records import repository
from bench.reporting import leaderboard
from bench.reporting.html import data
from bench.schema.record import Run
from bench.tasks import ALL, main_metric
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


def of_mase(test: float) -> dict[str, float]:
    """Metrics of a task that MASE ranks."""
    return {"original_mase": 1.0, "original_test_mase": test}


def test_a_task_whose_naive_row_differs_ranks_nothing() -> None:
    from bench.reporting import literature as page

    runs = [
        make_run(make_spec(task="m3-yearly", method=method, backend="numpy"), metrics=of_mase(value))
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
    runs = [make_run(one, metrics=of_mase(value)) for one, value in ((spec, 9.0), (other, 3.0))]
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
    assert all(path.stat().st_size < 20_000 for path in folder.glob("*/*.json"))


def test_a_task_that_nothing_published_is_on_ends_with_the_board_of_mine() -> None:
    mine = board.competitors([of_m3("theta", 2.77, 1.9)])
    text = board.all_as_text({"mine": mine, "published": mine[:0]})
    assert text.startswith("m3-yearly: ") and "PUBLISHED" not in text and board.NOTHING not in text


def of_m3(method: str, mase: float, mse: float) -> Run:
    metrics = {"original_mase": mase, "original_test_mase": mase, "last_step_mse": mse, "val_mse": mse, "test_mse": mse}
    return make_run(make_spec(task="m3-yearly", method=method, backend="numpy"), metrics=metrics)


@pytest.fixture(scope="module")
def both() -> list[Run]:
    """Two methods: the one with the smaller MASE has the larger MSE."""
    return [of_m3("theta", 2.77, 1.9), of_m3("auto_ets", 2.695, 2.1)]


def test_a_competition_ranks_by_the_first_metric_of_its_file(both: list[Run], inside: Bench, tmp_path) -> None:
    for run in both:
        repository.write(tmp_path / "results", run)
    shown = inside("leaderboard", "--task", "m3-yearly").stdout
    assert "auto_ets is the best: test MASE 2.695" in shown and "MSE" not in shown
    first, second = json.loads(inside("leaderboard", "--task", "m3-yearly", "--json").stdout)
    assert first["method"] == "auto_ets" and first["original_test_mase"] == pytest.approx(2.695)
    assert second["original_test_mase"] == pytest.approx(2.77)
    assert not {"test_mse", "last_step_mse", "val_mse"} & first.keys()
    header, row = inside("leaderboard", "--task", "m3-yearly", "--csv").stdout.splitlines()[:2]
    assert "original_test_mase" in header.split(",") and "auto_ets" in row


def test_pages_campaigns_and_comparisons_name_that_metric(both: list[Run]) -> None:
    (found,) = data.collect(both)["boards"]
    assert [row["error"] for row in found["rows"]] == [2.695, 2.77]
    assert (found["metric"], found["error"]) == ("MASE", "test MASE")
    assert "test MASE" in found["labels"] and "test MSE" not in found["labels"]
    text = leaderboard.render(both)
    assert "test MASE 2.695" in text and "| test MASE" in text[text.index("## m3-yearly") :]
    assert "MASE 2.77000" in line(both[0].spec, both[0]) and "main metric" in best(both)
    measures = [row["measure"] for row in comparison.compare_rows(both, "theta", "auto_ets")]
    assert "test MASE" in measures and "test MSE" in measures


def test_a_competition_has_intervals_of_its_metric_where_records_tell(both: list[Run]) -> None:
    noise = np.random.default_rng(0).uniform(0.8, 1.2, 50)
    alike = [(run, list(run.metrics["original_test_mase"] * noise)) for run in both if run.metrics]

    def rows(**more: str) -> list[tuple[int, int, bool]]:
        runs = [msgspec.structs.replace(run, blocks={"test": test}, **more) for run, test in alike]
        assert all(is_outdated(run) is not bool(more) for run in runs)
        found = board.competitors(runs)
        return list(zip(found["rank_low"], found["rank_high"], found["low"] < found["high"], strict=True))

    assert rows(blocks_of="original_test_mase") == [(1, 1, True), (2, 2, True)], "the draw of the series is shared"
    assert not any(interval for _, _, interval in rows()), "errors by block of another metric say nothing of this one"


def test_a_record_without_the_metric_of_its_task_is_not_ranked_and_says_why(both: list[Run]) -> None:
    old = make_run(make_spec(task="m3-yearly", method="theta", backend="numpy"))
    assert list(board.competitors([old, both[1]])["method"]) == ["auto_ets"]
    assert "its record has no test MASE, which ranks the task" in leaderboard.render([old, both[1]])


def test_the_metric_of_a_task_is_the_first_that_both_parts_have() -> None:
    assert main_metric.main_of_task("m3-yearly") == ("original_mase", "original_test_mase")
    assert main_metric.main_of_task("m4-weekly") == ("original_smape", "original_test_smape")
    assert (
        main_metric.main_of_task("etth1-336-96")
        == main_metric.main_of_task("ten-step")
        == ("last_step_mse", "test_mse")
    )
    assert main_metric.pair_of("original_test_quantile_loss") is None, "of the test part alone"
    assert main_metric.pair_of("val_mae") == ("val_mae", "test_mae")

"""A board of a task that asks for classes ranks by their cross-entropy, and says so wherever it shows it."""

from __future__ import annotations

from synthetic import make

from bench.analysis import ranking
from bench.cli.closing import best
from bench.cli.progress import line
from bench.reporting import leaderboard
from bench.reporting.columns import as_data
from bench.schema.record import Run


def record(method: str, cross_entropy: float, mse: float) -> Run:
    run = make(method, "torch", 42, error=mse, task="which-generator")
    of_classes = {"cross_entropy": cross_entropy, "test_cross_entropy": 1.1 * cross_entropy, "test_accuracy": 71.25}
    assert run.metrics
    run.metrics.update(of_classes)
    return run


GRU, LINEAR = record("gru", 0.5, 0.2), record("linear", 0.7, 0.1)


def test_the_smallest_cross_entropy_is_first_not_the_smallest_mse() -> None:
    rows = ranking.by_method(ranking.rank([LINEAR, GRU]))
    assert list(rows["method"]) == ["gru", "linear"]
    first = as_data(rows)[0]
    assert first["method"] == "gru" and round(first["test_cross_entropy"], 3) == 0.55 and "test_mse" not in first


def test_the_board_and_the_lines_of_a_campaign_name_the_metric() -> None:
    page = leaderboard.render([LINEAR, GRU])
    section = page[page.index("## which-generator") : page.index("## How to read it")]
    assert "test cross-entropy" in section and "test accuracy (%)" in section and "MSE" not in section
    assert "Smallest error: `gru`, test cross-entropy 0.55" in page
    assert "cross-entropy 0.50000" in line(GRU.spec, GRU)
    assert "main metric" in best([GRU]) and "last-step MSE" in best([make("gru")])


def test_tasks_of_forecasts_keep_their_columns_beside_it() -> None:
    page = leaderboard.render([LINEAR, GRU, make("gru", "torch")])
    forecasts = page[page.index("## ten-step") : page.index("## which-generator")]
    assert "test MSE" in forecasts and "cross-entropy" not in forecasts and "accuracy" not in forecasts

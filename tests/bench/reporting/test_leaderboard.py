"""The board as a reader meets it: its tables, what stands apart, and that the records alone decide every byte."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import ROOT
from markdown_it import MarkdownIt
from markdown_tables import tables
from scipy import stats
from synthetic import campaign, failed, make

from bench.campaigns import config, selection
from bench.errors import UsageError
from bench.records import repository
from bench.reporting import leaderboard
from bench.reporting.columns import COLUMNS, seconds, with_interval
from bench.reporting.markdown import escape
from bench.schema.record import Run
from bench.text import clean, decimals, digits

NASTY = "a|b `c` <script>alert(1)</script>\x1b[31mred\x1b[0m\nnew *line* _x_ [l](u) $m$ \u202eright"


def table_with(board: str, *headers: str) -> list[list[str]]:
    """The first table that has these columns."""
    return next(table for table in tables(board) if set(headers) <= set(table[0]))


def column(table: list[list[str]], header: str) -> list[str]:
    return [row[table[0].index(header)] for row in table[1:]]


def test_the_first_table_answers() -> None:
    runs = [make("last_value", "numpy", seed=seed, error=0.26, fit=0.001) for seed in range(3)] + [
        make("bayes", "numpy", error=0.005)
    ]
    runs += [make("gru", "keras", seed=seed, error=0.01, fit=52.3) for seed in range(3)]
    runs += [make("mlp", "keras", seed=seed, error=0.02, fit=7.5) for seed in range(3)]
    first = tables(leaderboard.render(runs))[0]
    assert first[0] == ["rank", "method", "× limit", "fit s", "forecast ms", "parameters", "use it when"]
    assert first[1] == ["1", "gru", "2.00", "52.3", "52.3", "1,234", "only error matters"]
    assert first[2] == ["2", "mlp", "4.00", "7.50", "7.50", "1,234", "a network in 7.5 s"]
    assert first[3][1:] == ["last_value", "52.0", "0.00", "0.00", "1,234", ""]


def test_each_task_says_who_is_the_best() -> None:
    runs = [make("gru", seed=seed, error=0.01) for seed in range(3)]
    runs += [make("lstm", seed=seed, error=0.02) for seed in range(3)]
    runs += [make("gru", task="one-step", error=0.01), make("lstm", task="one-step", error=0.02)]
    board = leaderboard.render(runs)
    assert "- **ten-step**: `gru` is the best: test MSE 0.01100." in board
    assert "- **one-step**: undecided, any of 2 methods may be the best. Smallest error: `gru`" in board


def test_a_summary_has_one_row_per_method_with_its_error_and_rank() -> None:
    runs = [make("gru", backend, error=0.01) for backend in ("torch", "keras", "keras-jax")]
    summary = table_with(leaderboard.render([*runs, make("lstm", "torch", error=0.02)]), "rank", "test MSE")
    assert column(summary, "method") == ["gru", "lstm"]
    assert column(summary, "rank") == ["1 (1–2)", "2 (1–2)"] and column(summary, "reference")[0] == "0.01009"
    assert column(summary, "test MSE") == ["0.01100", "0.02200"]


def test_an_interval_is_shown_in_percent() -> None:
    errors = (0.010, 0.013, 0.011, 0.018)
    runs = [make(seed=seed, error=error) for seed, error in enumerate(errors)]
    logs = np.log(1.1 * np.array(errors))
    half = 100 * np.expm1(stats.t.ppf(0.975, 3) * stats.sem(logs))
    shown = column(table_with(leaderboard.render(runs), "test MSE"), "test MSE")
    assert shown == [f"{np.exp(logs.mean()):.5f} ± {half:.0f} %"]


def test_summaries_fit_a_screen() -> None:
    board = leaderboard.render([*campaign(), *campaign(task="one-step")])
    summaries = [part.split("<details>")[0] for part in board.split("\n## ")[:3]]
    widths = [len(line) for summary in summaries for line in summary.splitlines() if line.startswith("|")]
    assert max(widths) <= 110
    assert sum(line.startswith("| ") for line in summaries[1].splitlines()) == 35 + 1


def test_the_full_table_has_every_measure() -> None:
    runs = [make(seed=seed, error=error) for seed, error in ((1, 0.010), (2, 0.013), (3, 0.011), (4, 0.018))]
    runs += [failed(make(seed=5)), make("last_value", "numpy", error=0.13), make("gru", "torch", seed=1, error=0.01)]
    full = table_with(leaderboard.render(runs), "timed runs")
    row = dict(zip(full[0], next(row for row in full if row[:2] == ["gru", "keras"]), strict=True))
    assert row["val MSE"] == "0.01300" and row["val MSE, all outputs"] == "0.02600" and row["skill %"] == "90.0"
    assert (row["reference"], row["ratio"], row["seeds"]) == ("0.01009", "1.29", "4 of 5")
    assert row["timed runs"] == "4: 10.0–10.0" and row["records"] == f"{runs[0].key[:8]} +3"
    assert row["against the mean of its backends"] == "same"


def test_every_seed_of_rows_with_several_is_shown():
    runs = [make(seed=seed, error=error) for seed, error in ((42, 0.010), (43, 0.013))]
    runs += [make("lstm", seed=seed, error=0.02) for seed in (43, 44)] + [make("linear", seed=42)]
    header, *rows = table_with(leaderboard.render(runs), "seed 42")
    assert header == ["method", "backend", "seed 42", "seed 43", "seed 44"]
    assert rows == [["gru", "keras", "0.01100", "0.01430", "–"], ["lstm", "keras", "–", "0.02200", "0.02200"]]
    assert "of every seed" not in leaderboard.render([make(), make("lstm", seed=43)])


def test_of_many_seeds_the_first_have_a_column():
    board = leaderboard.render([make(seed=seed) for seed in range(100, 125)])
    assert "**Test MSE of the first 20 of 25 seeds**" in board and "| seed 119 |" in board and "seed 120 " not in board


def test_references_are_named_and_not_ranked() -> None:
    references = [make("least_squares_oracle", "numpy", error=0.002), make("bayes", "numpy", error=0.00107)]
    board = leaderboard.render([*references, make(error=0.0107)])
    assert column(tables(board)[0], "method") == ["gru"] and column(tables(board)[0], "× limit") == ["10.0"]
    assert "No method can be expected below its 0.001177." in board and "It reaches 0.002200." in board
    assert "is over the error of `bayes`" in board
    assert "bayes" not in leaderboard.render([make()])


@pytest.mark.parametrize(("task", "known"), [("forty-step", True), ("nile", False), ("sales-3f2a", False)])
def test_a_limit_is_named_where_the_reference_knows_the_series(task: str, known: bool) -> None:
    board = leaderboard.render([make("bayes", "numpy", error=0.00107, task=task), make(error=0.0107, task=task)])
    assert ("No method can be expected below its 0.001177." in board) == known
    assert ("10.0 × the limit" in board) == known


def test_a_record_under_an_old_name_counts_as_the_method() -> None:
    old = make("oracle", "numpy", seed=1, error=0.002)
    alone = leaderboard.render([old, make(error=0.0107)])
    assert "`least_squares_oracle` knows the formula" in alone and "It reaches 0.002200." in alone
    newer = make("least_squares_oracle", "numpy", seed=1, error=0.003, started_at="2030-01-01T00:00:00+00:00")
    both = leaderboard.render([old, newer, make(error=0.0107)])
    assert "It reaches 0.003300." in both and "`oracle`" not in both


def test_networks_are_compared_with_the_best_classical_method_by_the_same_tests() -> None:
    errors = {"theta": 0.2, "arima": 0.1, "good": 0.05, "bad": 0.3, "near": 0.1004}
    runs = [
        make(method, "numpy" if method in ("theta", "arima") else "keras", seed, error)
        for method, error in errors.items() for seed in range(5)
    ]  # fmt: skip
    text = leaderboard.render(runs)
    assert "Networks against `arima` (0.1100), the best method without a network (others: `theta`)" in text
    assert "- better: `good`\n- no significant difference: `near`\n- worse: `bad`" in text
    alone = leaderboard.render([make("theta", "numpy"), make("gru", error=0.02)])
    assert "No network differs significantly from `theta`" in alone


def test_several_tasks_are_summed_up_without_places() -> None:
    tasks = ("one-step", "ten-step", "third")
    runs = [make("last_value", "numpy", error=0.2, task=task) for task in tasks]
    runs += [make(error=error, task=task) for error, task in zip((0.1, 0.05, 0.1), tasks, strict=True)]
    section = leaderboard.render(runs).split("## Over several tasks")[1]
    assert "3 tasks cannot rank methods" in section
    assert column(table_with(section, "skill %"), "method") == ["gru", "last_value"]
    assert table_with(section, "skill %")[1][1].startswith("60.3 (")
    assert "rank" not in table_with(section, "skill %")[0]
    assert "## Over several tasks" not in leaderboard.render(runs[:2] + runs[3:5])


def test_a_task_on_which_the_naive_forecast_makes_no_error_is_left_out_by_name() -> None:
    tasks = {"one-step": 0.4, "ten-step": 0.3, "third": 0.2, "zeros": 0.0}
    runs = [make("last_value", "numpy", error=error, task=task) for task, error in tasks.items()]
    runs += [make(error=error / 2, task=task) for task, error in tasks.items()]
    text = leaderboard.render(runs)
    section = text.split("## Over several tasks")[1]
    assert "**All tasks** (3: one-step, ten-step, third)" in section
    assert "Left out, as the naive forecast makes no error there: zeros." in section
    assert "e-308" not in text


def test_real_series_and_tasks_of_several_steps_have_tables_of_their_own():
    tasks = {"one-step": 0.4, "nile": 0.3, "co2": 0.2, "macro": 0.1, "sales": 0.5}
    runs = [make("last_value", "numpy", error=error, task=task) for task, error in tasks.items()]
    runs += [make("theta", "numpy", error=error / 2, task=task) for task, error in tasks.items() if task != "one-step"]
    runs += [make("seasonal_naive", "numpy", error=error, task=task) for task, error in list(tasks.items())[1:4]]
    section = leaderboard.render(runs).split("## Over several tasks")[1].split("##")[0]
    assert "**All tasks**" not in section, "one method alone has a result on each"
    several, real = section.split("**Real series** (3: co2, nile, macro)")
    assert "**All tasks that forecast several steps** (4: co2, nile, macro, sales)" in several
    assert "| theta " in several and "| seasonal_naive " not in several
    assert "| theta          | 50.0 (50.0 to 50.0) |" in real
    assert "| seasonal_naive " in real


def test_failed_runs_stand_below_with_their_reason():
    runs = [make(), *(failed(make("lstm", seed=seed)) for seed in (43, 42))]
    runs.append(failed(make("gru", "torch"), "timeout", "killed after 600 s"))
    lost = table_with(leaderboard.render(runs), "reason")
    assert lost[1] == ["gru", "torch", "timeout", "42", "killed after 600 s"]
    assert lost[2] == ["lstm", "keras", "diverged", "42, 43", "loss is nan in epoch 3"]


def test_a_task_where_all_failed_says_so():
    board = leaderboard.render([failed(make())])
    assert "No run with default settings has succeeded yet." in board
    assert table_with(board, "reason")[1][0] == "gru"


def test_changed_settings_follow_in_a_table_of_their_own():
    runs = [make(), make(error=0.001, settings={"units": 32, "epochs": 20}, changed=["units"])]
    board = leaderboard.render(runs)
    assert column(tables(board)[0], "method") == column(tables(board)[1], "method") == ["gru"]
    apart = board.split("**Changed settings, ranked apart**")[1]
    assert column(tables(apart)[0], "method") == ["gru (units=32)"] and column(tables(apart)[0], "rank") == ["1"]


def test_quick_runs_are_marked_and_below_full_ones():
    board = leaderboard.render([make(error=0.01), make(error=0.0001, quick=True)])
    assert board.index("0.01100") < board.index("ten-step, quick runs") < board.index("0.0001100")
    alone = leaderboard.render([make(quick=True)])
    assert "## ten-step, quick runs" in alone
    assert "**Quick runs**" in alone
    assert "--quick" in alone
    assert "png" not in alone


def test_command_repeats_the_rows():
    runs = [make(seed=42), make(seed=44), make("lstm", "torch", seed=42), make("lstm", "torch", seed=44)]
    board = leaderboard.render([*runs, make("lstm", task="one-step")])
    assert "python -m bench run --task ten-step --seeds 42,44 --backend keras --backend torch\n" in board
    assert "python -m bench run --task one-step --method lstm --seeds 42 --backend keras\n" in board


def test_backends_with_different_seeds_are_repeated_by_a_campaign_file(tmp_path: Path) -> None:
    runs = [make(seed=seed) for seed in (42, 43, 44)] + [make("lstm", "torch", seed=7)]
    board = leaderboard.render(runs)
    (tmp_path / "c.toml").write_text(board.split("```toml\n")[1].split("```")[0])
    specs = [spec for one in config.selections(tmp_path / "c.toml") for spec in selection.specs(one)]
    asked = {(spec.task, spec.method, spec.backend, spec.seed) for spec in specs}
    assert asked == {
        ("ten-step", method, backend, seed)
        for method in ("gru", "lstm")
        for backend, seed in [("keras", 42), ("keras", 43), ("keras", 44), ("torch", 7)]
    }


def test_a_campaign_on_an_accelerator_alone_fills_the_tables_and_is_repeated_there() -> None:
    runs = [cuda(make("gru", "torch")), cuda(make("lstm", "torch", error=0.02)), make("last_value", "numpy", error=0.3)]
    board = leaderboard.render(runs)
    assert "No run with default settings" not in board and "none ran on the processor" in board
    for header in ("use it when", "skill %"):
        named = column(table_with(board, header), "method")
        assert named == ["gru (on cuda)", "lstm (on cuda)", "last_value"]
    assert "--backend numpy --backend torch --device cuda\n" in board


def cuda(run: Run) -> Run:
    return msgspec.structs.replace(run, spec=msgspec.structs.replace(run.spec, device="cuda"))


def test_machines_and_versions_are_named_once():
    other = make("lstm", environment={"cpu": "Apple M4", "cores": 8, "packages": {"keras": "3.14.0"}, "commit": None})
    board = leaderboard.render([make(seed=1), make(seed=2), other])
    assert "- AMD EPYC 9554, 2 cores, 8.0 GiB, Linux x86&#95;64" not in board  # an underscore inside a word is safe
    assert "- AMD EPYC 9554, 2 cores, 8.0 GiB, Linux x86_64, Python 3.11.9, 1 thread per run: 2 runs" in board
    assert "- Apple M4, 8 cores: 1 runs" in board
    assert "keras 3.14.0 (1 runs) / 3.15.0 (2 runs), torch 3" not in board
    assert "torch 2.13.0" in board
    assert "0123456789ab (2 runs) / not in a checkout (1 runs)" in board


def test_files_that_are_no_records_are_named():
    board = leaderboard.render([make()], ["ten-step/<b>.json: truncated"])
    assert "## Left out" in board
    assert "- ten-step/&#60;b&#62;.json: truncated" in board
    assert "## Left out" not in leaderboard.render([make()])


@pytest.mark.parametrize("where", ["method", "backend", "task", "reason", "setting", "environment", "problem"])
def test_text_from_records_cannot_break_the_page(where):
    runs, problems = [make("lstm"), make("last_value", "numpy")], []
    if where == "setting":
        runs.append(make(settings={"head": NASTY}, changed=["head"]))
    elif where == "reason":
        runs.append(failed(make(), reason=NASTY))
    elif where == "environment":
        runs.append(make(environment={"cpu": NASTY, "packages": {NASTY: NASTY}, "commit": NASTY}))
    elif where == "problem":
        problems = [NASTY]
    else:
        runs.append(make(**{where: NASTY}))
    board = leaderboard.render(runs, problems)
    assert "\x1b" not in board
    assert "\u202e" not in board
    for table in tables(board):
        assert len({len(row) for row in table}) == 1
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(board)
    assert "<script" not in html
    assert "&lt;script&gt;" in html  # shown, not dropped


def test_escape_shows_the_text_as_it_stands():
    shown = MarkdownIt().enable("table").renderInline(escape("a|b `c` <i> *d* _e_ f_g [h](i) \\ & !"))
    assert shown == "a|b `c` &lt;i&gt; *d* _e_ f_g [h](i) \\ &amp; !"
    assert clean("\x1b]0;title\x07one\ttwo\x00\n three") == "one two three"
    assert len(clean("x" * 500)) == 200


def test_numbers():
    nothing = float("nan")
    assert [digits(value) for value in (0.0070906, 0.0187, 0.26649)] == ["0.007091", "0.01870", "0.2665"]
    assert [seconds(value) for value in (0.001, 7.5, 52.34, 123.4, nothing)] == ["0.00", "7.50", "52.3", "123", "–"]
    assert [seconds(7.5, valid=False), seconds(nothing, valid=False)] == ["7.50?", "–"]
    assert [digits(nothing), decimals(nothing), decimals(97.26)] == ["–", "–", "97.3"]
    assert with_interval(0.01713, 0.0155732, 0.018843) == "0.01713 ± 10 %"
    assert with_interval(0.01713, 0.016963, 0.017301) == "0.01713 ± 1.0 %"
    assert with_interval(0.01713, nothing, nothing) == "0.01713"


def test_no_records():
    assert "No records yet" in leaderboard.render([])


def test_order_of_records_changes_no_byte():
    runs = [*campaign((1, 2)), *campaign(task="one-step"), make(quick=True), failed(make("rtrl_rnn"))]
    expected = leaderboard.render(runs)
    assert leaderboard.render(random.Random(1).sample(runs, len(runs))) == expected
    assert leaderboard.render(runs[::-1]) == expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of records."""
    for run in [make("last_value", "numpy", error=0.2), make(seed=1), make(seed=2, error=0.02), failed(make("lstm"))]:
        repository.write(tmp_path / "results", run)
    return tmp_path / "results"


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Kolkata"},
        {"LC_ALL": "C", "LANG": "C", "TZ": "America/New_York", "PYTHONUTF8": "0"},
    ],
)
def test_locale_time_zone_and_hash_seed_change_no_byte(folder, variables):
    board = folder.parent / "board.md"
    code = (
        "import sys, pathlib; from bench.reporting import leaderboard as b; b.write(*map(pathlib.Path, sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    subprocess.run([sys.executable, "-c", code, folder, board], env=environment, check=True, timeout=120)
    assert board.read_bytes() == leaderboard.render(*repository.read(folder)).encode()
    assert not leaderboard.stale(folder, board)


def test_board_is_stale_until_written_and_after_a_new_record(folder):
    board = folder.parent / "leaderboard.md"
    assert leaderboard.stale(folder, board)
    leaderboard.write(folder, board)
    assert not leaderboard.stale(folder, board)
    repository.write(folder, make(seed=3))
    assert leaderboard.stale(folder, board)
    leaderboard.write(folder, board)
    assert not leaderboard.stale(folder, board)
    board.write_text(board.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert leaderboard.stale(folder, board)


def test_board_is_stale_when_a_picture_is_missing_or_of_other_data(folder):
    board = folder.parent / "leaderboard.md"
    leaderboard.write(folder, board)
    pictures = sorted((folder / "figures").iterdir())
    assert [picture.name for picture in pictures] == ["ten-step--forecasts.png", "ten-step--time.png"]
    text = board.read_text(encoding="utf-8")
    assert all(f"](results/figures/{picture.name})" in text for picture in pictures)
    pictures[0].write_bytes(pictures[1].read_bytes())
    assert leaderboard.stale(folder, board)
    leaderboard.write(folder, board)
    assert not leaderboard.stale(folder, board)
    pictures[1].write_bytes(b"not a picture")
    assert leaderboard.stale(folder, board)
    pictures[1].unlink()
    assert leaderboard.stale(folder, board)


def test_pictures_of_unchanged_data_are_left_alone(folder):
    board = folder.parent / "leaderboard.md"
    leaderboard.write(folder, board)
    before = {path: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()}
    leaderboard.write(folder, board)
    assert {path: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()} == before


def test_pictures_are_found_from_the_boards_own_folder(folder):
    board = folder.parent / "docs" / "board.md"
    board.parent.mkdir()
    leaderboard.write(folder, board)
    assert "](../results/figures/ten-step--time.png)" in board.read_text(encoding="utf-8")
    assert str(folder) not in board.read_text(encoding="utf-8")


def test_a_board_that_cannot_be_written_is_one_clear_line(folder):
    (folder.parent / "file").write_text("")
    with pytest.raises(UsageError, match="file' cannot be written: File exists"):
        leaderboard.write(folder, folder.parent / "file" / "board.md")
    assert not list(folder.parent.glob("**/*.tmp"))


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records of a board that would be too long for one page."""
    monkeypatch.setattr(leaderboard, "LONGEST", 30_000)
    for run in [*campaign(range(3)), make(task="one-step"), make(quick=True), make(task="alone", error=0.03)]:
        repository.write(tmp_path / "results", run)
    return tmp_path / "results"


def test_a_long_board_has_its_details_in_files_of_their_own(large: Path) -> None:
    board = large.parent / "leaderboard.md"
    leaderboard.write(large, board)
    names = {path.name for path in (large / "boards").iterdir()}
    assert names == {"one-step.md", "ten-step.md", "alone.md"}
    text = board.read_text(encoding="utf-8")
    assert len(text.encode()) < 30_000 and "timed runs |" not in text
    links = re.findall(r"\]\((results/boards/[^)]*)\)", text)
    assert links and all((large.parent / link).is_file() for link in links)
    details = (large / "boards" / "ten-step.md").read_text(encoding="utf-8")
    assert table_with(details, "timed runs") and "## ten-step, quick runs" in details
    assert "](../../leaderboard.md)" in details and "](../figures/ten-step--time.png)" in details
    assert not leaderboard.stale(large, board)


def test_details_are_checked_and_those_of_gone_tasks_deleted(large: Path) -> None:
    board = large.parent / "leaderboard.md"
    leaderboard.write(large, board)
    detail, gone = large / "boards" / "one-step.md", large / "boards" / "gone.md"
    detail.write_text(detail.read_text(encoding="utf-8") + "x", encoding="utf-8")
    assert leaderboard.stale(large, board)
    leaderboard.write(large, board)
    gone.write_text("of records that are no more")
    assert leaderboard.stale(large, board)
    leaderboard.write(large, board)
    assert not gone.exists() and not leaderboard.stale(large, board)


def test_no_paragraph_comes_twice(large: Path) -> None:
    board = large.parent / "leaderboard.md"
    leaderboard.write(large, board)
    for path in (board, *(large / "boards").iterdir()):
        found = [block for block in path.read_text(encoding="utf-8").split("\n\n") if len(block) > 60]
        prose = [block for block in found if not block.startswith(("|", "#", "<", "```", ">", "- "))]
        assert len(prose) == len(set(prose)), path.name


def test_each_column_is_explained() -> None:
    board = leaderboard.render([make()])
    for one in COLUMNS:
        assert not one.help or f"- **{one.label}**: " in board


def test_the_board_says_which_test_part_a_row_was_scored_on() -> None:
    old = make("gru", error=0.02)
    assert "\n\nThe methods on ten-step were tested on 1,000 series.\n\n" in leaderboard.render([old])
    mixed = leaderboard.render([old, make("lstm", test_series=21_000)])
    assert "were tested on 21,000 series; on the first 1,000 alone: `gru` (`--force-stale` runs them again)." in mixed
    assert column(table_with(mixed, "test series"), "test series") == ["21,000", "1,000"]


def test_records_without_blocks_are_named() -> None:
    assert "On this page: ten-step." in leaderboard.render([make()])

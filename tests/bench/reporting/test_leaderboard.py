"""The board as a reader meets it: its tables, what stands apart, and that the records alone decide every byte."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from markdown_it import MarkdownIt
from markdown_tables import tables
from synthetic import campaign, failed, make

from bench.errors import UsageError
from bench.records import repository
from bench.reporting import leaderboard
from bench.reporting.columns import COLUMNS, seconds, spread
from bench.reporting.markdown import escape
from bench.text import clean, decimals, digits

HEADERS = [column.label for column in COLUMNS][:-1]
NASTY = "a|b `c` <script>alert(1)</script>\x1b[31mred\x1b[0m\nnew *line* _x_ [l](u) $m$ \u202eright"


def test_summary_has_one_row_per_method_and_backends_side_by_side():
    runs = [make("last_value", "numpy", error=0.26649, fit=0.001), make("gru", "torch", error=0.02, fit=7.5)]
    runs += [make("gru", "keras", error=0.01, fit=52.3), make("gru", "keras-jax", error=0.015, fit=123.4)]
    summary = tables(leaderboard.render(runs))[0]
    assert summary[0] == ["#", "method", "keras, numpy", "keras-jax", "torch", "keras s", "jax s", "torch s", "notes"]
    assert summary[1] == ["1", "gru", "0.01000", "0.01500", "0.02000", "52.3", "123", "7.50", "0.01009"]
    assert summary[2] == ["2", "last_value", "0.2665", "", "", "0.00", "", "", "–"]


def test_summary_keeps_numpy_apart_where_a_method_has_both():
    summary = tables(leaderboard.render([make("gru", "numpy"), make("gru", "keras")]))[0]
    assert summary[0][2:4] == ["numpy", "keras"]


def test_summary_fits_a_screen():
    board = leaderboard.render([*campaign(), *campaign(task="one-step")])
    summaries = [part.split("<details>")[0] for part in board.split("\n## ")[1:3]]
    widths = [len(line) for summary in summaries for line in summary.splitlines()]
    assert max(widths) <= 120
    assert sum(line.startswith("| ") for line in summaries[0].splitlines()) == 35 + 1


def test_full_table_has_every_measure():
    runs = [make(seed=seed, error=error) for seed, error in ((1, 0.010), (2, 0.013), (3, 0.011), (4, 0.018))]
    runs += [failed(make(seed=5)), make("last_value", "numpy", error=0.13)]
    header, first, _ = tables(leaderboard.render(runs))[1]
    assert header == HEADERS
    assert first == ["1", "gru", "keras", "0.01300 ± 0.00566", "0.02600", "0.01430", "90.0", "10.0", "10.0", "1,234",
                     "0.01009", "1.29", "4 of 5"]  # fmt: skip


def test_every_seed_of_rows_with_several_is_shown():
    runs = [make(seed=seed, error=error) for seed, error in ((42, 0.010), (43, 0.013))]
    runs += [make("lstm", seed=seed, error=0.02) for seed in (43, 44)] + [make("linear", seed=42)]
    header, *rows = tables(leaderboard.render(runs))[2]
    assert header == ["method", "backend", "seed 42", "seed 43", "seed 44"]
    assert rows == [["gru", "keras", "0.01000", "0.01300", "–"], ["lstm", "keras", "–", "0.02000", "0.02000"]]
    assert "of every seed" not in leaderboard.render([make(), make("lstm", seed=43)])


def test_of_many_seeds_the_first_have_a_column():
    board = leaderboard.render([make(seed=seed) for seed in range(100, 125)])
    assert (
        "**Last-step MSE of the first 20 of 25 seeds**" in board
        and "| seed 119 |" in board
        and "seed 120 " not in board
    )


def test_rows_that_cannot_be_told_apart_share_a_rank():
    errors = {"gru": (0.010, 0.012, 0.011), "lstm": (0.012, 0.010, 0.0111), "linear": (0.5, 0.51, 0.52)}
    runs = [make(method, seed=seed, error=error) for method, row in errors.items() for seed, error in enumerate(row)]
    summary, full, *_ = tables(leaderboard.render(runs))
    assert [row[:2] for row in summary[1:]] == [row[:2] for row in full[1:]]
    assert [row[:2] for row in summary[1:]] == [["1", "gru"], ["1", "lstm"], ["3", "linear"]]


def test_the_reference_stands_below_and_rows_say_how_far_they_are():
    references = [make("least_squares_oracle", "numpy", error=0.002), make("bayes", "numpy", error=0.00107)]
    board = leaderboard.render([*references, make(error=0.0107)])
    summary, full, *_ = tables(board)
    assert [row[1] for row in summary] == ["method", "gru"]
    assert full[0] == [*HEADERS, "× limit"] and full[1][-1] == "10.0"
    assert "No method can be expected below its 0.001070." in board and "It reaches 0.002000." in board
    assert "compares each error with that of `bayes`" in board
    assert "References" not in leaderboard.render([make()])


def test_a_record_under_an_old_name_counts_as_the_method():
    old = make("oracle", "numpy", seed=1, error=0.002)
    alone = leaderboard.render([old, make(error=0.0107)])
    assert "`least_squares_oracle` knows the formula" in alone and "It reaches 0.002000." in alone
    newer = make("least_squares_oracle", "numpy", seed=1, error=0.003, started_at="2030-01-01T00:00:00+00:00")
    both = leaderboard.render([old, newer, make(error=0.0107)])
    assert "It reaches 0.003000." in both and "`oracle`" not in both


def test_several_tasks_are_summed_up():
    tasks = ("one-step", "ten-step", "third")
    runs = [make("last_value", "numpy", error=0.2, task=task) for task in tasks]
    runs += [make(error=error, task=task) for error, task in zip((0.1, 0.05, 0.1), tasks, strict=True)]
    board = leaderboard.render(runs)
    assert "| gru        | 60.3 (50.0 to 75.0) | 100.0 (100.0 to 100.0) |" in board.split("## Over all tasks")[1]
    assert "## Over all tasks" not in leaderboard.render(runs[:2] + runs[3:5])


def test_real_series_and_tasks_of_several_steps_have_tables_of_their_own():
    tasks = {"one-step": 0.4, "nile": 0.3, "co2": 0.2, "macro": 0.1, "sales": 0.5}
    runs = [make("last_value", "numpy", error=error, task=task) for task, error in tasks.items()]
    runs += [make("theta", "numpy", error=error / 2, task=task) for task, error in tasks.items() if task != "one-step"]
    runs += [make("seasonal_naive", "numpy", error=error, task=task) for task, error in list(tasks.items())[1:4]]
    section = leaderboard.render(runs).split("## Over all tasks")[1].split("##")[0]
    assert "**All tasks**" not in section, "one method alone has a result on each"
    several, real = section.split("**Real series**: co2, nile, macro")
    assert "**All tasks that forecast several steps**: co2, nile, macro, sales" in several
    assert "| theta " in several and "| seasonal_naive " not in several
    assert "| theta          | 50.0 (50.0 to 50.0) | 100.0 (100.0 to 100.0) |" in real
    assert "| seasonal_naive " in real


def test_failed_runs_stand_below_with_their_reason():
    runs = [make(), *(failed(make("lstm", seed=seed)) for seed in (43, 42))]
    runs.append(failed(make("gru", "torch"), "timeout", "killed after 600 s"))
    summary, _, lost, *_ = tables(leaderboard.render(runs))
    assert summary[1:] == [["1", "gru", "0.01000", "timeout", "10.0", "", "0.01009"]]
    assert lost[1] == ["gru", "torch", "timeout", "42", "killed after 600 s"]
    assert lost[2] == ["lstm", "keras", "diverged", "42, 43", "loss is nan in epoch 3"]


def test_a_task_where_all_failed_says_so():
    board = leaderboard.render([failed(make())])
    assert "No run with default settings has succeeded yet." in board
    assert tables(board)[0][1][0] == "gru"


def test_changed_settings_follow_in_a_table_of_their_own():
    runs = [make(), make(error=0.001, settings={"units": 32, "epochs": 20}, changed=["units"])]
    summary, full, tuned, *_ = tables(leaderboard.render(runs))
    assert [row[1] for row in summary[1:]] == ["gru"]
    assert [row[1] for row in full[1:]] == ["gru"]
    assert [row[1] for row in tuned[1:]] == ["gru (units=32)"]
    assert summary[1][2] == "0.01000"


def test_quick_runs_are_marked_and_below_full_ones():
    board = leaderboard.render([make(error=0.01), make(error=0.0001, quick=True)])
    assert board.index("0.01000") < board.index("ten-step, quick runs") < board.index("0.0001000")
    alone = leaderboard.render([make(quick=True)])
    assert "## ten-step, quick runs" in alone
    assert "**Quick runs**" in alone
    assert "--quick" in alone
    assert "png" not in alone


def test_command_repeats_the_rows():
    board = leaderboard.render([make(seed=43), make("lstm", "torch", seed=42), make("lstm", task="one-step")])
    assert "python -m bench run --task ten-step --seeds 42,43 --backend keras --backend torch\n" in board
    assert "python -m bench run --task one-step --method lstm --seeds 42 --backend keras\n" in board


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
    assert [spread(0.01713, 0.0021), spread(0.01713, nothing)] == ["0.01713 ± 0.00210", "0.01713"]


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
    assert board.read_bytes() == leaderboard.render(*repository.read(folder), "results/figures").encode()
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

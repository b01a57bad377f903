"""`show`, and the pages in docs/methods."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, Bench

from bench import results, show
from implementations import METHODS, backends_of, make


def test_a_method_is_shown_whole(inside: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = inside("show", "lstm_forget_bias_2", "--results", str(ROOT / "results")).stdout
    assert "f_t = " in shown and "Hochreiter" in shown and "`lstm_cell`" in shown
    assert "forget_bias=2.0" in shown and "a state of 80 numbers" in shown and "0.008570" in shown
    line = next(line for line in shown.splitlines() if "LSTMCell(self.units)" in line)
    assert "return_sequences" in line and "Loop" in line, "the networks stand side by side"
    monkeypatch.setenv("COLUMNS", "80")
    narrow = inside("show", "gru", "--results", "none").stdout
    assert narrow.index("\nKeras\n") < narrow.index("\nPyTorch\n") and "No record of it yet" in narrow


def test_a_method_of_yours_is_shown(inside: Bench) -> None:
    assert inside("new-method", "--network", "my_net").returncode == 0
    shown = inside("show", "./my_net.py:MyNet").stdout
    assert "# outside_my_net" in shown and "nn.Sequential(GRU(channels" in shown and "`my_net.MyNet`" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gruu",), "unknown method 'gruu': did you mean gru"),
        ((), "one of them is needed"),
        (("gru", "--pages", "x"), "one of them is needed"),
        (("--pages", "file"), "--pages 'file': this is a file"),
    ],
)
def test_what_cannot_be_shown(inside: Bench, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "file").write_text("")
    ended = inside("show", *arguments)
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1


def test_the_committed_pages_are_up_to_date() -> None:
    assert show.stale(ROOT / "docs" / "methods", results.read(ROOT / "results")[0]) == []


def test_a_stale_page_is_found_and_written_again(inside: Bench, tmp_path: Path) -> None:
    assert inside("show", "--pages", "pages").returncode == 0
    assert {path.stem for path in (tmp_path / "pages").iterdir()} >= {"gru", "arima", "README"}
    (tmp_path / "pages" / "gru.md").write_text("edited")
    (tmp_path / "pages" / "gone.md").write_text("of a method that is no more")
    checked = inside("show", "--pages", "pages", "--check")
    assert checked.returncode == 1 and "pages/gru.md is stale" in checked.stderr and "gone.md" in checked.stderr
    (tmp_path / "pages" / "gone.md").unlink()
    assert inside("show", "--pages", "pages").returncode == 0
    assert inside("show", "--pages", "pages", "--check").returncode == 0


def test_every_network_says_what_it_depends_on() -> None:
    fields = {"wavenet": 9, "wavenet_simple": 31, "tcn": 61}  # by the sums of their dilations
    fields |= dict.fromkeys(("linear", "mlp", "mlp_ensemble", "dlinear", "nbeats", "nhits", "transformer"))
    for name in METHODS:
        made = make(name, backends_of(name)[-1], 1)
        if name.removesuffix("_as_printed") in fields:
            assert made.receptive_field() == fields[name.removesuffix("_as_printed")] and made.state_size() == 0
        elif made.backend == "torch":
            assert made.state_size() > 0, name

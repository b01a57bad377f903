"""`show`, and the pages in docs/methods."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from conftest import ROOT, Bench
from synthetic import make as make_record

from bench.records import codec, repository
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


def test_a_method_of_yours_is_shown(inside: Bench, bench: Bench) -> None:
    assert inside("new", "--network", "my_net").returncode == 0
    shown = bench("show", "./my_net.py:MyNet").stdout
    assert "# outside_my_net" in shown and "nn.Sequential(GRU(channels" in shown and "`my_net.MyNet`" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gruu",), "unknown method 'gruu': did you mean gru"),
        ((), "show: name a method"),
        (("gru", "--pages", "x"), "show: name a method"),
        (("--pages", "file"), "--pages 'file': got a file"),
    ],
)
def test_what_cannot_be_shown(inside: Bench, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "file").write_text("")
    ended = inside("show", *arguments)
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1


def test_the_committed_pages_are_up_to_date(inside: Bench) -> None:
    checked = inside("show", "--pages", f"{ROOT}/docs/methods", "--check", "--results", f"{ROOT}/results")
    assert checked.returncode == 0, checked.stderr


def test_figures_are_of_full_runs_at_default_settings(inside: Bench, tmp_path: Path) -> None:
    other = make_record("gru", error=0.9, settings={"units": 32}, changed=["units"])
    native = make_record("gru", error=0.8)
    native = msgspec.structs.replace(native, spec=msgspec.structs.replace(native.spec, defaults="native"))
    searched = make_record("gru", error=0.7)
    searched = msgspec.structs.replace(searched, spec=msgspec.structs.replace(searched.spec, task="ten-step-search"))
    for run in (make_record("gru", error=0.0123), other, native, searched, make_record("gru", error=0.6, quick=True)):
        repository.write(tmp_path / "results", msgspec.structs.replace(run, key=codec.key_of(run.spec)))
    table = inside("show", "gru").stdout.split("Last-step MSE at default settings")[1]
    assert [line for line in table.splitlines() if "keras" in line and "0.01230" in line]
    assert not any(f"0.{digit}00" in table for digit in "6789")


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
    fields |= dict.fromkeys(
        (
            "linear",
            "mlp",
            "mlp_ensemble",
            "mlp_bootstrap",
            "dlinear",
            "nbeats",
            "nhits",
            "patchtst",
            "nlinear",
            "tide",
            "tsmixer",
        )
    )
    for name in METHODS:
        made = make(name, backends_of(name)[-1], 1)
        if name.removesuffix("_as_printed") in fields:
            assert made.receptive_field() == fields[name.removesuffix("_as_printed")] and made.state_size() == 0
        elif len(backends_of(name)) > 1:
            assert made.state_size() > 0, name

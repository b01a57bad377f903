"""macOS and Windows, pretended: without the calls that only Linux has, and without those that only POSIX has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Bench, stored

HIDDEN = ROOT / "tests" / "other_systems"
LINUX = re.compile(
    r"sched_[gs]etaffinity|memfd_create|pidfd_open|\bkillpg|O_CLOEXEC|O_NONBLOCK|geteuid|getuid|pthread_sigmask|\.prctl"
    r"|\bunshare|signal\.SIG(?:KILL|HUP)|start_new_session|pass_fds|wait4|os\.fork|import (?:fcntl|resource)\b|AF_UNIX"
)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(HIDDEN)]))


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_runs_lists_and_forecasts_without_the_calls_of_linux(
    system: str, bench: Bench, pretended: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRETEND_SYSTEM", system)
    torch = ["--method", "linear", "--backend", "torch"] if system == "win32" else ["--timeout", "60"]
    done = bench("run", "--quick", "--task", "ten-step", "--backend", "numpy", "--method", "last_value",
                 *torch, "--memory", "2G", "--results", "mine")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    runs = stored(tmp_path / "mine")
    assert {run.status for run in runs} == {"ok"}
    assert len(runs) == (2 if system == "win32" else 1)
    assert not any("not pinned" in (run.timing_reason or "") for run in runs)
    assert bench("list", "runs", "--results", "mine").returncode == 0
    board = (tmp_path / "mine" / "leaderboard.md").read_text()
    assert board.count("their system keeps no run on one core") == (1 if system == "darwin" else 0)


def test_forecasts_and_ends_what_takes_too_much_memory_on_windows(
    bench: Bench, pretended: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRETEND_SYSTEM", "win32")
    (tmp_path / "sales.csv").write_text("\n".join(["units", *(str(10 + step % 7) for step in range(120))]))
    done = bench("forecast", "sales.csv", "--target", "units", "--ahead", "3", "--method", "last_value")
    assert done.returncode == 0 and "3 steps" in done.stdout, done.stdout + done.stderr
    (tmp_path / "greedy.py").write_text(GREEDY)
    done = bench("run", "--quick", "--task", "ten-step", "--method", "./greedy.py:Greedy", "--memory", "300M",
                 "--results", "mine")  # fmt: skip
    assert [run.status for run in stored(tmp_path / "mine")] == ["oom"], done.stdout + done.stderr
    child = int((tmp_path / "child").read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]


GREEDY = """
import subprocess, time
from pathlib import Path
from implementations.forecaster import Forecaster

class Greedy(Forecaster):
    def fit(self, history, future, validation=None):
        child = subprocess.Popen(["sleep", "60"])
        (Path(__file__).parent / "child").write_text(str(child.pid))
        self.held = b"1" * 400_000_000
        time.sleep(60)

    def predict_ahead(self, history, steps):
        return history[:, -1:].repeat(steps, axis=1)
"""


def test_calls_that_some_systems_lack_stand_in_one_package() -> None:
    allowed = ROOT / "bench" / "machine" / "system"
    listed = subprocess.run(["git", "ls-files", "bench/*.py"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    files = [name for name in listed if not name.startswith("bench/speed/")]  # measured on Linux alone, in no wheel
    found = [name for name in files if LINUX.search((ROOT / name).read_text()) and allowed not in (ROOT / name).parents]
    assert found == []

"""The harness is stopped or killed. Rows 1 of the matrix in docs/reliability.md."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import soak
from conftest import stored
from fault_injection import alive, heard, pids, start, wait_for


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_campaign(faulty: Path, tmp_path: Path, number: signal.Signals, status: int) -> None:
    with heard(number):
        process = start(tmp_path, "last_value", "hangs")
    wait_for(lambda: len(pids(faulty)) == 2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == status
    assert errors == f"stopped by {number.name}: 1 of 2 runs are kept; the same command goes on from here\n"
    assert not any(map(alive, pids(faulty)))
    assert [run.spec.method for run in stored(tmp_path / "results")] == ["last_value"]


@pytest.mark.parametrize("method", ["hangs", "hangs_in_c", "hangs_in_grandchild"])
def test_a_killed_harness_leaves_no_process_and_no_file(faulty: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "tmp").mkdir()
    process = start(tmp_path, "last_value", method, TMPDIR=str(tmp_path / "tmp"))
    wait_for(lambda: len(pids(faulty)) == {"hangs": 2, "hangs_in_c": 1}.get(method, 3))
    process.kill()
    process.communicate(timeout=10)
    wait_for(lambda: not any(map(alive, pids(faulty))) and not list((tmp_path / "tmp").iterdir()), 5)
    assert [run.spec.method for run in stored(tmp_path / "results")] == ["last_value"]


def test_killed_again_and_again_nothing_is_lost(tmp_path: Path) -> None:
    figures = soak.kills(tmp_path / "kills", count=2, runs=4)
    assert figures["as expected"] and figures["records"] == 4, figures


def test_a_soak(tmp_path: Path) -> None:
    figures = soak.soak(tmp_path / "soak", range(546, 553))
    assert figures["as expected"] and figures["faults"] >= 3, figures

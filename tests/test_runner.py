"""Workers that end well, badly, late or not at all: real processes, real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from conftest import make_spec, stored

from bench import machine, results, runner
from bench.plan import Job
from bench.results import Run, Spec
from bench.selection import data_digest
from bench.tasks import TASKS

QUICK = TASKS["ten-step"].quick()


def spec_for(method: str, seed: int = 42) -> Spec:
    return make_spec(method=method, backend="numpy", seed=seed, settings={}, quick=True, data_sha256=data_digest(QUICK))


def run_all(*methods: str, workers: int = 2, timeout: float = 60) -> dict[str, Run]:
    jobs = [Job(spec_for(method)) for method in methods]
    return {run.spec.method: run for _, run in runner.run(jobs, workers, timeout)}


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pids(note: Path) -> list[int]:
    return [int(pid) for pid in note.read_text().split()]


ENDS = {
    "segfaults": ("failed", "killed by SIGSEGV"),
    "exits": ("failed", "exited 0 without a result"),
    "raises": ("failed", "RuntimeError: cannot open weights.bin"),
    "out_of_memory": ("oom", "MemoryError: Unable to allocate"),
    "nan_loss": ("diverged", "loss is nan in epoch 2"),
    "overflows": ("diverged", "loss became inf in epoch 3 of 20"),
    "nan_forecast": ("diverged", "forecasts: 1 of 1000 values are not finite"),
    "wrong_shape": ("failed", "forecasts: got float32 [100, 10], expected float32 [100, 10, 1]"),
    "wrong_type": ("failed", "forecasts: got float64 [100, 10, 1], expected float32 [100, 10, 1]"),
    "masked": ("failed", "forecasts: got MaskedArray, expected a NumPy array"),
    "mutates": ("failed", "the method changed its input"),
    "writes_input": ("failed", "ValueError: output array is read-only"),
}


def test_every_end_becomes_a_record_and_the_rest_goes_on(faulty, tmp_path):
    runs = run_all(*ENDS, "last_value")
    for method, (status, reason) in ENDS.items():
        assert (runs[method].status, runs[method].metrics) == (status, None), method
        assert (runs[method].reason or "").startswith(reason), method
        assert not runs[method].timing_valid
    assert runs["last_value"].status == "ok"
    for run in runs.values():
        assert str(Path.home()) not in results.write(tmp_path / "results", run).read_text()
    assert len(stored(tmp_path / "results")) == len(ENDS) + 1


def test_a_finished_run_is_complete(faulty):
    (run,) = run_all("last_value").values()
    assert run.status == "ok" and run.reason is None and run.metrics and run.seconds and run.samples and run.digest
    assert len(run.metrics.mse_by_step) == 10
    assert run.metrics.val_mse == run.metrics.last_step_mse == pytest.approx(sum(run.metrics.mse_by_step) / 10)
    phases = [
        "start",
        "import",
        "data",
        "build",
        "first_step",
        "fit",
        "validate",
        "predict_first",
        "predict",
        "evaluate",
    ]
    assert all(0 <= run.seconds[phase] < run.seconds["total"] for phase in phases)
    assert len(run.samples["predict"]) >= 5
    assert [len(row) for row in run.examples or []] == [10, 10, 10]
    assert run.environment["threads"] == run.environment["affinity"] == 1
    assert run.environment["workers"] == 2


def test_running_again_gives_the_same_digest(faulty):
    first, second = (run_all("last_value")["last_value"] for _ in range(2))
    assert first.digest == second.digest and first.metrics == second.metrics


def test_a_flood_of_output_neither_blocks_nor_counts(faulty):
    assert run_all("noisy")["noisy"].status == "ok"


def test_idle_time_is_not_a_methods_time(faulty):
    run = run_all("idles")["idles"]
    assert run.status == "ok" and not run.timing_valid
    assert "of a core during fit" in (run.timing_reason or "")


def test_timeout_kills_all_that_a_worker_started(faulty):
    start = time.monotonic()
    run = run_all("hangs", timeout=3)["hangs"]
    assert (run.status, run.reason) == ("timeout", "killed after 3 s")
    assert time.monotonic() - start < 3 + 5
    assert len(pids(faulty)) == 2
    wait_for(lambda: not any(map(alive, pids(faulty))), 3)


def test_a_killed_worker_is_a_failed_run(faulty):
    def strike() -> None:
        wait_for(faulty.exists)
        os.kill(pids(faulty)[0], signal.SIGKILL)

    import threading

    threading.Thread(target=strike).start()
    run = run_all("hangs")["hangs"]
    assert (run.status, run.reason) == ("failed", "killed by SIGKILL")


def test_a_kill_for_memory_is_told_apart(faulty, monkeypatch):
    counts = iter([3, 4])
    monkeypatch.setattr(machine, "oom_kills", lambda: next(counts))
    monkeypatch.setattr(runner.Campaign, "start", killed)
    assert run_all("last_value")["last_value"].status == "oom"


def killed(campaign: runner.Campaign, folder: Path, core: int) -> subprocess.Popen[bytes]:
    """A worker that somebody kills at once."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; time.sleep(60)"], stdout=subprocess.PIPE, start_new_session=True
    )
    process.kill()
    return process


def test_a_worker_that_breaks_before_its_job(faulty, monkeypatch, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "msgspec.py").write_text("raise ImportError('no msgspec here')")
    monkeypatch.setattr(machine, "ROOT", tmp_path / "broken")
    run = run_all("last_value")["last_value"]
    assert (run.status, run.reason) == ("failed", "exit status 1: ImportError: no msgspec here")


def test_workers_have_a_core_each(faulty):
    assert len(machine.cores()) >= 1
    before = os.sched_getaffinity(0)
    with runner.pinned(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def start_campaign(tmp_path: Path) -> subprocess.Popen[str]:
    """A campaign whose first run finishes and whose second hangs."""
    command = [sys.executable, "-m", "bench", "run", "--quick", "--task", "ten-step", "--results", "kept"]
    methods = ["--method", "last_value", "--method", "hangs", "--jobs", "1"]
    return subprocess.Popen(
        command + methods,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_campaign_keeps_what_is_finished(faulty, tmp_path, bench, number, status):
    campaign = start_campaign(tmp_path)
    wait_for(faulty.exists)
    campaign.send_signal(number)
    _, errors = campaign.communicate(timeout=10)
    assert campaign.returncode == status
    assert errors == f"stopped by {number.name}: 1 of 2 runs are kept; the same command goes on from here\n"
    assert not any(map(alive, pids(faulty)))
    assert [run.spec.method for run in stored(tmp_path / "kept")] == ["last_value"]
    again = bench("run", "--quick", "--task", "ten-step", "--results", "kept", "--method", "last_value", "--dry-run")
    assert "0 runs to do, 1 there already" in again.stdout


def test_no_worker_outlives_a_killed_harness(faulty, tmp_path):
    campaign = start_campaign(tmp_path)
    wait_for(faulty.exists)
    campaign.kill()
    campaign.communicate(timeout=10)
    wait_for(lambda: not any(map(alive, pids(faulty))), 5)
    assert [run.spec.method for run in stored(tmp_path / "kept")] == ["last_value"]
